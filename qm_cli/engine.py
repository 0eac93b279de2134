"""Run a plan: whole columns at once, pixels in one pass over the image files → whole columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.columns import FILE_SIZE, Columns, Sources
from qm_cli.errors import MetricError
from qm_cli.findings import Finding, finding
from qm_cli.metric import Metric, listening
from qm_cli.plan import Plan, Skipped, Step, plan
from qm_cli.tables import Tables
from qm_cli.work import PIXELS, Backend, Call, Objects, Progress, ShardResult, Task, call_of, do, failure, quiet

__all__ = ["Plan", "Scores", "Skipped", "Step", "plan", "run"]

Array = npt.NDArray[Any]
Options = Mapping[str, Mapping[str, Any]]
IMAGES_PER_TASK = 32
TASKS_PER_WORKER = 4
FEW_PIXELS = 8_000_000
UNKNOWN_SIDE = 1000.0


@dataclass(frozen=True)
class Scores:
    """What the metrics gave.

    columns: level → column name → a value per row; NaN, or None among objects, where not defined. Only what was
    requested. metrics: (level, column name) → the metric it is of. sizes: float64[images, 2], width and height of the
    image files that were opened, else NaN. inputs: the columns the metrics read. vectors: (level, column name) →
    float32[n, d], NaN where not defined, or bytes: all that were computed or given. notes: what metrics told.
    """

    columns: dict[str, dict[str, Array]]
    metrics: dict[tuple[str, str], Metric]
    skipped: list[Skipped]
    findings: list[Finding]
    sizes: npt.NDArray[np.float64]
    inputs: Columns
    vectors: dict[tuple[str, str], Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def image_row(self) -> npt.NDArray[np.int32]:
        """The image of each row of level image_category."""
        return self.inputs.cells.image_row

    @property
    def category_row(self) -> npt.NDArray[np.int32]:
        """The category of each row of level image_category."""
        return self.inputs.cells.category_row


def run(
    tables: Tables,
    plan: Plan,
    sources: Sources | None = None,
    images: Path | None = None,
    backend: Backend | None = None,
    shards: int | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Run every step of a plan; the values do not depend on backend, workers or shards.

    sources: further own columns by (level, name), as the plan was made with. images: the image folder. backend: an
    ordered map, this process without one. shards: tasks to cut the images into. options: metric name or id → option →
    value. progress(images done, images in all). Raises MetricError for a metric that fails or gives no column.
    """
    columns = Columns(tables, sources)
    files = _Files(tables, images, backend, shards, progress)
    if images is not None:
        files.measure_missing(columns)
    settings = options or {}
    with listening() as notes:
        for (_, per_sample), batch in groupby(plan.steps, lambda step: (step.stage, step.metric.per_sample)):
            steps = list(batch)
            if images is not None and any(one.name in FILE_SIZE for step in steps for one in step.inputs.values()):
                files.measure_unread(columns)
            if per_sample:
                files.decode(steps, columns, settings)
                continue
            for step in steps:
                for name, values in _vectorised(step, columns, settings).items():
                    columns.add(step.metric.level, name, values)
    kept = [step.metric for step in plan.steps if step.requested or step.metric.apart]
    metrics = {(metric.level, name): metric for metric in kept for name in metric.outputs}
    made: dict[str, dict[str, Array]] = defaultdict(dict)
    vectors = {key: columns.column(*key) for key, values in (sources or {}).items() if np.ndim(values) == 2}
    for (level, name), metric in metrics.items():
        if metric.apart:
            vectors[level, name] = columns.column(level, name)
        else:
            made[level][name] = columns.column(level, name)
    found = files.findings()
    return Scores(dict(made), metrics, list(plan.skipped), found, files.sizes, columns, vectors, tuple(notes))


def options_of(metric: Metric, options: Options) -> dict[str, Any]:
    """A metric's options: the declared defaults, then what was set for its name, then for its id."""
    return {**metric.options, **options.get(metric.name, {}), **options.get(metric.id, {})}


def _vectorised(step: Step, columns: Columns, options: Options) -> dict[str, Array]:
    """Call a metric once on whole columns and check what it gives."""
    metric = step.metric
    inputs = [columns.value(origin, metric.level) for origin in step.inputs.values()]
    count = columns.count(metric.level)
    try:
        with quiet(metric.built_in):
            given = metric.function(*inputs, **options_of(metric, options))
    except Exception as error:
        if count == 0 and not metric.built_in:
            return {name: _typed([], metric, name) for name in metric.outputs}
        raise failure(metric.id, metric.function, error) from error
    values = list(given) if len(metric.outputs) > 1 else [given]
    if len(values) != len(metric.outputs):
        raise MetricError(f"metric {metric.id}: gives {len(values)} columns, not {', '.join(metric.outputs)}")
    return {name: _checked(one, metric, count) for name, one in zip(metric.outputs, values, strict=True)}


def _checked(values: Any, metric: Metric, count: int) -> Array:
    """One column of `count` rows: bool, integers, float64 or objects. Raises MetricError for anything else."""
    column = np.asarray(values)
    if metric.level == "dataset" and column.ndim == 0:
        column = column.reshape(1)
    if column.shape != (count,):
        shape = " × ".join(str(size) for size in column.shape) or "a single value"
        message = f"metric {metric.id}: gives {shape}, not one value for each of {count} rows"
        raise MetricError(message, f"return an array of the length of its {metric.level} columns")
    if column.dtype.kind == "f":
        return column.astype(np.float64, copy=False)
    if column.dtype.kind in "US":
        return column.astype(object)
    if column.dtype.kind not in "biuO":
        raise MetricError(f"metric {metric.id}: gives {column.dtype}", "return numbers, booleans or text")
    return column


def _typed(values: list[Any], metric: Metric, name: str) -> Array:
    """One value per sample → a column, decided over all samples, so that it does not depend on the shards.

    A declared range makes the metric's first column float64; else integers and booleans stay what they are when none
    is missing, numbers become float64, and all else objects with None.
    """
    kinds = {type(value) for value in values if value is not None}
    declared = metric.note.range is not None
    if declared and name == metric.outputs[0] and str in kinds:
        raise MetricError(f"metric {metric.id}: gives text, but declares a range", "remove the range")
    if bytes in kinds and not metric.apart:
        raise MetricError(f"metric {metric.id}: gives bytes for one sample", 'return one number, or say unit="bytes"')
    complete = None not in values
    if kinds & {str, bytes} or (not kinds and not declared) or (kinds == {bool} and not declared and not complete):
        column = np.empty(len(values), object)
        column[:] = values
        return column
    if kinds in ({int}, {bool}) and complete and not (declared and name == metric.outputs[0]):
        return np.array(values)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _stacked(values: list[Any], metric: Metric) -> Array:
    """Vectors under each other: float32[n, d], NaN where there is none; d is 0 where there is not a single one."""
    sizes = {len(value) for value in values if value is not None}
    if len(sizes) > 1:
        told = " and ".join(map(str, sorted(sizes)))
        raise MetricError(f"metric {metric.id}: gives vectors of {told} numbers", "give every sample as many")
    rows = np.full((len(values), max(sizes, default=0)), np.nan, np.float32)
    for row, value in enumerate(values):
        if value is not None:
            rows[row] = value
    return rows


@dataclass
class _Files:
    """The image files: who opens them, what they were found to be."""

    tables: Tables
    folder: Path | None
    backend: Backend | None
    shards: int | None
    progress: Progress | None

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

    def _measure(self, rows: npt.NDArray[np.int64]) -> None:
        self._pass(rows, [self._task(shard) for shard in self._shards(rows)])

    def decode(self, steps: Sequence[Step], columns: Columns, options: Options) -> None:
        """Call per-sample metrics in one pass over all files and put their columns in place."""
        rows = np.arange(self.tables.count("image"))
        tasks = [self._decoding(shard, steps, columns, options) for shard in self._shards(rows)]
        results = self._pass(rows, tasks)
        for metric in (step.metric for step in steps):
            for name in metric.outputs:
                values = [value for result in results for value in result.columns[metric.level, name]]
                typed = _stacked(values, metric) if metric.vector else _typed(values, metric, name)
                columns.add(metric.level, name, typed)

    def findings(self) -> list[Finding]:
        """One finding per code, the images by file name in the order of their rows."""
        found: dict[str, list[int]] = defaultdict(list)
        for row in sorted(self._faults):
            found[self._faults[row][0]].append(row)
        names, ids = self.tables.values("image", "file_name"), self.tables.values("image", "id")
        return [
            one
            for code, rows in sorted(found.items())
            for one in finding(code, [names[row] or ids[row] for row in rows], self._faults[rows[0]][1])
        ]

    def _shards(self, rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        """Runs of rows, one a task; few pixels make one task, since starting processes would take longer."""
        workers = self.backend.workers if self.backend else 1
        tasks = self.shards or max(-(-len(rows) // IMAGES_PER_TASK), min(workers * TASKS_PER_WORKER, len(rows)))
        few = np.nan_to_num(self._given[rows], nan=UNKNOWN_SIDE).prod(axis=1).sum() < FEW_PIXELS
        count = 1 if few and not self.shards else tasks
        return [shard for shard in np.array_split(rows, max(count, 1)) if len(shard)]

    def _pass(self, rows: npt.NDArray[np.int64], tasks: list[Task]) -> list[ShardResult]:
        """Do the tasks, which cover `rows` in order; note sizes and faults by image row."""
        results: list[ShardResult] = []
        start = 0
        for result in self.backend.map(do, tasks) if self.backend else map(do, tasks):
            shard = rows[start : start + len(result.sizes)]
            self.sizes[shard] = np.where(np.isnan(result.sizes), self.sizes[shard], result.sizes)
            for image, code, detail in result.faults:
                self._faults[int(shard[image])] = (code, detail)
            start += len(shard)
            results.append(result)
            if self.progress:
                self.progress(start, len(rows))
        return results

    def _task(self, rows: npt.NDArray[np.int64]) -> Task:
        names = [self.tables.values("image", "file_name")[row] for row in rows]
        return Task(str(self.folder), names, self._given[rows])

    def _decoding(self, rows: npt.NDArray[np.int64], steps: Sequence[Step], columns: Columns, options: Options) -> Task:
        """The task of a run of images: what the calls need of it and no more."""
        first, last = int(rows[0]), int(rows[-1]) + 1
        runs = {"image": slice(first, last)}
        objects = {}
        for level in ("label", "prediction"):
            if any(step.metric.level == level for step in steps):
                offsets = self.tables.offsets(level)
                runs[level] = slice(int(offsets[first]), int(offsets[last]))
                objects[level] = self._objects(level, runs[level], offsets[first : last + 1] - offsets[first])
        calls = tuple(_call(step, runs[step.metric.level], columns, options) for step in steps)
        names = self.tables.values("image", "file_name")[first:last].tolist()
        return Task(str(self.folder), names, self._given[first:last], calls, objects)

    def _objects(self, level: str, run: slice, offsets: npt.NDArray[np.int64]) -> Objects:
        shapes = "segmentation" in self.tables.table(level).column_names
        polygons = self.tables.values(level, "segmentation")[run].tolist() if shapes else None
        return Objects(offsets, self.tables.values(level, "bbox")[run], polygons)


def _call(step: Step, run: slice, columns: Columns, options: Options) -> Call:
    inputs: list[Any] = []
    for origin in step.inputs.values():
        if origin.kind == "pixels":
            inputs.append(PIXELS)
            continue
        value = columns.value(origin, step.metric.level)
        inputs.append(value[run] if isinstance(value, np.ndarray) else value)
    return call_of(step.metric, tuple(inputs), options_of(step.metric, options))
