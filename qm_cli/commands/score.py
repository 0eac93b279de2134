"""qm score: every data, label and model metric of a dataset folder, per sample, and the summary."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qm_cli import detail_options, options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    from qm_cli.request import Request

NO = 1
DatasetFolder = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder with images, labels and predictions.")]


class Format(StrEnum):
    """How rows are written to stdout."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


class Level(StrEnum):
    """Whose rows are written to stdout."""

    image = "image"
    label = "label"
    prediction = "prediction"
    category = "category"
    image_category = "image_category"


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="The run folder; default DATASET/qm-run; - is rows on stdout.",
        rich_help_panel=options.OUTPUT,
    ),
]
RowLevel = Annotated[
    Level | None, typer.Option("--level", help="With -o -: whose rows; default image.", rich_help_panel=options.OUTPUT)
]
RowFormat = Annotated[
    Format | None,
    typer.Option("--format", help="With -o -: how rows are written; default jsonl.", rich_help_panel=options.OUTPUT),
]


def score(
    dataset: DatasetFolder,
    labels: options.Labels = None,
    predictions: options.Predictions = None,
    images: options.Images = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    prob_categories: options.ProbCategories = None,
    limit: options.Limit = None,
    metrics: options.Metrics = None,
    kind: options.Kind = None,
    set_: options.SetOption = None,
    plugin: options.Plugin = None,
    values: options.Values = None,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    convention: options.Convention = None,
    voc_devkit: options.VocDevkit = False,
    iou: options.IoU = None,
    confidence: options.Confidence = None,
    embeddings: options.Embeddings = None,
    embedder: options.Embedder = None,
    thumbnails: options.Thumbnails = False,
    categories: options.Categories = None,
    confidences: detail_options.Confidences = None,
    ious: detail_options.IoUs = None,
    image_grid: detail_options.ImageGrid = False,
    output: Output = None,
    model: options.Model = None,
    level: RowLevel = None,
    format_: RowFormat = None,
    json: options.Json = False,
    workers: options.Workers = None,
    shards: options.Shards = None,
    backend: options.Backend = "local",
    ray_address: options.RayAddress = None,
    resume: options.Resume = False,
    pixel_limit: options.PixelLimit = 500_000_000,
    outside: options.Outside = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Score a dataset folder: data, label and model metrics per sample, and the summary. Writes a run folder."""
    if not (dry_run or metrics or kind or workers == 0) and backend == "local":
        _prepare(dataset, images)
    from qm_cli.answer_task import TASKS
    from qm_cli.evaluation_options import chosen_grid
    from qm_cli.request import Request
    from qm_cli.settings import settings_at
    from qm_cli.tasks import measure_from

    request = Request(
        dataset=dataset,
        labels=Path(labels) if labels else None,
        predictions=tuple(Path(path) for path in predictions or ()),
        images=images,
        match_by=match_by,
        map_categories=map_categories,
        missing_score=missing_score,
        prob_categories=options.split([prob_categories] if prob_categories else None),
        limit=limit,
        metrics=tuple(metrics or ()),
        kinds=options.split(kind),
        set=tuple(set_ or ()),
        plugins=tuple(plugin or ()),
        values=tuple(values or ()),
        task=None if task in TASKS else task,
        measure=measure_from(sigmas, buffer, pycocotools_area, angle),
        embeddings=embeddings,
        embedder=embedder,
        thumbnails=thumbnails,
        settings=settings_at(
            options.named(convention),
            iou,
            confidence,
            categories=options.split(categories),
            voc_devkit=voc_devkit,
            grid=chosen_grid(convention or "coco", confidences, ious, images=image_grid),
            answer_convention=options.named(convention),
            answer_confidence=confidence,
            answer_task=task if task in TASKS else None,
        ),
        workers=workers,
        shards=shards,
        seed=seed,
        model=model,
        backend=backend,
        ray_address=ray_address,
        resume=resume,
        pixel_limit=pixel_limit,
        outside=outside,
    )
    if dry_run or (output is not None and str(output) == "-"):
        _refuse_text(request)
    if dry_run:
        return _show_plan(request, json)
    if output is not None and str(output) == "-":
        _refuse_without_run(resume, strict)
        return _stream(request, (level or Level.image).value, (format_ or Format.jsonl).value)
    for name, given in (("--level", level), ("--format", format_)):
        if given is not None:
            raise UsageError(f"{name} says how rows go to stdout", "add -o -, or leave it out: a run folder holds all")
    return _write(request, output, json, strict)


def _prepare(dataset: Path, images: Path | None) -> None:
    """Start what decodes images while the rest is imported."""
    from qm_cli.dataset import IMAGE_FOLDERS

    if images is not None or any((dataset / name).is_dir() for name in IMAGE_FOLDERS):
        from qm_cli.backends.local import prepare

        prepare()


def _write(request: Request, output: Path | None, json: bool, strict: bool) -> int:
    from qm_cli.render.as_json import as_json
    from qm_cli.run import score_to_folder
    from qm_cli.storage import shown

    place, summary = score_to_folder(request, output)
    if json:
        sys.stdout.write(as_json({"run": shown(place), **summary}))
    else:
        from qm_cli.render.terminal_summary import show_summary

        show_summary(summary, place, _dataset(request))
    errors = [found for found in summary["findings"] if found["severity"] == "error"]
    return NO if strict and errors else 0


def _dataset(request: Request) -> str:
    """The dataset as `qm check` is told of it."""
    from shlex import quote

    from qm_cli.storage import shown

    given = [("--labels", request.labels), ("--images", request.images), ("--map-categories", request.map_categories)]
    given += [("--predictions", path) for path in request.predictions]
    given += [("--match-by", request.match_by if request.match_by != "id" else None)]
    told = [f"{name} {quote(shown(value))}" for name, value in given if value is not None]
    return " ".join([quote(shown(request.dataset)), *told])


def _refuse_without_run(resume: bool, strict: bool) -> None:
    for name, given in (("--resume", resume), ("--strict", strict)):
        if given:
            raise UsageError(f"{name} needs a run folder, and -o - writes none", "name a folder with -o")


def _refuse_text(request: Request) -> None:
    from qm_cli.answer_writing import is_text

    if is_text(request.files()):
        raise UsageError(f"{request.dataset}: text has no samples to score one by one", "score it into a run folder")


def _stream(request: Request, level: str, format_: str) -> int:
    from qm_cli.output import deliver
    from qm_cli.render.rows import as_csv, as_json_lines, as_parquet
    from qm_cli.run import scored_rows

    writers = {"jsonl": as_json_lines, "csv": as_csv, "parquet": as_parquet}
    deliver(writers[format_](scored_rows(request, level)), None)
    return 0


def _show_plan(request: Request, json: bool) -> int:
    from qm_cli.render.as_json import as_json
    from qm_cli.run import plan_score

    plan = plan_score(request)
    if json:
        sys.stdout.write(as_json(plan))
    else:
        from qm_cli.render.terminal_summary import show_plan

        show_plan(plan)
    return 0
