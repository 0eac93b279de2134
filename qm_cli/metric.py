"""A metric is a function from named columns to one column with a row for each row of its level."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar, get_type_hints

from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli.errors import MetricError

LEVELS = ("image", "label", "prediction", "category", "image_category", "dataset")
KINDS = ("data", "label", "model")
BETTER = ("higher", "lower", "neither")
NOTE = "__metric__"
VECTOR, BYTES = "vector", "bytes"
IOU = "IoU"
OVERLAPS = ("matched_iou", "best_iou", "witness_iou", "iou")
"""Inputs that hold what the run compares by: IoU, of keypoints OKS."""

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Note(Struct, frozen=True):
    """What `@metric` says of a function; everything else is read from its signature and docstring."""

    level: tuple[str, ...]
    kind: str
    unit: str
    range: tuple[float | None, float | None] | None
    better: str
    columns: Mapping[str, str] = field(default_factory=dict)


class Metric(Struct, frozen=True):
    """One metric at one level.

    inputs: parameter name → column name, in order; optional: the inputs that may be missing (their default is None).
    options: keyword-only parameters and their defaults. outputs: column names, more than one for a NamedTuple.
    per_sample: called once per sample with its pixels instead of once with whole columns. measure: what the overlap of
    matches is called where this one is told of.
    """

    name: str
    level: str
    note: Note
    function: Callable[..., Any]
    inputs: Mapping[str, str]
    optional: frozenset[str]
    options: Mapping[str, Any]
    outputs: tuple[str, ...]
    measure: str = IOU

    @property
    def id(self) -> str:
        return f"{self.level}.{self.name}"

    @property
    def per_sample(self) -> bool:
        return "pixels" in self.inputs

    @property
    def vector(self) -> bool:
        """Whether a sample's value is a vector, float32[d]; such a column is a table of its own in the run."""
        return self.note.unit == VECTOR and self.per_sample

    @property
    def apart(self) -> bool:
        """Whether its column is a table of its own in the run: vectors, and bytes."""
        return self.note.unit in (VECTOR, BYTES) and self.per_sample

    @property
    def built_in(self) -> bool:
        """False for a user's: from a plugin, an entry point or Python."""
        return self.function.__module__.startswith("qm_cli.")

    @property
    def meaning(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0].replace(IOU, self.measure)

    @property
    def unit(self) -> str:
        return self.note.unit.replace(IOU, self.measure)

    def measured_by(self, measure: str) -> Metric:
        """The same as a run tells of it that compares by `measure`; unchanged where it takes no overlap of matches."""
        plain = (name.removeprefix("label_").removeprefix("prediction_") for name in self.inputs.values())
        return replace(self, measure=measure) if any(name in OVERLAPS for name in plain) else self

    @property
    def explanation(self) -> str:
        """The docstring after its first line, without the doctest."""
        rest = (inspect.getdoc(self.function) or "").partition("\n")[2]
        return rest.partition(">>>")[0].strip()


def metric(
    *,
    level: str | tuple[str, ...],
    kind: str,
    unit: str,
    range: tuple[float | None, float | None] | None = None,
    better: str = "neither",
    columns: Mapping[str, str] | None = None,
) -> Callable[[AnyFunction], AnyFunction]:
    """Attach a note to a function and return the function itself, so that it pickles and its doctest is found.

    level: one or several of image | label | prediction | category | image_category | dataset.
    kind: data | label | model. unit: "share", "px", "count", "bit", …; "vector" or "bytes" where
    a sample of pixels has a float32[d] or bytes.
    range: (low, high), None for an open end; None for values that are no numbers.
    better: higher | lower | neither. columns: parameter name → column name, for metadata whose name is no identifier.
    """
    levels = (level,) if isinstance(level, str) else tuple(level)
    for value, allowed in ((kind, KINDS), (better, BETTER), *((one, LEVELS) for one in levels)):
        if value not in allowed:
            raise MetricError(f"@metric: {value!r} is not one of {', '.join(allowed)}")

    def attach(function: AnyFunction) -> AnyFunction:
        setattr(function, NOTE, Note(levels, kind, unit, range, better, dict(columns or {})))
        return function

    return attach


_told: ContextVar[list[str] | None] = ContextVar("told", default=None)


def tell(note: str) -> None:
    """Called by a metric: what a reader should know of how its column came about; kept in the run's notes."""
    notes = _told.get()
    if notes is not None and note not in notes:
        notes.append(note)


@contextmanager
def listening() -> Iterator[list[str]]:
    """The notes that metrics tell meanwhile."""
    notes: list[str] = []
    before = _told.set(notes)
    try:
        yield notes
    finally:
        _told.reset(before)


def declared_in(module: ModuleType) -> list[Metric]:
    """The metrics a module defines itself, one for each of their levels, in the order they stand there."""
    functions = [
        value for value in vars(module).values() if hasattr(value, NOTE) and value.__module__ == module.__name__
    ]
    return [described(function, level) for function in functions for level in getattr(function, NOTE).level]


def described(function: Callable[..., Any], level: str) -> Metric:
    """The metric a noted function is at one of its levels."""
    note: Note = getattr(function, NOTE)
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise MetricError(f"metric {function.__name__}: *{parameter.name} names no column", "name every input")
    inputs = [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    missing = [name for name, default in options.items() if default is inspect.Parameter.empty]
    if missing:
        raise MetricError(f"metric {function.__name__}: the option {missing[0]} has no default", "give it one")
    return Metric(
        name=function.__name__,
        level=level,
        note=note,
        function=function,
        inputs={p.name: note.columns.get(p.name, p.name) for p in inputs},
        optional=frozenset(p.name for p in inputs if p.default is not inspect.Parameter.empty),
        options=options,
        outputs=_outputs(function),
    )


def _outputs(function: Callable[..., Any]) -> tuple[str, ...]:
    """Fields of the NamedTuple the function is annotated to return, else its own name.

    Only the return annotation is looked up: those of the inputs may name types that are imported for checking alone.
    """
    annotation = SimpleNamespace(__annotations__={"return": function.__annotations__.get("return")})
    try:
        returned = get_type_hints(annotation, globalns=function.__globals__).get("return")
    except (NameError, TypeError):
        returned = None
    return tuple(getattr(returned, "_fields", (function.__name__,)))
