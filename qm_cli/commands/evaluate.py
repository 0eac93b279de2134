"""qm evaluate: mAP, precision, recall, F1, accuracy and confusion of one prediction file; no pixels touched."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from qm_cli import options
from qm_cli.errors import UsageError

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
BOXES = ("bbox",)
ANSWERS = ("classification", "multilabel", "text")


def evaluate(
    context: typer.Context,
    labels: LabelFile,
    predictions: PredictionFile,
    task: options.Task = None,
    convention: options.Convention = None,
    iou: options.IoU = 0.5,
    confidence: options.Confidence = 0.5,
    categories: options.Categories = None,
    top_k: options.TopK = "1,5",
    auc: options.Auc = False,
    match_by: options.MatchBy = "id",
    map_categories: options.MapCategories = None,
    missing_score: options.MissingScore = None,
    prob_categories: options.ProbCategories = None,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Evaluate predictions against labels: AP, AR, precision, recall, F1, accuracy, confusion.

    Boxes get COCO's numbers, exactly. Classes (one answer, several, several questions), free text and text entities
    come from JSON with category_id and no bbox, or from tables with the columns id (or image_id, data_row_id), category
    (or category_id, label), question, answer, score (or confidence), start and end, and probs or a prob_NAME for each
    category; class probabilities also as .npy, rows and columns in the order of the labels.
    """
    from qm_cli.answer_task import holds_answers

    if task is not None and task not in (*BOXES, *ANSWERS):
        raise UsageError(f"--task {task}: is no task", f"there are {', '.join((*BOXES, *ANSWERS))}")
    naming: dict[str, Any] = {
        "match_by": match_by,
        "map_categories": map_categories,
        "missing_score": missing_score,
        "prob_categories": options.split([prob_categories] if prob_categories else None),
    }
    if task in ANSWERS or (task is None and holds_answers(labels, predictions)):
        if categories:
            raise UsageError("--categories: not for classes and text", "every category has its row in --json")
        chosen: dict[str, Any] = {"task": task, "convention": convention, "iou": iou, "auc": auc}
        chosen["confidence"] = options.given(context, "confidence", confidence)
        return _answers(labels, predictions, naming, chosen, top_k, output, json)
    if convention not in (None, "coco"):
        raise UsageError(f"--convention {convention}: has no rule for boxes", "leave it out for COCO's")
    from qm_cli.load import Source, reading

    source = Source(labels, predictions, **naming)
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


def _answers(
    labels: Path,
    predictions: Path,
    naming: dict[str, Any],
    chosen: dict[str, Any],
    top_k: str,
    output: Path | None,
    json: bool,
) -> int:
    """Classes, free text and text entities."""
    from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files, places_of
    from qm_cli.load_answers import AnswerSource

    request = AnswerRequest(AnswerSource(labels, predictions, **naming), top_k=places_of(top_k), **chosen)
    started = time.perf_counter()
    evaluation, report = evaluate_answer_files(request)
    if output is not None:
        from qm_cli.answer_writing import write_answers

        write_answers(output, evaluation, report, request.source, started)
    if json:
        from qm_cli.render.as_json import as_json

        sys.stdout.write(as_json(report))
    else:
        from qm_cli.render.terminal_classification import show_answers

        show_answers(report)
    return 0
