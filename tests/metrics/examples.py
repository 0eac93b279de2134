"""An example of a metric: columns in, columns out; and what holds for every example."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from qm_cli.metric import declared_in
from tests.strategies import DetectionSet


@dataclass(frozen=True)
class Example:
    """inputs: by parameter, lists become arrays. expected: one list, or one per output; None stands for NaN or None."""

    metric: Callable[..., Any]
    inputs: Mapping[str, Any]
    expected: Any
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        options = ",".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.metric.__name__}[{options}]" if options else self.metric.__name__


def check(example: Example) -> None:
    """The expected values come out, the inputs stay as they are, and a dataset without rows gives no rows."""
    inputs = {name: frozen(value) for name, value in example.inputs.items()}
    result = example.metric(**inputs, **example.options)
    if "pixels" in inputs:
        assert result == approx(example.expected)
        return
    expected = example.expected if isinstance(result, tuple) else [example.expected]
    for column, values in zip(columns_of(result), expected, strict=True):
        assert plain(column) == [approx(value) for value in values]
    nothing = {name: emptied(name, value) for name, value in inputs.items()}
    for column, full in zip(columns_of(example.metric(**nothing, **example.options)), columns_of(result), strict=True):
        assert len(column) == 0
        assert column.dtype == full.dtype


def complete(module: ModuleType, examples: Sequence[Example]) -> bool:
    """Every metric of the module has an example."""
    return {metric.function for metric in declared_in(module)} <= {example.metric for example in examples}


def frozen(value: Any) -> Any:
    """A list as an array that cannot be written to; with None in it as objects."""
    if isinstance(value, list):
        value = np.array(value) if None not in value else objects(value)
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


def objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """One object for each value, lists too."""
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def emptied(name: str, value: Any) -> Any:
    if name == "row_count":
        return 0
    return value[:1] if name.endswith("offsets") else value[:0]


def has_images(case: DetectionSet) -> bool:
    """A set without images is refused when it is read."""
    return bool(case[0]["images"])


def columns_of(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def plain(column: Any) -> list[Any]:
    """Values with None for NaN."""
    return [None if isinstance(value, float) and np.isnan(value) else value for value in column.tolist()]


def approx(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12) if isinstance(value, float) else value
