"""qm evaluate: mAP, mAR, precision, recall, F1 and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from qm_cli import options
from qm_cli.errors import UsageError

LabelFile = Annotated[
    Path, typer.Argument(help="COCO label JSON (.gz, .zst), or a prediction file to serve as labels; - reads stdin.")
]
PredictionFile = Annotated[Path, typer.Argument(help="COCO results JSON (.gz, .zst), Parquet or Arrow; - reads stdin.")]
ANALYSES = "Analyses"
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


def evaluate(
    labels: LabelFile,
    predictions: PredictionFile,
    iou: options.IoU = 0.5,
    confidence: options.Confidence = 0.5,
    categories: options.Categories = None,
    errors: Errors = False,
    calibration: Calibration = False,
    lrp: Lrp = False,
    everything: Everything = False,
    calibration_bins: Bins = 10,
    quantile_bins: Quantiles = False,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, confusion. COCO's numbers, exactly."""
    asked = {"errors": errors, "calibration": calibration, "lrp": lrp}
    if (quantile_bins or calibration_bins != 10) and not (calibration or everything):
        raise UsageError("--calibration-bins and --quantile-bins go with --calibration", "add --calibration")
    from qm_cli.load import Source, reading

    source = Source(labels, predictions, match_by=match_by, map_categories=map_categories, missing_score=missing_score)
    with reading(source) as tables:
        from qm_cli.analyses import EVERYTHING
        from qm_cli.report import report_of
        from qm_cli.settings import Settings

        if not json:
            from qm_cli.render.terminal import show_evaluation
            from qm_cli.render.terminal_analyses import show_analyses
        chosen = tuple(name for name in EVERYTHING if everything or asked.get(name))
        settings = Settings(
            iou=iou,
            confidence=confidence,
            categories=options.split(categories),
            calibration_bins=calibration_bins,
            calibration_quantiles=quantile_bins,
        )
        if output is None:
            report = report_of(tables(), settings, chosen)
        else:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(source, tables(), settings, output, chosen)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    else:
        show_evaluation(report, show_analyses)
    return 0
