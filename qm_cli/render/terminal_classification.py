"""Reports of classes and of text entities → the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from qm_cli.headlines import OF_ANSWER_CATEGORIES, thresholds
from qm_cli.render.terminal import CATEGORIES_SHOWN, CELLS_SHOWN, plain_console, print_table_on, show_notes

SIDES = (("", "micro"), ("_macro", "macro"), ("_weighted", "weighted"), ("_data_row", "per data row"))
TEXT_SIDES = (("", "micro"), ("_macro", "macro"), ("_data_row", "per data row"), ("_exact", "exact"))
RATES = (("precision", "precision"), ("recall", "recall"), ("F1", "f1"))
CURVES = (("ROC-AUC", "roc_auc"), ("AP", "average_precision"))
SINGLE = ("accuracy", "balanced_accuracy", "hamming_loss", "log_loss", "mean_iou")
COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")


def show_answers(report: dict[str, Any]) -> None:
    """The numbers of one model, of each question, its categories and what it confuses."""
    console = plain_console()
    sizes = f"{report['images']:,} data rows, {report['labels']:,} labels, {report['predictions']:,} predictions"
    console.print(f"{report['task']}, convention {report['convention']}: {sizes}", style="bold", highlight=False)
    _show_metrics(console, report)
    for part in report.get("questions", []):
        console.print(f"question {part['question']}, {part['kind']}", style="bold", highlight=False, markup=False)
        _show_metrics(console, part)
        _show_categories(console, part["categories"])
        _show_confusion(console, part["confusion"])
    if not report.get("questions"):
        _show_categories(console, report["categories"])
        _show_confusion(console, report["confusion"])
    show_notes(report["notes"], console)


def _show_metrics(console: Console, report: dict[str, Any]) -> None:
    metrics = report["metrics"]
    single = [name for name in metrics if name in SINGLE or name.startswith("top_")]
    at = thresholds({"iou": report.get("iou"), "confidence": report["confidence"]})
    print_table_on(console, [f"at {at}" if at else "", "value"], [(name, metrics[name]) for name in single])
    known = TEXT_SIDES if report.get("task") == "text" else SIDES
    sides = tuple(side for side in known if f"precision{side[0]}" in metrics)
    rows: list[Sequence[Any]] = []
    if sides:
        rows = [(shown, *(metrics[f"{name}{end}"] for end, _ in sides)) for shown, name in RATES]
    if any(f"{name}_macro" in metrics for _, name in CURVES):
        rows += [(shown, *(metrics.get(f"{name}{end}") for end, _ in sides)) for shown, name in CURVES]
    if rows:
        print_table_on(console, ["", *(shown for _, shown in sides)], rows)
    counts = [(name.replace("_", " "), metrics[name]) for name in COUNTS if name in metrics]
    print_table_on(console, ["", "count"], counts)


def _show_categories(console: Console, categories: Sequence[dict[str, Any]]) -> None:
    """Categories by falling number of labels."""
    if not categories:
        return
    rates = [name for name in OF_ANSWER_CATEGORIES if any(row.get(name) is not None for row in categories)]
    ordered = sorted(categories, key=lambda row: -row["labels"])
    rows = [
        (row["name"], row["labels"], row["predictions"], *(row[rate] for rate in rates))
        for row in ordered[:CATEGORIES_SHOWN]
    ]
    print_table_on(console, ["category", "labels", "predictions", *rates], rows)
    if len(ordered) > CATEGORIES_SHOWN:
        console.print(f"… and {len(ordered) - CATEGORIES_SHOWN} more categories: --json has all", style="dim")


def _show_confusion(console: Console, confusion: dict[str, Any] | None) -> None:
    """The largest cells off the diagonal."""
    cells = [cell for cell in (confusion or {"cells": []})["cells"] if cell["true"] != cell["predicted"]]
    named = [cell for cell in cells if None not in (cell["true"], cell["predicted"])][:CELLS_SHOWN]
    if named:
        rows = [(cell["true"], cell["predicted"], cell["count"]) for cell in named]
        print_table_on(console, ["most confused: true", "predicted", "count"], rows)
