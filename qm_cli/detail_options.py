"""Options of what an evaluation answers beyond one IoU and one confidence, as `options` has the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qm_cli.options import EVALUATION, OUTPUT

At = Annotated[
    list[str] | None,
    typer.Option(
        "--at", help="Show one cell of the grid: confidence=0.35,iou=0.6; repeatable.", rich_help_panel=EVALUATION
    ),
]
ShowGrid = Annotated[
    bool, typer.Option("--grid", help="Show all cells of confidence × IoU.", rich_help_panel=EVALUATION)
]
Confidences = Annotated[
    str | None,
    typer.Option(
        "--confidences", help="The grid's confidences, by commas; default 0,0.1 … 1.", rich_help_panel=EVALUATION
    ),
]
IoUs = Annotated[
    str | None,
    typer.Option(
        "--ious",
        help="The grid's IoU thresholds, by commas; default 0,0.1 … 1. 0 is any overlap.",
        rich_help_panel=EVALUATION,
    ),
]
ImageGrid = Annotated[
    bool,
    typer.Option("--image-grid", help="Write the grid of every image too: a large table.", rich_help_panel=OUTPUT),
]
Beta = Annotated[
    float | None,
    typer.Option(
        "--beta",
        min=0.001,
        max=1000.0,
        help="Also F-beta: above 1 recall weighs more, below 1 precision.",
        rich_help_panel=EVALUATION,
    ),
]
AreaRanges = Annotated[
    list[str] | None,
    typer.Option(
        "--area-range",
        help="Areas in px² instead of small, medium, large: NAME=LOW..HIGH, closed; repeatable.",
        rich_help_panel=EVALUATION,
    ),
]
MaxDetections = Annotated[
    str | None,
    typer.Option(
        "--max-detections",
        help="Predictions of an image and category that AP and AR look at; default 1,10,100.",
        rich_help_panel=EVALUATION,
    ),
]
Normalise = Annotated[
    str | None,
    typer.Option(
        "--normalise",
        help="Shares in the confusion matrix: of the true category, the predicted one, or all.",
        rich_help_panel=EVALUATION,
    ),
]
Examples = Annotated[
    list[str] | None,
    typer.Option(
        "--examples",
        help="List the samples of a cell: predicted=dog,true=cat; either may be none; repeatable.",
        rich_help_panel=EVALUATION,
    ),
]
DeployThresholds = Annotated[
    list[str] | None,
    typer.Option(
        "--thresholds",
        help="Confidence to deploy at: precision=0.9, recall=0.8, f1, f0.5 or cost=FP:1,FN:5; repeatable.",
        rich_help_panel=EVALUATION,
    ),
]
ThresholdsOut = Annotated[
    Path | None,
    typer.Option(
        "--thresholds-out", help="Write them as JSON to load in production; - is stdout.", rich_help_panel=OUTPUT
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="All conventions side by side, and step by step why they differ from --convention.",
        rich_help_panel=EVALUATION,
    ),
]
