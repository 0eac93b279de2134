"""Tables: checked Arrow tables of one dataset and one model, with NumPy views and rows-per-image offsets."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, RLock
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli import schema
from qm_cli.arrays import to_numpy
from qm_cli.findings import Finding
from qm_cli.kernels.segments import offsets_of
from qm_cli.settings import BOXES, Measure

LOCK = Lock()
"""Held while a lock is looked up, never while anything is computed."""
MASKS = "masks"
LEVELS = ("image", "category", "label", "prediction")


class Tables(Struct, frozen=True, eq=False):
    """Labels and predictions are sorted by image row; `source_row` is their place in the input.

    has_labels: a label file was given. has_predictions: a prediction file was given. measure: what objects are
    compared by; the columns it needs are there.
    """

    image: pa.Table
    category: pa.Table
    label: pa.Table
    prediction: pa.Table
    findings: tuple[Finding, ...] = ()
    has_labels: bool = True
    has_predictions: bool = True
    measure: Measure = BOXES
    _views: dict[tuple[str, str], Any] = field(default_factory=dict)
    _locks: dict[tuple[str, str], Any] = field(default_factory=dict)

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
        """A column as NumPy: numbers without a copy, NaN for null; a box column as float64[n, 4].

        Polygons are made anew each time: as Python's lists they take more memory than all the rest.
        """
        key = (level, name)
        if key in self._views:
            found: npt.NDArray[Any] = self._views[key]
            return found
        column = self.table(level).column(name)
        view = to_numpy(column)
        view.flags.writeable = False
        if column.type != schema.POLYGONS:
            self._views[key] = view
        return view

    def derived(self, level: str, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once, whichever thread asks first; `name` is no column's.

        Threads wait for each other only where they ask for the same. When `make` raises, the next who asks tries again.
        """
        key = (level, name)
        with LOCK:
            lock = self._locks.setdefault(key, RLock())
        with lock:
            if key not in self._views:
                self._views[key] = make()
            return self._views[key]

    def offsets(self, level: str) -> npt.NDArray[np.int64]:
        """Where each image's labels or predictions start, and the last end: int64[images + 1]."""
        key = (level, "offsets")
        if key not in self._views:
            self._views[key] = offsets_of(self.values(level, "image_row"), self.count("image"))
            self._views[key].flags.writeable = False
        offsets: npt.NDArray[np.int64] = self._views[key]
        return offsets

    def with_findings(self, more: list[Finding]) -> Tables:
        return replace(self, findings=(*self.findings, *more), _views=self._views, _locks=self._locks)
