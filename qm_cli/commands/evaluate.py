"""qm evaluate: mAP, precision, recall, F1, accuracy and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qm_cli import options
from qm_cli.errors import UsageError, refuse_options

if TYPE_CHECKING:
    from qm_cli.answer_evaluation import AnswerRequest

LabelFile = Annotated[
    Path,
    typer.Argument(
        help="COCO label JSON (.gz, .zst), or a prediction file to serve as labels; of classes and text entities also "
        "CSV, JSONL, Parquet; - reads stdin."
    ),
]
PredictionFile = Annotated[
    Path,
    typer.Argument(
        help="COCO results JSON (.gz, .zst), Parquet or Arrow; of classes and text entities also CSV, JSONL, and "
        "probabilities as .npy; - reads stdin."
    ),
]
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
    convention: options.Convention = None,
    voc_devkit: options.VocDevkit = False,
    iou: options.IoU = None,
    confidence: options.Confidence = None,
    categories: options.Categories = None,
    top_k: options.TopK = None,
    auc: options.Auc = False,
    errors: Errors = False,
    calibration: Calibration = False,
    lrp: Lrp = False,
    everything: Everything = False,
    calibration_bins: Bins = 10,
    quantile_bins: Quantiles = False,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    prob_categories: options.ProbCategories = None,
    explain: Explain = False,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, accuracy, confusion.

    Boxes get COCO's numbers, exactly; other conventions bring their own matching and numbers: --convention.
    Classes (one answer, several, several questions), free text and text entities come from JSON with category_id and
    no bbox, or from tables with the columns id (or image_id, data_row_id), category (or category_id, label), question,
    answer, score (or confidence), start and end, and probs or a prob_NAME for each category; class probabilities also
    as .npy, rows and columns in the order of the labels.
    """
    from qm_cli.answer_task import asks_answers

    asked = {"errors": errors, "calibration": calibration, "lrp": lrp}
    if (quantile_bins or calibration_bins != 10) and not (calibration or everything):
        raise UsageError("--calibration-bins and --quantile-bins go with --calibration", "add --calibration")
    named = None if convention is None else convention.value
    naming: dict[str, Any] = {
        "match_by": match_by,
        "map_categories": map_categories,
        "missing_score": missing_score,
        "prob_categories": options.split([prob_categories] if prob_categories else None),
    }
    if asks_answers(task, labels, predictions):
        idle = {"categories": categories, "explain": explain, "voc-devkit": voc_devkit, "everything": everything}
        refuse_options("classes and text", {**idle, **asked})
        from qm_cli.answer_evaluation import AnswerRequest
        from qm_cli.load_answers import AnswerSource

        source = AnswerSource(labels, predictions, **naming)
        request = AnswerRequest(source, task, named, iou, confidence, top_k, auc)
        return _answers(request, output, json)
    refuse_options("objects", {"top-k": top_k, "auc": auc})
    if explain and output is not None:
        raise UsageError("--explain writes no run folder", "leave -o out; --json prints it all")
    if explain and (everything or any(asked.values())):
        raise UsageError("--explain goes without the analyses", "ask for them in a call of their own")
    from qm_cli.load import Source, reading
    from qm_cli.settings import CONVENTION_FIELDS, settings_at
    from qm_cli.settings import missing_score as convention_score

    settings = settings_at(
        named,
        iou,
        confidence,
        categories=options.split(categories),
        voc_devkit=voc_devkit,
        calibration_bins=calibration_bins,
        calibration_quantiles=quantile_bins,
    )
    naming["missing_score"] = convention_score(settings.convention, missing_score)
    fields = CONVENTION_FIELDS if explain or output is not None else settings.fields
    files = Source(labels, predictions, fields=fields, **naming)
    with reading(files) as tables:
        from qm_cli.analyses import EVERYTHING, refuse_undefined

        chosen = tuple(name for name in EVERYTHING if asked[name])
        refuse_undefined(chosen, settings)
        analyses = EVERYTHING if everything else chosen
        show = _renderer(json, explain)
        if explain:
            from qm_cli.convention_gaps import explained

            report = explained(tables(), settings)
        elif output is None:
            from qm_cli.report import report_of

            report = report_of(tables(), settings, analyses)
        else:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(files, tables(), settings, output, analyses)
    show(report)
    return 0


def _answers(request: AnswerRequest, output: Path | None, json: bool) -> int:
    """Classes, free text and text entities."""
    if output is None:
        from qm_cli.answer_evaluation import evaluate_answer_files

        report = evaluate_answer_files(request)[1]
    else:
        from qm_cli.answer_writing import answers_to_folder

        report = answers_to_folder(request, output)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    else:
        from qm_cli.render.terminal_classification import show_answers

        show_answers(report)
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
