"""The options of qm rank, as Annotated types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qm_cli import options
from qm_cli.errors import not_nan

RANKING, BATCH, BACK_TEST = "Ranking", "Batch", "Back-test"

Target = Annotated[Path, typer.Argument(help="A run folder, or a dataset folder.")]
Acquisition = Annotated[
    str | None,
    typer.Option(
        "--acquisition",
        "-a",
        help="entropy, least_confidence, margin, variance, mean_object_score, or any metric or column. Worst first.",
        rich_help_panel=RANKING,
    ),
]
Top = Annotated[int | None, typer.Option("--top", "-n", min=0, help="Only the first N.", rich_help_panel=RANKING)]
Level = Annotated[
    Literal["image", "label", "prediction"] | None,
    typer.Option("--level", help="What to rank; default image.", rich_help_panel=RANKING),
]
Order = Annotated[
    Literal["asc", "desc"] | None,
    typer.Option("--order", help="Lowest or highest value first; default worst first.", rich_help_panel=RANKING),
]
NoPredictions = Annotated[
    Literal["first", "last", "drop"],
    typer.Option("--no-predictions", help="Where what has no value goes.", rich_help_panel=RANKING),
]
Ensemble = Annotated[
    str | None,
    typer.Option(
        "--ensemble",
        help="Models of the run that are one ensemble, by commas, or all: for -a bald or variation_ratio.",
        rich_help_panel=RANKING,
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget",
        min=0,
        callback=not_nan,
        help="As many as cost this together, 1 each without --cost.",
        rich_help_panel=BATCH,
    ),
]
Cost = Annotated[str | None, typer.Option("--cost", help="Column of what each costs.", rich_help_panel=BATCH)]
ExcludeNearDuplicates = Annotated[
    bool,
    typer.Option("--exclude-near-duplicates", help="Of images nearly alike only the first.", rich_help_panel=BATCH),
]
Diverse = Annotated[
    Literal["k-center", "k-means++", "badge"] | None,
    typer.Option("--diverse", help="Spread over the embeddings × the acquisition.", rich_help_panel=BATCH),
]
Balance = Annotated[bool, typer.Option("--balance", help="Favour rare categories.", rich_help_panel=BATCH)]
Sample = Annotated[
    Literal["power", "softmax"] | None,
    typer.Option("--sample", help="Draw at random, useful ones more often.", rich_help_panel=BATCH),
]
Coldness = Annotated[
    float,
    typer.Option("--coldness", min=0, callback=not_nan, help="β of --sample: 0 = any order.", rich_help_panel=BATCH),
]
UnlabeledOnly = Annotated[
    bool, typer.Option("--unlabeled-only", help="Only images without an annotation.", rich_help_panel=options.INPUT)
]
Reviewed = Annotated[
    Path | None,
    typer.Option(
        "--reviewed",
        help="Ids or file names, one a line, of images that are rightly without.",
        rich_help_panel=options.INPUT,
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option(
        "--exclude", help="Ids or file names to leave out, one a line; - reads stdin.", rich_help_panel=options.INPUT
    ),
]
Field = Annotated[
    list[str] | None,
    typer.Option("--field", help="What to print: id, file_name, any column.", rich_help_panel=options.OUTPUT),
]
Format = Annotated[
    Literal[
        "lines",
        "csv",
        "jsonl",
        "parquet",
        "coco",
        "cvat",
        "cvat-manifest",
        "label-studio",
        "labelbox",
        "labelbox-predictions",
    ]
    | None,
    typer.Option(
        "--format",
        help="One field a line, rows, or an import file; default what -o ends with, else lines.",
        rich_help_panel=options.OUTPUT,
    ),
]
ImageUrl = Annotated[
    str | None,
    typer.Option(
        "--image-url",
        help="Where a labelling tool finds an image: https://bucket/{file_name}.",
        rich_help_panel=options.OUTPUT,
    ),
]
BackTest = Annotated[
    bool,
    typer.Option(
        "--back-test",
        help="How many errors this order would have found in its first --top, against chance.",
        rich_help_panel=BACK_TEST,
    ),
]
