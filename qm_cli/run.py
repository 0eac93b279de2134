"""The whole way through, readable in one screen: what the commands and Python users call."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli import catalog, dataset, run_folder
from qm_cli.analyses import analysed_report
from qm_cli.answer_writing import is_text, text_to_folder
from qm_cli.convention_grids import CONVENTIONS
from qm_cli.custom_values import custom_table, with_custom_values
from qm_cli.dataset import DatasetFiles
from qm_cli.detail_report import answers_to
from qm_cli.errors import InputError, UsageError
from qm_cli.evaluation_options import Questions
from qm_cli.ingest import custom_metrics
from qm_cli.ingest.custom_metrics import CustomValue, is_custom
from qm_cli.ingest.values import with_values
from qm_cli.ingest.values_embeddings import with_embeddings
from qm_cli.kept_results import Kept, kept_for, settle
from qm_cli.load import Source
from qm_cli.load_dataset import Predictions, labels_of_models, load_tables
from qm_cli.raw import RawLabels
from qm_cli.request import Request
from qm_cli.run_tables import sample_tables, vector_tables
from qm_cli.run_writing import Parts, write_run
from qm_cli.scoring import Resources, Scored, Selection, planned, score_tables, selection
from qm_cli.settings import CONVENTION_FIELDS, Grid, Settings, missing_score, settings_at
from qm_cli.storage import shown
from qm_cli.subset import first_images, only_categories
from qm_cli.tables import Tables

ERROR_METRICS = "*.error_kind,prediction.false_positive_reason"
EVALUATION_METRICS = "true_positives,false_positives,false_negatives,precision,recall,f1,*.iou,*.outcome"


def evaluate(
    labels: Path | str, predictions: Path | str, analyses: Iterable[str] = (), **chosen: Any
) -> dict[str, Any]:
    """The evaluation report of a prediction file against a label file, with the named analyses (`analyses.ANALYSES`).

    The options are those of `Settings`.
    """
    settings = settings_at(**chosen)
    score = missing_score(settings.convention, None)
    tables = load_tables(Path(labels), Path(predictions), fields=settings.fields, missing_score=score)
    return analysed_report(tables, settings, analyses)


def with_grid(settings: Settings) -> Settings:
    """What a run folder is evaluated with: the grid beside, unless the convention has none."""
    return replace(settings, grid=settings.grid or Grid()) if settings.convention in CONVENTIONS else settings


def evaluate_to_folder(
    source: Source,
    tables: Tables,
    settings: Settings,
    output: Path,
    analyses: tuple[str, ...] = (),
    questions: Questions | None = None,
) -> dict[str, Any]:
    """Evaluate into a run folder of matches, grid, per-image and per-category tables; the evaluation report.

    analyses: the names of those its report holds. questions: what it answers beside.
    """
    started = time.perf_counter()
    settings = with_grid(settings)
    tables = only_categories(tables, settings.categories)
    wanted = [EVALUATION_METRICS, *([ERROR_METRICS] if "errors" in analyses else [])]
    scored = score_tables(tables, selection(wanted), settings, Resources(), analyses)
    if source.labels is None or source.predictions is None or scored.evaluation is None:
        raise UsageError("there is nothing to evaluate", "give labels and predictions, all with boxes")
    name = dataset.model_name(source.predictions)
    files = DatasetFiles(source.labels.parent, source.labels, {name: source.predictions}, None)
    answers = answers_to(questions, scored.evaluation) if questions else {}
    with run_folder.writing(output) as fresh:
        parts = Parts(scored, {name: scored}, answers=answers)
        summary = write_run(fresh, parts, files, settings, 0, started, told=False)
    report: dict[str, Any] = summary["models"][name]
    return {**report, **answers}


def score(folder: Path | str, output: Path | None = None, **options: Any) -> run_folder.Run:
    """Score a dataset folder into a run folder and open it; options are those of `Request`."""
    place, _ = score_to_folder(Request(Path(folder), **options), output)
    return run_folder.open_run(place)


def score_to_folder(request: Request, output: Path | None) -> tuple[Path, dict[str, Any]]:
    """Score a dataset folder; where the run folder is, and its summary."""
    started = time.perf_counter()
    files = request.files()
    place = output or files.root / run_folder.DEFAULT_NAME
    if is_text(files):
        return place, text_to_folder(files, place, request.settings, request.naming(files))
    request = replace(request, settings=with_grid(request.settings))
    with run_folder.writing(place) as fresh:
        kept = kept_for(place, request.resume)
        parts = scored_parts(request, files, kept)
        summary = write_run(fresh, parts, files, request.settings, request.seed, started)
        settle(kept, fresh)
    return place, summary


def scored_parts(request: Request, files: DatasetFiles, kept: Kept | None = None) -> Parts:
    """Everything scored: data and labels once, and what depends on a model once per model."""
    chosen = request.selection()
    resources = request.resources(files.images, kept)
    names = list(files.predictions)
    given = [one for path in request.values if is_custom(path) for one in custom_metrics.read(path)]
    if len(names) <= 1:
        scored = _scored(request, files, names[0] if names else None, chosen, resources)
        return Parts(scored, dict.fromkeys(names, scored), _custom(scored, given))
    if any(one.level == "prediction" for one in given):
        raise UsageError("--values: prediction ids are of one model", f"name it with --model: {', '.join(names)}")
    how: dict[str, Any] = {"shapes": True, "metadata": True, "fields": CONVENTION_FIELDS}
    labels, task, read = labels_of_models(files.root, files.labels, files.predictions, request.task, **how)
    data = _scored(replace(request, task=task), files, None, chosen, resources, labels)
    done = {step.metric.id for step in data.plan.steps if step.requested}
    left = chosen.without(done)
    models = {name: _scored(request, files, name, left, resources, labels, read.pop(name, None)) for name in names}
    return Parts(data, models, _custom(data, given))


def _custom(data: Scored, given: list[CustomValue]) -> pa.Table | None:
    return custom_table(data.tables, given) if given else None


def _scored(
    request: Request,
    files: DatasetFiles,
    model: str | None,
    chosen: Selection,
    resources: Resources,
    labels: RawLabels | None = None,
    answers: Predictions | None = None,
) -> Scored:
    resources.prepared(chosen)
    return score_tables(_tables(request, files, model, labels, answers), chosen, request.settings, resources)


def _tables(
    request: Request,
    files: DatasetFiles,
    model: str | None,
    labels: RawLabels | None = None,
    answers: Predictions | None = None,
) -> Tables:
    """The tables a request is about: loaded, with further values, cut to its images and categories."""
    score = missing_score(request.settings.convention, request.missing_score)
    tables = load_tables(
        files.labels,
        files.predictions[model] if model is not None else None,
        shapes=True,
        metadata=True,
        **{**request.naming(files), "missing_score": score},
        images=files.images,
        labels_read=labels,
        predictions_read=answers,
        task=request.task,
        measure=request.measure,
        fields=CONVENTION_FIELDS,
    )
    known = catalog.load(request.plugins).values() if request.values else ()
    reserved = {(metric.level, name) for metric in known for name in metric.outputs}
    for path in request.values:
        if is_custom(path):
            tables = with_custom_values(tables, custom_metrics.read(path), path, {name for _, name in reserved})
        else:
            tables = with_values(tables, path, reserved)
    if files.embeddings is not None:
        tables = with_embeddings(tables, dataset.on_disk(files.embeddings))
    return only_categories(first_images(tables, request.limit), request.settings.categories)


def plan_score(request: Request) -> dict[str, Any]:
    """What a score would do: the files it reads, the metrics it runs and those it skips, and why."""
    files = request.files()
    names: Sequence[str | None] = list(files.predictions) or [None]
    tables = _tables(request, files, names[0])
    plan = planned(tables, request.selection(), Resources(files.images))
    read = {"labels": files.labels, "images": files.images, **{f"model {n}": f for n, f in files.predictions.items()}}
    counts = {level: tables.count(level) for level in ("image", "category", "label", "prediction")}
    named = {name: None if path is None else shown(path) for name, path in read.items()}
    return {"files": named, "rows": counts, **plan.as_dict(), "findings": [one.as_dict() for one in tables.findings]}


def scored_rows(request: Request, level: str) -> pa.Table:
    """The rows of one level with their scores, nothing written; a model is named where it matters."""
    if request.thumbnails:
        raise UsageError("thumbnails are a file of the run folder, which -o - does not write", "name a folder by -o")
    chosen = request.selection()
    of_level = {name: metric for name, metric in chosen.chosen.items() if metric.level == level}
    chosen = Selection(of_level, chosen.known, chosen.options, chosen.named)
    tables = _scored_once(request, chosen)
    if level not in tables:
        raise InputError(f"{request.dataset}: has nothing at level {level}", f"it has {', '.join(tables)}")
    return tables[level]


def _scored_once(request: Request, chosen: Selection) -> dict[str, pa.Table]:
    """The tables of one model with the chosen metrics; of none, where several are there and no metric needs one."""
    files = request.files()
    names = list(files.predictions)
    name = names[0] if names else None
    if len(names) > 1:
        plan = planned(_tables(request, files, None), chosen, Resources(files.images))
        if plan.skipped or any(metric.level == "prediction" for metric in chosen.chosen.values()):
            raise UsageError(f"{shown(files.root)}: has the models {', '.join(names)}", "name one with --model")
        name = None
    scored = _scored(request, files, name, chosen, request.resources(files.images))
    samples = sample_tables(scored.tables, scored.scores, base=True)
    return {**dict(samples), **vector_tables(scored.tables, scored.scores)}


class ScoredDataset(Struct, frozen=True):
    """A dataset's tables with just the named metrics, for commands that work on runs and datasets alike."""

    tables: dict[str, pa.Table]

    def table_names(self) -> list[str]:
        return sorted(self.tables)

    def columns(self, name: str) -> dict[str, pa.Field]:
        return {one.name: one for one in self.tables[name].schema} if name in self.tables else {}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        table = self.tables[name]
        if columns is None:
            return table
        run_folder.refuse_unknown(columns, table.column_names, f"table {name}")
        return table.select(columns)


def score_mentioned(request: Request, text: str) -> ScoredDataset:
    """Score a dataset only as far as the words of `text` (metric names, an SQL condition) name metrics."""
    words = set(re.findall(r"\w+", text))
    named = [metric.id for metric in catalog.load(request.plugins).values() if words & {metric.name, *metric.outputs}]
    chosen = selection(named or ["image.object_count"], (), request.plugins, request.set, request.seed)
    return ScoredDataset(_scored_once(request, chosen))
