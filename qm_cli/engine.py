"""Run a plan: whole columns at once, pixels in one pass over the image files → whole columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from qm_cli.codes import Codes
from qm_cli.columns import FILE_SIZE, Cells, Columns, Sources
from qm_cli.errors import MetricError
from qm_cli.findings import Finding
from qm_cli.image_pass import ImagePass
from qm_cli.image_task import Access
from qm_cli.kept_results import Kept
from qm_cli.metric import Metric, listening
from qm_cli.plan import Plan, Skipped, Step, plan
from qm_cli.tables import Tables
from qm_cli.work import Backend, Progress, failure, quiet

__all__ = ["Plan", "Scores", "Skipped", "Step", "plan", "run"]

Array = npt.NDArray[Any]
Options = Mapping[str, Mapping[str, Any]]


class Scores(Struct, frozen=True):
    """What the metrics gave.

    columns: level → column name → a value per row; NaN, or None among objects, where not defined. Only what was
    requested. metrics: (level, column name) → the metric it is of. sizes: float64[images, 2], width and height of the
    image files that were opened, else NaN. cells: the rows of level image_category, where it has columns. vectors:
    (level, column name) → float32[n, d], NaN where not defined, or bytes: all that were computed or given. notes: what
    metrics told.
    """

    columns: dict[str, dict[str, Array | Codes]]
    metrics: dict[tuple[str, str], Metric]
    skipped: list[Skipped]
    findings: list[Finding]
    sizes: npt.NDArray[np.float64]
    cells: Cells | None = None
    vectors: dict[tuple[str, str], Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def image_row(self) -> npt.NDArray[np.int32]:
        """The image of each row of level image_category."""
        assert self.cells is not None
        return self.cells.image_row

    @property
    def category_row(self) -> npt.NDArray[np.int32]:
        """The category of each row of level image_category."""
        assert self.cells is not None
        return self.cells.category_row

    def forget_vectors(self) -> None:
        """Give them up: a large run has gigabytes of them, and once they are written nothing asks for them."""
        self.vectors.clear()


def run(
    tables: Tables,
    plan: Plan,
    sources: Sources | None = None,
    images: str | Path | None = None,
    backend: Backend | None = None,
    shards: int | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    access: Access = Access(),
    kept: Kept | None = None,
) -> Scores:
    """Run every step of a plan; the values do not depend on backend, workers or shards.

    sources: further own columns by (level, name), as the plan was made with. images: the image folder, or its URI.
    backend: an ordered map, this process without one. shards: tasks to cut the images into. options: metric name or id
    → option → value. progress(images done, images in all). access: what of the images may be read. kept: what was
    measured before. Raises MetricError for a metric that fails or gives no column.
    """
    columns = Columns(tables, sources)
    files = ImagePass(tables, images, backend, shards, progress, access, kept)
    if images is not None:
        files.measure_missing(columns)
    with listening() as notes:
        for (_, per_sample), batch in groupby(plan.steps, lambda step: (step.stage, step.metric.per_sample)):
            steps = list(batch)
            if images is not None and any(one.name in FILE_SIZE for step in steps for one in step.inputs.values()):
                files.measure_unread(columns)
            if per_sample:
                _add_measured(files, steps, columns, options or {})
            else:
                _add_computed(steps, columns, options or {})
    metrics, made, vectors = _shown(plan, columns, sources or {})
    cells = columns.cells if "image_category" in made else None
    return Scores(made, metrics, list(plan.skipped), files.findings(), files.sizes, cells, vectors, tuple(notes))


def _shown(
    plan: Plan, columns: Columns, sources: Sources
) -> tuple[dict[tuple[str, str], Metric], dict[str, dict[str, Array | Codes]], dict[tuple[str, str], Array]]:
    """What was asked for, and all that stands apart: the metric of each column, the columns by level, and vectors."""
    shown = [step.metric for step in plan.steps if step.requested or step.metric.apart]
    metrics = {(metric.level, name): metric for metric in shown for name in metric.outputs}
    made: dict[str, dict[str, Array | Codes]] = defaultdict(dict)
    vectors = {key: columns.column(*key) for key, values in sources.items() if np.ndim(values) == 2}
    for (level, name), metric in metrics.items():
        if metric.apart:
            vectors[level, name] = columns.column(level, name)
        else:
            made[level][name] = columns.made(level, name)
    return metrics, dict(made), vectors


def _add_computed(steps: Sequence[Step], columns: Columns, options: Options) -> None:
    """Call metrics on whole columns, one after the other, and put their columns in place."""
    for step in steps:
        for name, values in _vectorised(step, columns, options).items():
            columns.add(step.metric.level, name, values)


def _add_measured(files: ImagePass, steps: Sequence[Step], columns: Columns, options: Options) -> None:
    """Call per-sample metrics in one pass over all files and put their columns in place."""
    values = files.decode(steps, columns, {step.metric.id: options_of(step.metric, options) for step in steps})
    for metric in (step.metric for step in steps):
        for name in metric.outputs:
            output = (metric.level, name)
            columns.add(*output, values.vectors(output) if metric.vector else _typed(values[output], metric, name))


def options_of(metric: Metric, options: Options) -> dict[str, Any]:
    """A metric's options: the declared defaults, then what was set for its name, then for its id."""
    return {**metric.options, **options.get(metric.name, {}), **options.get(metric.id, {})}


def _vectorised(step: Step, columns: Columns, options: Options) -> dict[str, Array | Codes]:
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


def _checked(values: Any, metric: Metric, count: int) -> Array | Codes:
    """One column of `count` rows: bool, integers, float64, objects or codes. Raises MetricError for anything else."""
    if isinstance(values, Codes) and len(values) == count:
        return values
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
