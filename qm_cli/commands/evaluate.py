"""qm evaluate: mAP, mAR, precision, recall, F1 and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import options
from qm_cli.errors import UsageError

LabelFile = Annotated[
    Path, typer.Argument(help="COCO label JSON (.gz, .zst), or a prediction file to serve as labels; - reads stdin.")
]
PredictionFile = Annotated[Path, typer.Argument(help="COCO results JSON (.gz, .zst), Parquet or Arrow; - reads stdin.")]


def evaluate(
    labels: LabelFile,
    predictions: PredictionFile,
    iou: options.IoU = 0.5,
    confidence: options.Confidence = 0.5,
    categories: options.Categories = None,
    at: options.At = None,
    grid: options.ShowGrid = False,
    confidences: options.Confidences = None,
    ious: options.IoUs = None,
    beta: options.Beta = None,
    area_range: options.AreaRanges = None,
    max_detections: options.MaxDetections = None,
    normalise: options.Normalise = None,
    examples: options.Examples = None,
    thresholds: options.DeployThresholds = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    output: options.Output = None,
    thresholds_out: options.ThresholdsOut = None,
    image_grid: options.ImageGrid = False,
    json: options.Json = False,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, confusion. COCO's numbers, exactly."""
    from qm_cli.load import Source, reading

    wishes: dict[str, Any] = {
        "at": at,
        "grid": grid,
        "confidences": confidences,
        "ious": ious,
        "image_grid": image_grid,
        "beta": beta,
        "area_range": area_range,
        "max_detections": max_detections,
        "normalise": normalise,
        "examples": examples,
        "thresholds": thresholds,
    }
    wishes = {name: value for name, value in wishes.items() if value not in (None, False, [])}
    if thresholds_out is not None and not thresholds:
        raise UsageError("--thresholds-out has nothing to write", "add --thresholds precision=0.9")
    if json and str(thresholds_out) == "-":
        raise UsageError("--json and --thresholds-out - both write to stdout", "name a file for the thresholds")
    source = Source(labels, predictions, match_by=match_by, map_categories=map_categories, missing_score=missing_score)
    with reading(source) as tables:
        from qm_cli.report import report_of
        from qm_cli.settings import Settings

        if not json:
            from qm_cli.render.terminal import show_evaluation
        settings = Settings(iou=iou, confidence=confidence, categories=options.split(categories))
        questions = None
        if wishes:
            from qm_cli.evaluation_options import asked

            settings, questions = asked(settings, **wishes, writes=output is not None, seed=seed)
        if output is not None:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(source, tables(), settings, output, questions)
        elif questions is not None:
            from qm_cli.detail_report import detailed_report

            report = detailed_report(tables(), settings, questions)
        else:
            report = report_of(tables(), settings)
    if thresholds_out is not None:
        from qm_cli.threshold_file import write_thresholds

        write_thresholds(report, predictions, thresholds_out)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    elif questions is None:
        show_evaluation(report)
    elif str(thresholds_out) != "-":
        from qm_cli.render.terminal_answers import show_answers

        show_answers(report)
    return 0
