"""Two models on the same labels, compared: from runs or files to the report of `qm compare`, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli import answer_sides
from qm_cli.alignment import aligned
from qm_cli.analysis.changes import changes
from qm_cli.analysis.intervals import LEAST_UNITS
from qm_cli.answer_comparing import compare_answers
from qm_cli.answer_sides import Asked
from qm_cli.answer_task import TASKS, asks_answers
from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.change_report import change_counts, change_rows, regressed_images
from qm_cli.compared_numbers import compared_numbers
from qm_cli.errors import InputError, UsageError, nearest, refuse_options, some
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.load import load_tables
from qm_cli.query import Source
from qm_cli.run_folder import Run, open_run
from qm_cli.run_tables import settings_of_run, tables_of_run
from qm_cli.scoring import can_evaluate
from qm_cli.settings import Settings, missing_score
from qm_cli.slice_comparing import with_members
from qm_cli.slice_language import Slice, Slices, Wanted, slices_of, sorted_by_image
from qm_cli.slice_rows import named_tables
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
NO_SLICES = Wanted()
WITHOUT_AP = ("labelbox", "labelbox-sdk")


class Request(Struct, frozen=True):
    """What to compare. targets: two runs; one run with two models; or a label file and two prediction files.

    cluster: image column whose values are resampled instead of images. naming: as in `load.Source`. wanted: slices to
    compare on as well; images and labels are A's, predictions each model's own.
    """

    targets: tuple[Path, ...]
    models: tuple[str | None, str | None] = (None, None)
    convention: str | None = None
    iou: float | None = None
    confidence: float | None = None
    categories: tuple[str, ...] = ()
    cluster: str | None = None
    resamples: int = 1000
    seed: int = 0
    naming: dict[str, Any] | None = None
    task: str | None = None
    wanted: Wanted = NO_SLICES


class Side(Struct, frozen=True):
    """One of the two: what it is called, where it stands, its tables, the image column of clusters, and its slices."""

    name: str
    target: str
    tables: Tables
    settings: Settings
    cluster: pa.Array | None
    slices: tuple[Slice, ...] = ()
    notes: tuple[str, ...] = ()


def compare(request: Request) -> tuple[dict[str, Any], pa.Table]:
    """The report, and a row for each label and detection, or answer, with what became of it."""
    answers = _answers(request)
    if answers is not None:
        a, b = answers
        unit = np.arange(a.answers.rows) if a.cluster is None else cluster_numbers(a.cluster)
        return compare_answers(a, b, unit, request.resamples, request.seed, request.cluster)
    return _compare_objects(request)


def _answers(request: Request) -> tuple[answer_sides.Side, answer_sides.Side] | None:
    """Both sides where they hold classes or text; None for objects."""
    asked = Asked(request.task, request.convention, request.iou, request.confidence, request.cluster, request.wanted)
    if len(request.targets) == 3:
        labels, first, second = request.targets
        if not asks_answers(request.task, labels, first):
            return None
        _refuse_of_objects(request)
        naming = {name: value for name, value in (request.naming or {}).items() if name not in ("task", "measure")}
        if request.models != (None, None):
            raise UsageError("--model picks one of a run's models", "leave it out with LABELS A B")
        return answer_sides.sides_of_files(labels, (first, second), asked, naming)
    runs = _runs(request)
    if not all(run.evaluation()["task"] in TASKS for run, _ in runs):
        return None
    _refuse_of_objects(request)
    return answer_sides.sides_of_runs(runs, asked)


def _refuse_of_objects(request: Request) -> None:
    refuse_options("classes and text", {"categories": request.categories or None})


def _compare_objects(request: Request) -> tuple[dict[str, Any], pa.Table]:
    a, b = _sides_of_files(request) if len(request.targets) == 3 else _sides_of_runs(request)
    for side in (a, b):
        if not can_evaluate(side.tables):
            raise InputError(f"{side.target}: has labels or predictions without a box", "compare detections")
    settings = a.settings.of(a.tables.measure)
    if b.tables.measure.task != settings.task:
        raise InputError(f"A is of task {settings.task}, B of {b.tables.measure.task}", "compare models of one task")
    tables_a, tables_b = (only_categories(side.tables, request.categories) for side in (a, b))
    first = evaluate_tables(tables_a, settings)
    second = evaluate_tables(aligned(tables_a, tables_b), settings)
    unit = np.arange(tables_a.count("image")) if a.cluster is None else cluster_numbers(a.cluster)
    found = compared_numbers(first, second, a.slices, unit, request.resamples, request.seed)
    changed = changes(first.tables, second.tables, first.outcomes, second.outcomes, settings)
    report = {
        "a": _about(a, first),
        "b": _about(b, second),
        "task": settings.task,
        "convention": settings.convention,
        "iou": settings.iou,
        "confidence": settings.confidence,
        "images": tables_a.count("image"),
        "labels": int(first.outcomes.label_counts.sum()),
        "cluster": request.cluster,
        "units": found.units,
        "method": "half-sample bootstrap",
        "resamples": request.resamples,
        "seed": request.seed,
        "metrics": found.metrics,
        "categories": found.categories,
        "slices": found.slices,
        "changes": change_counts(first, second, changed, found.members),
        "regressed_images": regressed_images(first, second, changed),
        "notes": [*_notes(a, b, request, found.units, found.category_units), *a.notes],
    }
    return report, change_rows(first, second, changed)


def _sides_of_files(request: Request) -> tuple[Side, Side]:
    labels, *files = request.targets
    if request.models != (None, None):
        raise UsageError("--model picks one of a run's models", "leave it out with LABELS A B")
    settings = _at(Settings(), request)
    naming = request.naming or {}
    naming = {**naming, "missing_score": missing_score(settings.convention, naming.get("missing_score"))}
    sides = []
    for file in files:
        metadata = request.cluster is not None or not request.wanted.nothing
        tables = load_tables(labels, file, metadata=metadata, fields=settings.fields, **naming)
        column = None
        if request.cluster is not None:
            if request.cluster not in tables.image.column_names:
                raise _no_column(labels, request.cluster, tables.image.column_names)
            column = one_chunk(tables.image[request.cluster])
        found = _slices(named_tables(tables), request)
        sides.append(_sliced(Side(file.stem, str(file), tables, settings, column), found, found.slices))
    return sides[0], sides[1]


def _sides_of_runs(request: Request) -> tuple[Side, Side]:
    sides = [_side(run, name, request) for run, name in _runs(request)]
    return sides[0], sides[1]


def _runs(request: Request) -> list[tuple[Run, str]]:
    for target in request.targets:
        if target.is_file():
            raise UsageError(f"{target}: is a file", "compare run folders, or LABELS A B with two prediction files")
    return _one_run(request) if len(request.targets) == 1 else _two_runs(request)


def _one_run(request: Request) -> list[tuple[Run, str]]:
    """Two models of one run: the named ones, or its only two in their order."""
    path = request.targets[0]
    known = open_run(path).models
    names = list(request.models)
    if names == [None, None] and len(known) == 2:
        names = list(known)
    if None in names:
        raise UsageError(f"{path}: holds {_listed(known)}", "name two with --model and --model-b, or give two runs")
    return [(open_run(path, name), name) for name in names if name is not None]


def _two_runs(request: Request) -> list[tuple[Run, str]]:
    """One model of each run; it has to be named where a run holds several."""
    chosen = []
    for path, name, option in zip(request.targets, request.models, ("--model", "--model-b"), strict=True):
        run = open_run(path, name)
        if not run.models:
            raise UsageError(f"{path}: has no predictions", "score a dataset with labels and predictions")
        if name is None and len(run.models) > 1:
            raise UsageError(f"{path}: holds {_listed(run.models)}", f"name one with {option}")
        chosen.append((run, name or run.models[0]))
    return chosen


def _listed(models: list[str]) -> str:
    return f"the models {', '.join(models)}" if len(models) > 1 else f"the model {models[0]}" if models else "no model"


def _side(run: Run, name: str, request: Request) -> Side:
    column = None
    if request.cluster is not None:
        known = list(run.columns("image"))
        if request.cluster not in known:
            raise _no_column(run.path, request.cluster, known)
        column = one_chunk(run.table("image", [request.cluster])[request.cluster])
    settings = _at(settings_of_run(run), request)
    found = _slices(run, request)
    slices = sorted_by_image(run, found.slices)
    return _sliced(Side(name, run.place, tables_of_run(run), settings, column), found, slices)


def _slices(source: Source, request: Request) -> Slices:
    return Slices(()) if request.wanted.nothing else slices_of(source, request.wanted)


def _sliced(side: Side, found: Slices, slices: tuple[Slice, ...]) -> Side:
    """The side with its slices, whose members go where its rows go."""
    notes = (*found.notes, *(one.sentence() for one in found.findings))
    return replace(side, tables=with_members(side.tables, slices), slices=slices, notes=notes)


def _no_column(where: Path, name: str, known: list[str]) -> UsageError:
    hint = nearest(name, known) or f"images have {some(known)}"
    return UsageError(f"--cluster: {where}: images have no column {name!r}", hint)


def _at(settings: Settings, request: Request) -> Settings:
    return settings.at(request.convention, request.iou, request.confidence)


def cluster_numbers(column: pa.Array) -> RowArray:
    """0, 1, 2 … for the values of a column; a null is a cluster of its own: int64[n].

    >>> cluster_numbers(pa.array(["a", None, "b", "a", None])).tolist()
    [0, 2, 1, 0, 3]
    """
    encoded = column.dictionary_encode()
    codes = to_numpy(encoded.indices).astype(np.float64)
    alone = np.isnan(codes)
    codes[alone] = len(encoded.dictionary) + np.arange(int(alone.sum()))
    return codes.astype(np.int64)


def _about(side: Side, evaluation: Evaluation) -> dict[str, Any]:
    return {"model": side.name, "target": side.target, "predictions": evaluation.tables.count("prediction")}


def _notes(a: Side, b: Side, request: Request, units: int, category_units: RowArray) -> list[str]:
    what = "images" if request.cluster is None else f"clusters of {request.cluster}"
    notes = []
    if units < LEAST_UNITS:
        notes.append(f"{units} {what}: intervals and p-values are undefined, they need at least {LEAST_UNITS}")
    elif (few := int(np.count_nonzero((category_units > 0) & (category_units < LEAST_UNITS)))) > 0:
        notes.append(f"{few} categories are labelled in fewer than {LEAST_UNITS} {what}: no intervals for them")
    own = {name: (getattr(a.settings, name), getattr(b.settings, name)) for name in ("iou", "confidence")}
    for name, (first, second) in own.items():
        if first != second:
            notes.append(f"the runs were made at {name} {first:g} and {second:g}: both are compared at {first:g}")
    if a.settings.convention in WITHOUT_AP:
        notes.append(f"convention {a.settings.convention} has no average precision: its counts are resampled")
    return notes
