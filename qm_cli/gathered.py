"""What a pass measured, put together sample by sample: columns that take little memory while they grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.errors import MetricError
from qm_cli.image_task import ShardResult

Output = tuple[str, str]
Vectors = npt.NDArray[np.float32]
IMAGES_PACKED = 1024
KINDS = {float: pa.float64(), str: pa.string(), bool: pa.bool_(), int: pa.int64(), bytes: pa.binary()}


class Gathered:
    """(level, column) → a value for each sample, None where there is none; each has the type it was given with.

    vectors: the outputs that are vectors, and of how many samples. They go into one matrix each as they come.
    """

    def __init__(self, outputs: Sequence[Output], vectors: Mapping[Output, int] = {}) -> None:
        self._packed: dict[Output, list[Any]] = {output: [] for output in outputs if output not in vectors}
        self._loose: dict[Output, list[Any]] = {output: [] for output in self._packed}
        self._vectors = {output: _Matrix(output, count) for output, count in vectors.items()}
        self._images = 0

    def add(self, result: ShardResult) -> None:
        """Append the samples of a result. Raises MetricError for vectors of different lengths."""
        for output, values in self._loose.items():
            values.extend(result.columns[output])
        for output, matrix in self._vectors.items():
            matrix.extend(result.columns[output])
        self._images += len(result.sizes)
        if self._images >= IMAGES_PACKED:
            self._pack()

    def __getitem__(self, output: Output) -> list[Any]:
        parts = [part if isinstance(part, list) else part.to_pylist() for part in self._packed[output]]
        return [value for part in (*parts, self._loose[output]) for value in part]

    def vectors(self, output: Output) -> Vectors:
        """Vectors under each other: float32[n, d], NaN where there is none; d is 0 where there is not a single one."""
        return self._vectors[output].rows

    def _pack(self) -> None:
        for output, values in self._loose.items():
            self._packed[output].append(_packed(values))
        self._loose = {output: [] for output in self._loose}
        self._images = 0


def _packed(values: list[Any]) -> Any:
    """Values of one type as an Arrow array, which gives back the same; all others as they are."""
    kinds = {type(value) for value in values if value is not None}
    kind = KINDS.get(kinds.pop()) if len(kinds) == 1 else None
    if kind is None:
        return values
    try:
        return pa.array(values, kind)
    except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid):
        return values


class _Matrix:
    """Vectors of `count` samples, one after the other; the first says of how many numbers they are."""

    def __init__(self, output: Output, count: int) -> None:
        self.rows: Vectors = np.zeros((count, 0), np.float32)
        self._output = ".".join(output)
        self._filled = 0

    def extend(self, values: Sequence[npt.NDArray[np.float32] | None]) -> None:
        for row, value in enumerate(values, self._filled):
            if value is not None:
                self._widened(len(value))
                self.rows[row] = value
        self._filled += len(values)

    def _widened(self, size: int) -> None:
        if size == self.rows.shape[1]:
            return
        if self.rows.shape[1]:
            told = " and ".join(map(str, sorted((size, self.rows.shape[1]))))
            raise MetricError(f"metric {self._output}: gives vectors of {told} numbers", "give every sample as many")
        self.rows = np.full((len(self.rows), size), np.nan, np.float32)
