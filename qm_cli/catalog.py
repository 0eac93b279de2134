"""All metrics by id: built-in, from entry points and from plugin files; and choosing among them."""

from __future__ import annotations

import hashlib
import json
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib import import_module, metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import qm_cli.metrics
from qm_cli.errors import MetricError, nearest
from qm_cli.metric import KINDS, Metric, declared_in

ENTRY_POINTS = "qm_cli.metrics"
COLLECTIONS = (tuple, list, set, frozenset)
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def load(plugins: Sequence[Path] = (), entry_points: bool = True) -> dict[str, Metric]:
    """Metrics by id, `level.name`: the built-in modules by name, then entry points, then plugin files in their order.

    Raises MetricError for a plugin that cannot be imported (file, line and cause) or declares nothing, and for two
    metrics that would write the same column.
    """
    catalog: dict[str, Metric] = {}
    columns: dict[tuple[str, str], tuple[str, str]] = {}
    for module, where in _modules(plugins, entry_points):
        for metric in declared_in(module):
            for column in metric.outputs:
                taken = columns.setdefault((metric.level, column), (metric.id, where))
                if taken != (metric.id, where):
                    message = f"{where}: metric {metric.id} writes {metric.level}.{column}, as {taken[0]} in {taken[1]}"
                    raise MetricError(f"{message} does", "give it another name")
            catalog[metric.id] = metric
    return catalog


def _modules(plugins: Sequence[Path], entry_points: bool) -> Iterator[tuple[ModuleType, str]]:
    """Modules that declare metrics and how a message calls them."""
    for info in sorted(pkgutil.iter_modules(qm_cli.metrics.__path__), key=lambda info: info.name):
        name = f"{qm_cli.metrics.__name__}.{info.name}"
        yield import_module(name), name
    for entry in _entries() if entry_points else ():
        yield _entry_module(entry), f"entry point {entry.name}"
    for path in dict.fromkeys(plugins):
        module = module_from_file(path)
        if not declared_in(module):
            raise MetricError(f"{path}: declares no metric", "put @metric(level=…, kind=…, unit=…) before a function")
        yield module, str(path)


def _entries() -> list[metadata.EntryPoint]:
    return sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: (entry.name, entry.value))


def _entry_module(entry: metadata.EntryPoint) -> ModuleType:
    where = f"entry point {entry.name} = {entry.value}"
    try:
        module = entry.load()
    except Exception as error:
        raise MetricError(f"{where}: {told(error)}", "update or remove the package") from error
    if not isinstance(module, ModuleType):
        raise MetricError(f"{where}: names no module", "name the module that holds the metrics")
    return module


def module_from_file(path: Path) -> ModuleType:
    """Import a .py file under a name of its own. Raises MetricError with file, line and cause."""
    place = path.resolve()
    if not place.is_file():
        raise MetricError(f"{path}: no such file", "name a .py file with @metric functions")
    name = f"qm_plugin_{place.stem}_{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise MetricError(f"{path}: is no Python file", "name a .py file with @metric functions")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise MetricError(f"{path}: {told(error, place)}", "mend the plugin") from error
    return module


def told(error: Exception, path: Path | None = None) -> str:
    """An exception in words: where it was raised (the last line of `path` when given), its type and message."""
    if isinstance(error, MetricError):
        return str(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is None or frame.filename == str(path)]
    return f"line {own[-1].lineno}: {text}" if own else text


def select(catalog: Mapping[str, Metric], patterns: Sequence[str] = (), kinds: Sequence[str] = ()) -> dict[str, Metric]:
    """The metrics that match one of the patterns and are of one of the kinds, in the catalog's order; none given: all.

    A pattern is an id or a name, with * and ?, or several with commas: `image.entropy,label.*`; one that starts with
    `!` leaves out. Raises MetricError for a pattern that matches nothing, with the nearest names.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise MetricError(f"no kind of metric is called {kind!r}", f"the kinds are {', '.join(KINDS)}")
    wanted = [part.strip() for pattern in patterns for part in pattern.split(",") if part.strip()]
    for pattern in wanted:
        if not any(_matches(metric, pattern.removeprefix("!")) for metric in catalog.values()):
            names = [*catalog, *dict.fromkeys(metric.name for metric in catalog.values())]
            hint = nearest(pattern, names) or "`qm metrics` lists them"
            raise MetricError(f"no metric matches `{pattern}`", hint)
    keep = [pattern for pattern in wanted if not pattern.startswith("!")] or ["*"]
    drop = [pattern[1:] for pattern in wanted if pattern.startswith("!")]
    return {
        name: metric
        for name, metric in catalog.items()
        if any(_matches(metric, pattern) for pattern in keep)
        and not any(_matches(metric, pattern) for pattern in drop)
        and (not kinds or metric.note.kind in kinds)
    }


def _matches(metric: Metric, pattern: str) -> bool:
    return fnmatchcase(metric.id, pattern) or fnmatchcase(metric.name, pattern)


def options_from(catalog: Mapping[str, Metric], settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`["duplicate_iou.threshold=0.5"]` → {"duplicate_iou": {"threshold": 0.5}}, each value in its default's type.

    The metric is a name (at all its levels) or an id. Raises MetricError for what is unknown or has the wrong type.
    """
    options: dict[str, dict[str, Any]] = {}
    for setting in settings:
        target, equals, text = setting.partition("=")
        name, dot, option = target.strip().rpartition(".")
        if not equals or not dot:
            raise MetricError(f"`{setting}` sets no option", "write metric.option=value")
        metrics = [metric for metric in catalog.values() if name in (metric.name, metric.id)]
        if not metrics:
            names = [*catalog, *dict.fromkeys(metric.name for metric in catalog.values())]
            raise MetricError(
                f"`{setting}`: no metric is called {name}", nearest(name, names) or "`qm metrics` lists them"
            )
        if option not in metrics[0].options:
            known = list(metrics[0].options)
            hint = nearest(option, known) or f"it has {', '.join(known) or 'no options'}"
            raise MetricError(f"`{setting}`: {name} has no option {option}", hint)
        options.setdefault(name, {})[option] = _value(text.strip(), metrics[0].options[option], setting)
    return options


def _value(text: str, default: Any, setting: str) -> Any:
    """Text in the type of the default; for None and collections JSON, or the text itself where it is none."""
    kind = type(default)
    try:
        if kind is bool:
            return BOOLEANS[text.lower()]
        if kind in (int, float, str):
            return kind(text)
        value = json.loads(text)
        if default is not None and not isinstance(value, list if kind in COLLECTIONS else kind):
            raise ValueError
    except (ValueError, KeyError):
        if default is None:
            return text
        raise MetricError(f"`{setting}`: {text!r} is no {kind.__name__}", f"the default is {default!r}") from None
    return kind(value) if kind in COLLECTIONS else value
