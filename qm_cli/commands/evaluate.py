"""qm evaluate: mAP, mAR, precision, recall, F1 and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

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
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="All conventions side by side, and step by step why they differ from --convention.",
        rich_help_panel=options.EVALUATION,
    ),
]


def evaluate(
    labels: LabelFile,
    predictions: PredictionFile,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    convention: options.Convention = options.ConventionName.coco,
    voc_devkit: options.VocDevkit = False,
    iou: options.IoU = None,
    confidence: options.Confidence = None,
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
    explain: Explain = False,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, confusion. COCO's numbers, exactly.

    Other conventions bring their own matching and numbers: --convention.
    """
    asked = {"errors": errors, "calibration": calibration, "lrp": lrp}
    if (quantile_bins or calibration_bins != 10) and not (calibration or everything):
        raise UsageError("--calibration-bins and --quantile-bins go with --calibration", "add --calibration")
    if explain and output is not None:
        raise UsageError("--explain writes no run folder", "leave -o out; --json prints it all")
    if explain and (everything or any(asked.values())):
        raise UsageError("--explain goes without the analyses", "ask for them in a call of their own")
    from qm_cli.load import Source, reading
    from qm_cli.settings import CONVENTION_FIELDS, settings_at
    from qm_cli.settings import missing_score as convention_score
    from qm_cli.tasks import measure_from

    settings = settings_at(
        convention.value,
        iou,
        confidence,
        categories=options.split(categories),
        voc_devkit=voc_devkit,
        calibration_bins=calibration_bins,
        calibration_quantiles=quantile_bins,
    )
    source = Source(
        labels,
        predictions,
        match_by=match_by,
        map_categories=map_categories,
        missing_score=convention_score(convention.value, missing_score),
        task=task,
        measure=measure_from(sigmas, buffer, pycocotools_area, angle),
        fields=CONVENTION_FIELDS if explain or output is not None else settings.fields,
    )
    with reading(source) as tables:
        from qm_cli.analyses import EVERYTHING, refuse_undefined

        named = tuple(name for name in EVERYTHING if asked[name])
        refuse_undefined(named, settings)
        analyses = EVERYTHING if everything else named
        show = _renderer(json, explain)
        if explain:
            from qm_cli.convention_gaps import explained

            report = explained(tables(), settings)
        elif output is None:
            from qm_cli.report import report_of

            report = report_of(tables(), settings, analyses)
        else:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(source, tables(), settings, output, analyses)
    show(report)
    return 0


def _renderer(json: bool, explain: bool) -> Callable[[dict[str, Any]], object]:
    """What shows the report, imported while the predictions are read."""
    if json:
        from qm_cli.render.as_json import as_json

        return lambda report: sys.stdout.write(as_json(report))
    if explain:
        from qm_cli.render.terminal_conventions import show_conventions

        return show_conventions
    from qm_cli.render.terminal import show_evaluation
    from qm_cli.render.terminal_analyses import show_analyses

    return lambda report: show_evaluation(report, show_analyses)
