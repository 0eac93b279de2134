"""Tables: checked Arrow tables of one dataset and one model, with NumPy views and rows-per-image offsets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli import schema
from qm_cli.findings import Finding
from qm_cli.kernels.segments import offsets_of

LEVELS = ("image", "category", "label", "prediction")


@dataclass(frozen=True)
class Tables:
    """Labels and predictions are sorted by image row; `source_row` is their place in the input.

    has_labels: a label file was given. has_predictions: a prediction file was given.
    """

    image: pa.Table
    category: pa.Table
    label: pa.Table
    prediction: pa.Table
    findings: tuple[Finding, ...] = ()
    has_labels: bool = True
    has_predictions: bool = True
    _views: dict[tuple[str, str], npt.NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        broken = [problem for name in LEVELS for problem in schema.problems(name, self.table(name))]
        if broken:
            raise ValueError("; ".join(broken))

    def table(self, level: str) -> pa.Table:
        """The Arrow table of a level: image, category, label or prediction."""
        table: pa.Table = getattr(self, level)
        return table

    def count(self, level: str) -> int:
        return int(self.table(level).num_rows)

    def values(self, level: str, name: str) -> npt.NDArray[Any]:
        """A column as NumPy: numbers without a copy, NaN for null; a box column as float64[n, 4]."""
        key = (level, name)
        if key not in self._views:
            view = to_numpy(self.table(level).column(name))
            view.flags.writeable = False
            self._views[key] = view
        return self._views[key]

    def offsets(self, level: str) -> npt.NDArray[np.int64]:
        """Where each image's labels or predictions start, and the last end: int64[images + 1]."""
        key = (level, "offsets")
        if key not in self._views:
            self._views[key] = offsets_of(self.values(level, "image_row"), self.count("image"))
        return self._views[key]

    def with_findings(self, more: list[Finding]) -> Tables:
        return replace(self, findings=(*self.findings, *more), _views=self._views)


def to_numpy(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Arrow column → NumPy: numbers and booleans typed, fixed-size lists as 2-D, everything else as objects."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    dtype = array.type
    if pa.types.is_fixed_size_list(dtype):
        return _list_values(array)
    if pa.types.is_boolean(dtype):
        return np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False), bool)
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    return np.asarray(array.to_numpy(zero_copy_only=False), object)


def _list_values(array: pa.FixedSizeListArray) -> npt.NDArray[np.float64]:
    size = array.type.list_size
    values = array.values.slice(array.offset * size, len(array) * size).to_numpy(zero_copy_only=False)
    rows = np.asarray(values, np.float64).reshape(len(array), size)
    if array.null_count:
        rows = rows.copy()
        rows[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return rows


def list_column(rows: npt.NDArray[np.float64]) -> pa.FixedSizeListArray:
    """float64[n, k] → a fixed-size list column without a copy; a row that starts with NaN becomes null."""
    flat = np.ascontiguousarray(rows, np.float64)
    missing = np.isnan(flat[:, 0]) if flat.shape[1] else np.zeros(len(flat), bool)
    mask = pa.array(missing) if missing.any() else None
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1], mask=mask)
