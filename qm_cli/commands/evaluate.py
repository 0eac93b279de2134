"""qm evaluate: mAP, mAR, precision, recall, F1 and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from qm_cli import options

LabelFile = Annotated[
    Path, typer.Argument(help="COCO label JSON (.gz, .zst), or a prediction file to serve as labels; - reads stdin.")
]
PredictionFile = Annotated[Path, typer.Argument(help="COCO results JSON (.gz, .zst), Parquet or Arrow; - reads stdin.")]


def evaluate(
    labels: LabelFile,
    predictions: PredictionFile,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    iou: options.IoU = 0.5,
    confidence: options.Confidence = 0.5,
    categories: options.Categories = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, confusion. COCO's numbers, exactly."""
    from qm_cli.load import Source, reading
    from qm_cli.tasks import measure_from

    source = Source(
        labels,
        predictions,
        match_by=match_by,
        map_categories=map_categories,
        missing_score=missing_score,
        task=task,
        measure=measure_from(sigmas, buffer, pycocotools_area, angle),
    )
    with reading(source) as tables:
        from qm_cli.report import report_of
        from qm_cli.settings import Settings

        if not json:
            from qm_cli.render.terminal import show_evaluation
        settings = Settings(iou=iou, confidence=confidence, categories=options.split(categories))
        if output is None:
            report = report_of(tables(), settings)
        else:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(source, tables(), settings, output)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    else:
        show_evaluation(report)
    return 0
