"""The answers to an evaluation's further questions → the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console

from qm_cli.answer_task import TASKS
from qm_cli.headlines import thresholds
from qm_cli.render.terminal import plain_console, print_table_on, show_evaluation, show_notes, show_prose, shown
from qm_cli.settings import measure_name

CATEGORIES_SHOWN = 20
CELLS_SHOWN = 12
MATRIX_CATEGORIES = 8
SAMPLES_SHOWN = 20
NOTHING = "none"
GRID_SHOWN = (("precision", "precision"), ("recall", "recall"), ("F1", "f1"))
COUNTS = ("true_positives", "false_positives", "false_negatives")


def show_answers(report: dict[str, Any], show_more: Callable[[Console, dict[str, Any]], None] | None = None) -> None:
    """What was asked for; the whole evaluation where that was only how to compute it; `show_more` before the notes."""
    answers: list[tuple[str, Callable[[Console, Any, str], None]]] = [
        ("cells", _show_cells),
        ("grid", _show_grid),
        ("examples", _show_examples),
        ("thresholds", _show_thresholds),
    ]
    given = [(show, report[name]) for name, show in answers if name in report]
    if not given:
        show_evaluation(report, show_more)
        if "normalise" in report["confusion"]:
            _show_matrix(plain_console(), report["confusion"])
        return
    console = plain_console()
    units = "data rows" if report["task"] in TASKS else "images"
    sizes = f"{report['images']:,} {units}, {report['labels']:,} labels, {report['predictions']:,} predictions"
    headline = f"{report['task']}, convention {report['convention']}: {sizes}"
    console.print(headline, style="bold", highlight=False)
    console.print()
    for show, answer in given:
        show(console, answer, report["task"])
    if show_more is not None:
        show_more(console, report)
    show_notes(report["notes"], console)


def _show_cells(console: Console, cells: Sequence[dict[str, Any]], task: str) -> None:
    for cell in cells:
        own = isinstance(cell["confidence"], str)
        named = ", ".join(_own_at(cell, task)) if own else _at(cell, task)
        at = f"at {named}"
        console.print(at, style="bold", highlight=False, markup=False)
        names = [name for name in ("precision", "recall", "f1", "f_beta", "mean_iou") if name in cell["metrics"]]
        columns = ["category", *(["confidence"] if own else []), *COUNTS, *names]
        ordered = sorted(cell["categories"], key=lambda row: -sum(row[name] or 0 for name in (COUNTS[0], COUNTS[2])))
        rows = [("all", *(cell["metrics"].get(name) for name in columns[1:]))]
        rows += [(_named(row), *(row.get(name) for name in columns[1:])) for row in ordered[:CATEGORIES_SHOWN]]
        print_table_on(console, [column.replace("_", " ") for column in columns], rows)
        _more(console, len(ordered) - CATEGORIES_SHOWN, "categories")
        if cell["confusion"] is not None:
            _show_matrix(console, cell["confusion"])


def _named(row: dict[str, Any]) -> str:
    return f"{row['question']}: {row['name']}" if row.get("question") is not None else str(row["name"])


def _own_at(cell: dict[str, Any], task: str) -> list[str]:
    """The thresholds of a cell at a file's confidences."""
    measure = [] if cell["iou"] is None else [f"{measure_name(task)} {cell['iou']:g}"]
    return [*measure, f"confidence {cell['confidence']}"]


def _show_matrix(console: Console, confusion: dict[str, Any]) -> None:
    """The whole matrix of few categories, else its largest cells off the diagonal."""
    value = "share" if "normalise" in confusion else "count"
    told = f", share of {confusion['normalise']}" if value == "share" else ""
    console.print(f"confusion, {confusion['orientation']}{told}", style="bold", highlight=False)
    cells = confusion["cells"]
    names = list(
        dict.fromkeys(cell[side] for side in ("true", "predicted") for cell in cells if cell[side] is not None)
    )
    if len(names) > MATRIX_CATEGORIES:
        wrong = [cell for cell in cells if cell["true"] != cell["predicted"]]
        wrong.sort(key=lambda cell: -cell[value])
        rows = [(_name(cell["true"]), _name(cell["predicted"]), cell["count"], cell[value]) for cell in wrong]
        columns = ["true", "predicted", "count", "share"]
        width = 4 if value == "share" else 3
        print_table_on(console, columns[:width], [row[:width] for row in rows[:CELLS_SHOWN]])
        _more(console, len(wrong) - CELLS_SHOWN, "cells")
        return
    found = {(cell["true"], cell["predicted"]): cell[value] for cell in cells}
    sides = [*names, None]
    empty = 0.0 if value == "share" else 0
    lines = [(_name(true), *(found.get((true, predicted), empty) for predicted in sides)) for true in sides]
    print_table_on(console, ["true \\ predicted", *map(_name, sides)], lines)


def _name(category: str | None) -> str:
    return NOTHING if category is None else category


def _more(console: Console, left_out: int, what: str) -> None:
    if left_out > 0:
        console.print(f"… and {left_out:,} more {what}: --json has all", style="dim", highlight=False)
        console.print()


def _at(cell: dict[str, Any], task: str) -> str:
    return thresholds({**cell, "task": task})


def _show_grid(console: Console, grid: dict[str, Any], task: str) -> None:
    """Each rate over all categories, a row an IoU and a column a confidence."""
    measure = measure_name(task)
    confidences = [f"{one:g}" for one in grid["confidences"]]
    for title, name in GRID_SHOWN:
        console.print(f"{title}, rows {measure}, columns confidence", style="bold", highlight=False)
        rows = [(f"{iou:g}", *line) for iou, line in zip(grid["ious"], grid["overall"][name], strict=True)]
        print_table_on(console, [measure, *confidences], rows)
    if "AP" in grid["overall"]:
        rows = [(f"{iou:g}", value) for iou, value in zip(grid["ious"], grid["overall"]["AP"], strict=True)]
        print_table_on(console, [measure, "AP"], rows)


def _show_examples(console: Console, cells: Sequence[dict[str, Any]], task: str) -> None:
    for cell in cells:
        samples = cell["samples"]
        columns = [name for name in (samples or [{}])[0] if name != "prediction_row"]
        names = f"predicted {_name(cell['predicted'])}, true {_name(cell['true'])}"
        at = f"at {_at(cell, task)}, samples: {len(samples):,}"
        console.print(f"{names}, {at}", style="bold", highlight=False, markup=False)
        rows = [tuple(_plain(name, sample[name]) for name in columns) for sample in samples[:SAMPLES_SHOWN]]
        if rows:
            print_table_on(console, [column.replace("_", " ") for column in columns], rows)
        _more(console, len(samples) - SAMPLES_SHOWN, "samples")


def _plain(name: str, value: Any) -> Any:
    """Ids as they are, without thousands apart."""
    return value if value is None or name in ("score", "iou") else str(value)


def _show_thresholds(console: Console, found: dict[str, Any], task: str) -> None:
    """The confidence of each category beside what it reaches on the images it was not chosen on."""
    for target in found["targets"]:
        names = list(dict.fromkeys(name for row in _all(target) for name in row["held_out"]))
        at = "" if found["iou"] is None else f" at {measure_name(task)} {found['iou']:g}"
        console.print(f"confidence for {target['target']}{at}", style="bold", highlight=False)
        rows = [
            (row["name"], row["confidence"], *(_estimate(row["held_out"].get(name)) for name in names))
            for row in _all(target)[: CATEGORIES_SHOWN + 1]
        ]
        print_table_on(
            console, ["category", "confidence", *(f"held-out {name.replace('_', ' ')}" for name in names)], rows
        )
        _more(console, len(target["categories"]) - CATEGORIES_SHOWN, "categories")
    told = f"held-out: chosen on {found['folds'] - 1} of {found['folds']} folds of the images, tried on the other"
    show_prose(console, f"{told}; intervals {found['interval']}", "dim")
    if "matching" in found:
        show_prose(console, found["matching"], "dim")


def _all(target: dict[str, Any]) -> list[dict[str, Any]]:
    """All categories together, then each by falling number of labels found or missed."""
    ordered = sorted(target["categories"], key=lambda row: -sum(row[name] or 0 for name in (COUNTS[0], COUNTS[2])))
    return [{"name": "all", **target["overall"]}, *ordered]


def _estimate(estimate: dict[str, Any] | None) -> str | None:
    """A value and its interval.

    >>> _estimate({"value": 0.5, "low": 0.25, "high": None}), _estimate({"value": 0.5, "low": 0.25, "high": 0.75})
    ('0.5000', '0.5000 (0.2500 … 0.7500)')
    """
    if estimate is None or estimate["value"] is None:
        return None
    if None in (estimate["low"], estimate["high"]):
        return shown(estimate["value"])
    return f"{shown(estimate['value'])} ({shown(estimate['low'])} … {shown(estimate['high'])})"
