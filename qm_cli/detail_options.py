"""Options of what an evaluation answers beyond one IoU and one confidence, as `options` has the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qm_cli.errors import not_nan
from qm_cli.options import EVALUATION, OUTPUT

ANALYSES = "Analyses"

At = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        help="Show one cell of the grid: confidence=0.35,iou=0.6, or confidence=thresholds.json; repeatable.",
        rich_help_panel=EVALUATION,
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
        callback=not_nan,
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
        help="All conventions side by side, and parameter by parameter why they differ from --convention.",
        rich_help_panel=EVALUATION,
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against", help="With --explain: only the gap from --convention to this one.", rich_help_panel=EVALUATION
    ),
]
Errors = Annotated[
    bool, typer.Option("--errors", help="Kinds of error (TIDE) and the AP each costs.", rich_help_panel=ANALYSES)
]
Calibration = Annotated[
    bool,
    typer.Option(
        "--calibration", help="Whether confidence is the share of right predictions.", rich_help_panel=ANALYSES
    ),
]
Lrp = Annotated[
    bool,
    typer.Option("--lrp", help="Optimal LRP, and the confidence it is reached at.", rich_help_panel=ANALYSES),
]
Everything = Annotated[bool, typer.Option("--everything", help="All of these.", rich_help_panel=ANALYSES)]
Bins = Annotated[
    int,
    typer.Option("--calibration-bins", min=1, max=1000, help="Bins of --calibration.", rich_help_panel=ANALYSES),
]
Quantiles = Annotated[
    bool,
    typer.Option("--quantile-bins", help="Bins of equal count, not of equal width.", rich_help_panel=ANALYSES),
]
