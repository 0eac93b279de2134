"""The one pass over the image files: cut into tasks, handed to a backend, put together in the order of the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from qm_cli.arrays import to_arrow
from qm_cli.columns import FILE_SIZE, Columns
from qm_cli.findings import Finding, finding
from qm_cli.gathered import Gathered
from qm_cli.image_task import PIXELS, Access, Call, Objects, ShardResult, Task
from qm_cli.kept_results import Kept, parts_of
from qm_cli.kernels.segments import expand
from qm_cli.plan import Step
from qm_cli.tables import Tables
from qm_cli.work import Backend, Progress, call_of, do

Rows = npt.NDArray[np.int64]
StepOptions = Mapping[str, Mapping[str, Any]]
"""Metric id → its options, whole."""
IMAGES_PER_TASK = 32
IMAGES_AT_ONCE = 1024
TASKS_PER_WORKER = 4
FEW_PIXELS = 8_000_000
UNKNOWN_SIDE = 1000.0


@dataclass(frozen=True)
class Tasks(Sequence[Task]):
    """A task for each of some runs of rows, made whenever it is asked for: only those under way take memory."""

    shards: Sequence[Rows]
    make: Callable[[Rows], Task]

    def __len__(self) -> int:
        return len(self.shards)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> Tasks: ...
    def __getitem__(self, place: int | slice) -> Task | Tasks:
        if isinstance(place, slice):
            return Tasks(self.shards[place], self.make)
        return self.make(self.shards[place])


@dataclass
class ImagePass:
    """Who opens the image files, and what they were found to be.

    folder: what file names are relative to, a path or a URI; None: there are none. kept: what an earlier pass measured.
    sizes: float64[images, 2], width and height of the files that were opened, else NaN.
    """

    tables: Tables
    folder: str | Path | None
    backend: Backend | None
    shards: int | None = None
    progress: Progress | None = None
    access: Access = field(default_factory=Access)
    kept: Kept | None = None

    def __post_init__(self) -> None:
        self.sizes = np.full((self.tables.count("image"), 2), np.nan)
        self._given = np.stack([self.tables.values("image", name) for name in ("width", "height")], axis=1)
        self._faults: dict[int, tuple[str, str]] = {}

    def measure_missing(self, columns: Columns) -> None:
        """Read the sizes that the labels lack from the files' headers; they replace width and height."""
        missing = np.flatnonzero(np.isnan(self._given).any(axis=1))
        if not len(missing):
            return
        self._measure(missing)
        sizes = np.where(np.isnan(self._given), self.sizes, self._given)
        columns.add("image", "width", sizes[:, 0].copy())
        columns.add("image", "height", sizes[:, 1].copy())

    def measure_unread(self, columns: Columns) -> None:
        """The sizes the files have, from the headers of those that no pass has opened, as columns of their own."""
        unread = np.isnan(self.sizes).any(axis=1)
        unread[list(self._faults)] = False
        if unread.any():
            self._measure(np.flatnonzero(unread))
        for place, name in enumerate(FILE_SIZE):
            columns.add("image", name, self.sizes[:, place].copy())

    def _measure(self, rows: Rows) -> None:
        for _ in self._measured(rows, Tasks(self._shards(rows), self._task)):
            pass

    def decode(self, steps: Sequence[Step], columns: Columns, options: StepOptions) -> Gathered:
        """Call per-sample metrics in one pass over all files: (level, column) → a value per row, None where none is."""
        rows = np.arange(self.tables.count("image"))
        gathered = self._gathered(steps)
        if self.kept is None:
            make = partial(self._decoding, steps=steps, columns=columns, options=options)
            for result in self._measured(rows, Tasks(self._shards(rows), make)):
                gathered.add(result)
            return gathered
        keys = self._kept_keys(self.kept, rows, steps, columns, options)
        for row, key in enumerate(keys):
            result = self.kept.result(key)
            self._noted(rows[row : row + 1], result)
            gathered.add(result)
        return gathered

    def _gathered(self, steps: Sequence[Step]) -> Gathered:
        vectors = [step.metric for step in steps if step.metric.vector]
        counts = {(one.level, name): self.tables.count(one.level) for one in vectors for name in one.outputs}
        return Gathered([(step.metric.level, name) for step in steps for name in step.metric.outputs], counts)

    def _kept_keys(
        self, kept: Kept, rows: Rows, steps: Sequence[Step], columns: Columns, options: StepOptions
    ) -> list[bytes]:
        """Measure every image of which nothing is kept; the key of each image's result."""
        make = partial(self._decoding, steps=steps, columns=columns, options=options)
        stretches = [rows[first : first + IMAGES_AT_ONCE] for first in range(0, len(rows), IMAGES_AT_ONCE)]
        keys = [key for stretch in stretches for key in kept.keys(make(stretch))]
        absent = rows[~np.array(kept.known(keys), bool)]
        tasks = Tasks(self._shards(absent), make)
        start = 0
        for task, result in zip(tasks, self._measured(absent, tasks), strict=True):
            images = absent[start : start + len(task.names)].tolist()
            for row, key in zip(images, kept.keep([keys[row] for row in images], parts_of(task, result)), strict=True):
                keys[row] = key
            start += len(images)
        return [key for key in keys if key is not None]

    def findings(self) -> list[Finding]:
        """One finding per code, the images by file name in the order of their rows."""
        if not self._faults:
            return []
        found: dict[str, list[int]] = defaultdict(list)
        for row in sorted(self._faults):
            found[self._faults[row][0]].append(row)
        names, ids = self.tables.values("image", "file_name"), self.tables.values("image", "id")
        return [
            one
            for code, rows in sorted(found.items())
            for one in finding(code, [names[row] or ids[row] for row in rows], self._faults[rows[0]][1])
        ]

    def _shards(self, rows: Rows) -> list[Rows]:
        """Runs of rows, one a task; few pixels make one task, since starting processes would take longer."""
        workers = self.backend.workers if self.backend else 1
        tasks = self.shards or max(-(-len(rows) // IMAGES_PER_TASK), min(workers * TASKS_PER_WORKER, len(rows)))
        few = np.nan_to_num(self._given[rows], nan=UNKNOWN_SIDE).prod(axis=1).sum() < FEW_PIXELS
        count = 1 if few and not self.shards else tasks
        return [shard for shard in np.array_split(rows, max(count, 1)) if len(shard)]

    def _measured(self, rows: Rows, tasks: Sequence[Task]) -> Iterator[ShardResult]:
        """Do the tasks, which cover `rows` in order; sizes and faults are noted by image row as results come."""
        start = 0
        for result in self.backend.map(do, tasks) if self.backend else map(do, tasks):
            shard = rows[start : start + len(result.sizes)]
            self._noted(shard, result)
            start += len(shard)
            if self.progress:
                self.progress(start, len(rows))
            yield result

    def _noted(self, rows: Rows, result: ShardResult) -> None:
        self.sizes[rows] = np.where(np.isnan(result.sizes), self.sizes[rows], result.sizes)
        for image, code, detail in result.faults:
            self._faults[int(rows[image])] = (code, detail)

    def _task(self, rows: Rows) -> Task:
        names = [self.tables.values("image", "file_name")[row] for row in rows]
        return Task(str(self.folder), names, self._given[rows], access=self.access)

    def _decoding(self, rows: Rows, steps: Sequence[Step], columns: Columns, options: StepOptions) -> Task:
        """The task of these images: what the calls need of them and no more."""
        samples = {"image": rows}
        objects = {}
        for level in ("label", "prediction"):
            if any(step.metric.level == level for step in steps):
                offsets = self.tables.offsets(level)
                counts = np.diff(offsets)[rows]
                samples[level] = expand(offsets[rows], counts)
                objects[level] = self._objects(level, samples[level], np.append(0, np.cumsum(counts)))
        calls = tuple(_call(step, samples[step.metric.level], columns, options) for step in steps)
        names = self.tables.values("image", "file_name")[rows].tolist()
        return Task(str(self.folder), names, self._given[rows], calls, objects, self.access)

    def _objects(self, level: str, rows: Rows, offsets: npt.NDArray[np.int64]) -> Objects:
        """Objects with their polygons; those without have their mask, where masks are compared."""
        columns = self.tables.table(level).column_names
        shapes = self._python(level, "segmentation", rows) if "segmentation" in columns else None
        if "mask_counts" in columns:
            texts = self._python(level, "mask_counts", rows)
            sizes = np.nan_to_num(self.tables.values(level, "mask_size")[rows]).astype(int).tolist()
            masks = [text and {"size": size, "counts": text} for size, text in zip(sizes, texts, strict=True)]
            shapes = masks if shapes is None else [one or mask for one, mask in zip(shapes, masks, strict=True)]
        return Objects(offsets, self.tables.values(level, "bbox")[rows], shapes)

    def _python(self, level: str, name: str, rows: Rows) -> list[Any]:
        """Some values of a column as Python's own, which take many times the memory."""
        return list(self.tables.table(level)[name].take(to_arrow(rows)).to_pylist())


def _call(step: Step, rows: Rows, columns: Columns, options: StepOptions) -> Call:
    inputs: list[Any] = []
    for origin in step.inputs.values():
        if origin.kind == "pixels":
            inputs.append(PIXELS)
            continue
        value = columns.value(origin, step.metric.level)
        inputs.append(value[rows] if isinstance(value, np.ndarray) else value)
    return call_of(step.metric, tuple(inputs), options[step.metric.id])
