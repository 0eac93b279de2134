"""qm evaluate: mAP, precision, recall, F1, accuracy and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qm_cli import detail_options, options
from qm_cli.errors import UsageError, refuse_options

if TYPE_CHECKING:
    from qm_cli.answer_evaluation import AnswerRequest
    from qm_cli.settings import Settings

JSON_NAMED = ".json"
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
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Also write a run folder here.", rich_help_panel=options.OUTPUT),
]


def evaluate(
    labels: LabelFile,
    predictions: PredictionFile,
    task: options.Task = None,
    sigmas: options.Sigmas = None,
    buffer: options.Buffer = 70.0,
    pycocotools_area: options.PycocotoolsArea = False,
    angle: options.Angle = "degrees",
    convention: options.Convention = None,
    voc_devkit: options.VocDevkit = False,
    iou: options.IoU = None,
    confidence: options.Confidence = None,
    categories: options.Categories = None,
    top_k: options.TopK = None,
    auc: options.Auc = False,
    errors: detail_options.Errors = False,
    calibration: detail_options.Calibration = False,
    lrp: detail_options.Lrp = False,
    everything: detail_options.Everything = False,
    calibration_bins: detail_options.Bins = 10,
    quantile_bins: detail_options.Quantiles = False,
    at: detail_options.At = None,
    grid: detail_options.ShowGrid = False,
    confidences: detail_options.Confidences = None,
    ious: detail_options.IoUs = None,
    beta: detail_options.Beta = None,
    area_range: detail_options.AreaRanges = None,
    max_detections: detail_options.MaxDetections = None,
    normalise: detail_options.Normalise = None,
    examples: detail_options.Examples = None,
    thresholds: detail_options.DeployThresholds = None,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    prob_categories: options.ProbCategories = None,
    explain: detail_options.Explain = False,
    against: detail_options.Against = None,
    output: Output = None,
    thresholds_out: detail_options.ThresholdsOut = None,
    image_grid: detail_options.ImageGrid = False,
    json: options.Json = False,
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, accuracy, confusion.

    Boxes, masks and keypoints get COCO's numbers, exactly; other conventions bring their own matching and numbers:
    --convention.

    Classes (one answer, several, several questions), free text and text entities come from JSON with category_id and
    no bbox, or from tables with the columns id (or image_id, data_row_id), category (or category_id, label), question,
    answer, score (or confidence), start and end, and probs or a prob_NAME for each category; class probabilities also
    as .npy, rows and columns in the order of the labels.
    """
    from qm_cli import json_lists

    ahead = json_lists.begun(predictions, task)  # the rest of the program is loaded meanwhile
    import numpy  # noqa: F401  (while few calls are open: deep among imports each call that NumPy makes maps memory)
    from msgspec.structs import replace

    from qm_cli.answer_task import asks_answers
    from qm_cli.tasks import measure_from, refuse_idle

    named = {"errors": errors, "calibration": calibration, "lrp": lrp}
    if (quantile_bins or calibration_bins != 10) and not (calibration or everything):
        raise UsageError("--calibration-bins and --quantile-bins go with --calibration", "add --calibration")
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
    everything_asked = {**wishes, **_asked_for(named, everything)}
    naming: dict[str, Any] = {
        "match_by": match_by,
        "map_categories": map_categories,
        "missing_score": missing_score,
        "prob_categories": options.split([prob_categories] if prob_categories else None),
    }
    measure = measure_from(sigmas, buffer, pycocotools_area, angle)
    at_files = tuple(text for text in at or () if JSON_NAMED in text.lower())
    if asks_answers(task, labels, predictions):
        idle = {"categories": categories, "explain": explain, "voc_devkit": voc_devkit, "sigmas": sigmas}
        idle |= {"against": against, "pycocotools_area": pycocotools_area}
        own = {"examples": examples, "thresholds": thresholds}
        if at and len(at) > len(at_files):
            hint = "write --at confidence=thresholds.json, or take --confidence"
            raise UsageError("--at: classes and text have no grid of cells", hint)
        everything_asked.pop("at", None)
        refuse_options("classes and text", {**idle, **{k: v for k, v in everything_asked.items() if k not in own}})
        _refuse_contradictions(everything_asked, explain, json, output, thresholds_out)
        refuse_idle(replace(measure, task="classes and text"))
        from qm_cli.answer_evaluation import AnswerRequest
        from qm_cli.load_answers import AnswerSource

        source = AnswerSource(labels, predictions, **naming)
        request = AnswerRequest(source, task, options.named(convention), iou, confidence, top_k, auc, at=at_files)
        if examples or thresholds:
            from qm_cli.evaluation_options import questions_of

            request = replace(request, questions=questions_of(examples, thresholds, seed))
        return _answers(request, output, json, thresholds_out)
    refuse_options("objects", {"top_k": top_k, "auc": auc})
    if against is not None and not explain:
        raise UsageError("--against: says which gap --explain tells", "add --explain")
    _refuse_contradictions(everything_asked, explain, json, output, thresholds_out)
    from qm_cli.load import Source, reading
    from qm_cli.settings import CONVENTION_FIELDS, settings_at
    from qm_cli.settings import missing_score as convention_score

    settings = settings_at(
        options.named(convention),
        iou,
        confidence,
        categories=options.split(categories),
        voc_devkit=voc_devkit,
        calibration_bins=calibration_bins,
        calibration_quantiles=quantile_bins,
    )
    naming["missing_score"] = convention_score(settings.convention, missing_score)
    measured: dict[str, Any] = {"task": task, "measure": measure}
    fields = CONVENTION_FIELDS if explain or output is not None else settings.fields
    files = Source(labels, predictions, fields=fields, ahead=ahead, **measured, **naming)
    with reading(files) as read:
        tables = cache(read)
        analyses = _analyses(named, everything, settings) if everything or any(named.values()) else ()
        show = _renderer(json, explain, bool(wishes), bool(analyses), str(thresholds_out) == "-")
        questions = None
        if at_files:
            wishes["at"] = [text for text in wishes["at"] if text not in at_files]
            wishes = {name: value for name, value in wishes.items() if value != []}
        if wishes:
            from qm_cli.evaluation_options import asked

            settings, questions = asked(settings, **wishes, writes=output is not None, seed=seed)
        if explain:
            from qm_cli.convention_gaps import explained

            report = explained(tables(), settings, against, iou, confidence)
        elif output is not None:
            from qm_cli.run import evaluate_to_folder

            report = evaluate_to_folder(files, tables(), settings, output, analyses, questions)
        elif questions is not None:
            from qm_cli.detail_report import detailed_report

            report = detailed_report(tables(), settings, questions, analyses)
        elif analyses:
            from qm_cli.analyses import analysed_report

            report = analysed_report(tables(), settings, analyses)
        else:
            from qm_cli.report import report_of

            report = report_of(tables(), settings)
        if at_files:
            from qm_cli.own_confidences import own_cells

            report["cells"] = [*report.get("cells", ()), *own_cells(tables(), settings, at_files)]
    if thresholds_out is not None:
        from qm_cli.threshold_file import write_thresholds

        write_thresholds(report, predictions, thresholds_out)
    show(report)
    return 0


def _answers(request: AnswerRequest, output: Path | None, json: bool, thresholds_out: Path | None) -> int:
    """Classes, free text and text entities."""
    if output is None:
        from qm_cli.answer_evaluation import evaluate_answer_files

        report = evaluate_answer_files(request)[1]
    else:
        from qm_cli.answer_writing import answers_to_folder

        report = answers_to_folder(request, output)
    if thresholds_out is not None:
        from qm_cli.threshold_file import write_thresholds

        write_thresholds(report, request.source.predictions, thresholds_out)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    elif request.questions is not None or request.at:
        if str(thresholds_out) != "-":
            from qm_cli.render import terminal_answers

            terminal_answers.show_answers(report)
    else:
        from qm_cli.render.terminal_classification import show_answers

        show_answers(report)
    return 0


def _analyses(named: dict[str, bool], everything: bool, settings: Settings) -> tuple[str, ...]:
    from qm_cli.analyses import EVERYTHING, refuse_undefined

    chosen = tuple(name for name in EVERYTHING if named[name])
    refuse_undefined(chosen, settings)
    return EVERYTHING if everything else chosen


def _asked_for(analyses: dict[str, bool], everything: bool) -> dict[str, bool]:
    return {name: True for name, wanted in {**analyses, "everything": everything}.items() if wanted}


def _refuse_contradictions(
    wishes: dict[str, Any], explain: bool, json: bool, output: Path | None, thresholds_out: Path | None
) -> None:
    if explain and wishes:
        raise UsageError(f"--explain answers nothing else: --{next(iter(wishes)).replace('_', '-')}", "leave one out")
    if explain and output is not None:
        raise UsageError("--explain writes no run folder", "leave -o out; --json prints it all")
    if thresholds_out is not None and "thresholds" not in wishes:
        raise UsageError("--thresholds-out has nothing to write", "add --thresholds precision=0.9")
    if json and str(thresholds_out) == "-":
        raise UsageError("--json and --thresholds-out - both write to stdout", "name a file for the thresholds")


def _renderer(
    json: bool, explain: bool, answers: bool, analysed: bool, silent: bool
) -> Callable[[dict[str, Any]], object]:
    """What shows the report, imported while the predictions are read. silent: stdout holds something else."""
    if json:
        from qm_cli.render.as_json import as_json

        return lambda report: sys.stdout.write(as_json(report))
    if explain:
        from qm_cli.render.terminal_conventions import show_conventions

        return show_conventions
    if silent:
        return lambda report: None
    show_more = _analyses_shown() if analysed else None
    if answers:
        from qm_cli.render.terminal_answers import show_answers

        return lambda report: show_answers(report, show_more)
    from qm_cli.render.terminal import show_evaluation

    return lambda report: show_evaluation(report, show_more)


def _analyses_shown() -> Callable[..., None]:
    from qm_cli.render.terminal_analyses import show_analyses

    return show_analyses
