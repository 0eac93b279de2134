"""Each shared command-line option once, as an Annotated type."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import console
from qm_cli.errors import not_nan

EVALUATION = "Evaluation"
INPUT = "Input"
OUTPUT = "Output"
RUNNING = "Running"
SHARE: dict[str, Any] = {"min": 0.0, "max": 1.0, "callback": not_nan}


class ConventionName(StrEnum):
    """Whose matching rules and numbers."""

    coco = "coco"
    labelbox = "labelbox"
    labelbox_sdk = "labelbox-sdk"
    voc07 = "voc07"
    voc12 = "voc12"
    encord = "encord"
    ultralytics = "ultralytics"
    lvis = "lvis"
    sklearn = "sklearn"


Convention = Annotated[
    ConventionName | None,
    typer.Option(
        "--convention",
        help="Whose matching rules and numbers; default coco, for classes sklearn. Those have labelbox too.",
        rich_help_panel=EVALUATION,
    ),
]
OwnConvention = Annotated[
    ConventionName | None,
    typer.Option(
        "--convention",
        help="Whose rules and numbers; default the run's own, coco for files.",
        rich_help_panel=EVALUATION,
    ),
]
VocDevkit = Annotated[
    bool,
    typer.Option(
        "--voc-devkit", help="With voc07, voc12: IoU ≥ threshold as the MATLAB kit, not >.", rich_help_panel=EVALUATION
    ),
]
IoU = Annotated[
    float | None,
    typer.Option(
        "--iou",
        **SHARE,
        help="IoU threshold of precision, recall, F1 and confusion; default 0.5 (ultralytics 0.45).",
        rich_help_panel=EVALUATION,
    ),
]
Confidence = Annotated[
    float | None,
    typer.Option(
        "--confidence",
        **SHARE,
        help="Predictions below it do not count there; default 0.5 (ultralytics 0.25).",
        rich_help_panel=EVALUATION,
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="bbox, segm, keypoints, obb, polyline, point, classification, multilabel or text; default: what the "
        "files hold.",
        rich_help_panel=EVALUATION,
    ),
]
TopK = Annotated[
    str | None,
    typer.Option(
        "--top-k",
        help="Places among which the true class is looked for, by commas; default 1,5.",
        rich_help_panel=EVALUATION,
    ),
]
Auc = Annotated[
    bool,
    typer.Option(
        "--auc",
        help="ROC-AUC and AP of classes however many probabilities there are; else up to 20 million.",
        rich_help_panel=EVALUATION,
    ),
]
OwnIoU = Annotated[
    float | None,
    typer.Option("--iou", **SHARE, help="IoU threshold; default the run's own.", rich_help_panel=EVALUATION),
]
OwnConfidence = Annotated[
    float | None,
    typer.Option("--confidence", **SHARE, help="Lowest score; default the run's own.", rich_help_panel=EVALUATION),
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        "--categories",
        help="Only these categories: names or ids, repeated or comma-separated.",
        rich_help_panel=EVALUATION,
    ),
]
Sigmas = Annotated[
    str | None,
    typer.Option("--sigmas", help="keypoints: coco (default), or a sigma each, by commas.", rich_help_panel=EVALUATION),
]
Buffer = Annotated[
    float,
    typer.Option("--buffer", min=0.0, help="polyline, point: pixels around them.", rich_help_panel=EVALUATION),
]
PycocotoolsArea = Annotated[
    bool,
    typer.Option(
        "--pycocotools-area",
        help="segm, keypoints: area ranges go by the boxes, if the first prediction has one.",
        rich_help_panel=EVALUATION,
    ),
]
Angle = Annotated[
    str,
    typer.Option("--angle", help="obb: degrees, counter-clockwise, or radians, clockwise.", rich_help_panel=EVALUATION),
]
MatchBy = Annotated[
    str,
    typer.Option("--match-by", help="What predictions name images by: id, file_name or stem.", rich_help_panel=INPUT),
]
MapCategories = Annotated[
    str | None,
    typer.Option(
        "--map-categories", help="name, contiguous, or a FILE from prediction to label ids.", rich_help_panel=INPUT
    ),
]
MissingScore = Annotated[
    float | None,
    typer.Option("--missing-score", **SHARE, help="Score of predictions that have none.", rich_help_panel=INPUT),
]
ProbCategories = Annotated[
    str | None,
    typer.Option("--prob-categories", help="Categories in the order of `probs`, by commas.", rich_help_panel=INPUT),
]
Labels = Annotated[
    str | None, typer.Option("--labels", help="Label file, or predictions to serve as labels.", rich_help_panel=INPUT)
]
Predictions = Annotated[
    list[str] | None,
    typer.Option(
        "--predictions", help="Prediction file, repeatable: each is a model. - reads stdin.", rich_help_panel=INPUT
    ),
]
Images = Annotated[
    Path | None, typer.Option("--images", help="Folder the file names are relative to.", rich_help_panel=INPUT)
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N images: a quick look.", rich_help_panel=INPUT)
]
Model = Annotated[
    str | None, typer.Option("--model", help="Which model of a run that has several.", rich_help_panel=INPUT)
]
Where = Annotated[
    str | None, typer.Option("--where", help="Keep rows for which this SQL condition holds.", rich_help_panel=INPUT)
]
Plugin = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="Python file with metrics of your own, repeatable.", rich_help_panel="Metrics"),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metrics", help="Only these, e.g. 'image.entropy,label.*'.", rich_help_panel="Metrics"),
]
Kind = Annotated[
    list[str] | None, typer.Option("--kind", help="Only data, label or model metrics.", rich_help_panel="Metrics")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Option of a metric: duplicate_iou.threshold=0.5.", rich_help_panel="Metrics"),
]
Values = Annotated[
    list[Path] | None,
    typer.Option(
        "--values", help="Your own scores by id: Parquet, CSV, JSON; or custom metrics.", rich_help_panel="Metrics"
    ),
]
Embeddings = Annotated[
    Path | None,
    typer.Option("--embeddings", help="A vector per image: .npy or .parquet.", rich_help_panel="Metrics"),
]
Embedder = Annotated[
    str | None,
    typer.Option("--embedder", help="What makes the vectors: descriptor or onnx:FILE.", rich_help_panel="Metrics"),
]
Thumbnails = Annotated[
    bool,
    typer.Option("--thumbnails", help="Small WebP pictures into thumbnail.parquet.", rich_help_panel=OUTPUT),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write.", rich_help_panel=OUTPUT)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.", rich_help_panel=OUTPUT)]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-j",
        min=0,
        help="Processes that decode images; default all cores; 0: none but this one, to debug a metric.",
        rich_help_panel=RUNNING,
    ),
]
Shards = Annotated[
    int | None,
    typer.Option(
        "--shards", min=1, help="Tasks to cut the images into; the scores are the same.", rich_help_panel=RUNNING
    ),
]
Backend = Annotated[
    str, typer.Option("--backend", help="Who decodes: local or ray.", metavar="local|ray", rich_help_panel=RUNNING)
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", help="Ray cluster to join; default one of its own.", rich_help_panel=RUNNING),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Take up what an earlier run, finished or killed, measured of images that are the same.",
        rich_help_panel=RUNNING,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit code 1 when the input has errors; all is written.", rich_help_panel=RUNNING),
]
PixelLimit = Annotated[
    int,
    typer.Option(
        "--pixel-limit", min=1, help="Images with more pixels are a finding, not decoded.", rich_help_panel=INPUT
    ),
]
Outside = Annotated[
    bool,
    typer.Option("--outside", help="File names and links may lead out of the image folder.", rich_help_panel=INPUT),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.", rich_help_panel=RUNNING)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and what will be skipped; do nothing.", rich_help_panel=RUNNING)
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="No progress, no talk on stderr.", rich_help_panel=RUNNING, callback=console.set_quiet
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Show the traceback of an unexpected failure.",
        rich_help_panel=RUNNING,
        callback=console.set_debug,
    ),
]


def named(convention: ConventionName | None) -> str | None:
    """The name of a convention; None where none is asked for."""
    return None if convention is None else convention.value


def split(values: list[str] | None) -> tuple[str, ...]:
    """Repeated and comma-separated values as one tuple.

    >>> split(["a,b", "c"])
    ('a', 'b', 'c')
    """
    return tuple(part.strip() for value in values or [] for part in value.split(",") if part.strip())
