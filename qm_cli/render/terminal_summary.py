"""The summary of a run → the terminal: what is worth a look first, then the numbers, then where to go on."""

from __future__ import annotations

import shlex
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from qm_cli.headlines import headline, thresholds
from qm_cli.kernels.aggregation import COUNTS
from qm_cli.render.terminal import plain_console, short, show_notes, show_prose, show_table

WORTH_SHOWN, DRIVERS_SHOWN, METRICS_SHOWN = 12, 2, 6
CERTAIN = 0.05
MOST_ODD = 0.1
LEVELS_SHOWN = ("image", "label")
STYLES = {"error": "red", "warning": "yellow", "info": "dim"}


def show_summary(summary: dict[str, Any], place: Path | str, dataset: str = "DATASET") -> None:
    """What was read, what is worth a look, models, what drives them, odd metrics, notes and the next commands.

    dataset: how the dataset was named on the command line, with the options that say which files are read.
    """
    console = plain_console()
    show_prose(console, _read(summary), "bold", "  ")
    console.print()
    run = shlex.quote(str(place))
    _show_attention(console, summary.get("attention", []), {"RUN": run, "DATASET": dataset})
    _show_models(summary)
    _show_drivers(summary.get("importance", {}))
    _show_odd(summary)
    _show_custom(summary.get("custom_metrics", []))
    show_notes(summary["notes"], console)
    _show_next(console, summary, run)
    console.print(f"Scores and summary are in {place}", style="green", highlight=False, markup=False, soft_wrap=True)


def _read(summary: dict[str, Any]) -> str:
    labels = "no labels" if summary["labels"] is None else f"{summary['labels']:,} labels"
    line = f"{summary['images']:,} images, {summary['categories']:,} categories, {labels}"
    models = [
        f"{name} ({report['predictions']:,} predictions)" if report else name
        for name, report in summary["models"].items()
    ]
    return f"{line}; {'model' if len(models) == 1 else 'models'} {', '.join(models)}" if models else line


def _show_attention(console: Console, rows: list[dict[str, Any]], words: dict[str, str]) -> None:
    """Counts with code and meaning, under each group of them the command that shows more."""
    if not rows:
        console.print("nothing found that is worth a look\n", style="dim")
        return
    console.print("worth a look, the worst first", style="bold cyan")
    wide = max(len(row["code"]) for row in rows)
    for command, group in groupby(rows[:WORTH_SHOWN], lambda row: row["command"]):
        for row in group:
            told = f"{row['count']:>6,}  {row['code']:<{wide}}  {row['meaning']}"
            show_prose(console, told, STYLES[row["severity"]], " " * (wide + 10))
        parts = [word.partition("/") for word in command.split(" ")]
        filled = " ".join(f"{words.get(first, first)}{slash}{rest}" for first, slash, rest in parts)
        console.print(f"{'':8}→ {filled}", highlight=False, markup=False, soft_wrap=True)
    if len(rows) > WORTH_SHOWN:
        console.print(f"… and {len(rows) - WORTH_SHOWN} more findings: --json has all", style="dim", highlight=False)
    console.print()


def _show_models(summary: dict[str, Any]) -> None:
    evaluated = {name: report for name, report in summary["models"].items() if report}
    if not evaluated:
        return
    first = next(iter(evaluated.values()))
    task = "" if first["task"] == "bbox" else f"{first['task']}, "
    at = f"{task}{first['convention']}, {thresholds(first)}"
    columns = headline(first, first["metrics"])
    rows = [(name, *(report["metrics"].get(column) for column in columns)) for name, report in evaluated.items()]
    show_table([f"model ({at})", *columns], rows)


def _show_drivers(importance: dict[str, Any]) -> None:
    """The first important metrics of every model's labels and predictions, a line each."""
    rows = []
    for name, levels in importance.items():
        for level, told in levels.items():
            sure = [row for row in told["metrics"] if row["p"] is not None and row["p"] <= CERTAIN]
            drawn = "" if told["samples"] == told["of_samples"] else f", {told['samples']:,} drawn"
            first = ", ".join(f"{row['metric']} {row['importance']:.2f}" for row in sure[:DRIVERS_SHOWN])
            if told["metrics"]:
                rows.append((f"{name}: {level}s {told['outcome']}{drawn}", first or "–"))
    if rows:
        show_table(["what tells", f"importance, 0..1, where p ≤ {CERTAIN:g}"], rows, prose=(1,))


def _show_odd(summary: dict[str, Any]) -> None:
    """Metrics of images and labels with severe outliers; where more than a tenth are, the values are spread so."""
    known = {f"{row['level']}.{row['name']}": row for row in summary["metrics"] if "median" in row}
    counted = [
        (row["severe"], known[row["metric"]], row["metric"])
        for level in LEVELS_SHOWN
        for row in summary.get("outliers", {}).get("data", {}).get(level, [])
        if row["severe"] and row["metric"] in known
    ]
    odd = [one for one in counted if one[0] <= MOST_ODD * one[1]["rows"]]
    odd.sort(key=lambda one: (-one[0], one[2]))
    cells = [
        (name, row["unit"], severe, *(short(row[end]) for end in ("min", "median", "max")), row["nulls"] or None)
        for severe, row, name in odd[:METRICS_SHOWN]
    ]
    if cells:
        show_table(["metric", "unit", "severe outliers", "min", "median", "max", "null"], cells)


def _show_custom(rows: list[dict[str, Any]]) -> None:
    """The user's own metrics: numbers as they are put together, counts with what follows from them."""
    of_counts = [*COUNTS, "precision", "recall", "f1"]
    kinds = (("value", ["aggregation", "values", "value"]), ("precision", of_counts))
    for mark, columns in kinds:
        columns = ["level", "category", "subclass", "confidence", *columns]
        told = [(row["metric"], *(row[name] for name in columns)) for row in rows if mark in row]
        if told:
            show_table(["custom metric", *(name.replace("_", " ") for name in columns)], told)


def _show_next(console: Console, summary: dict[str, Any], run: str) -> None:
    """Where to go on from here, of what the run has."""
    evaluated = [name for name, report in summary["models"].items() if report]
    first = f" --model {shlex.quote(evaluated[0])}" if len(summary["models"]) > 1 and evaluated else ""
    importance = any(summary.get("importance", {}).values())
    numbers = any("median" in row and row["level"] in LEVELS_SHOWN for row in summary["metrics"])
    commands = [
        (f"qm describe {run}", "every metric, with its histogram", numbers),
        (f"qm outliers {run}", "what lies far out", numbers),
        (f"qm importance {run}{first} --by label", "what drives right and wrong", importance),
        (f"qm slices {run}{first} --discover", "where a model is weak", importance),
    ]
    if len(evaluated) > 1:
        both = f"--model {shlex.quote(evaluated[0])} --model-b {shlex.quote(evaluated[1])}"
        commands.append((f"qm compare {run} {both}", "the better of two models", True))
    told = [(command, why) for command, why, there in commands if there]
    for place, (command, why) in enumerate(told):
        head = "next: " if place == 0 else "      "
        console.print(f"{head}{command}  ({why})", highlight=False, markup=False, soft_wrap=True)


def show_plan(plan: dict[str, Any]) -> None:
    """Which files are read, what will run and what is skipped and why."""
    console = plain_console()
    for name, value in plan["files"].items():
        console.print(f"{name}: {value}", highlight=False, markup=False, soft_wrap=True)
    console.print()
    steps = [(step["metric"], ", ".join(step["inputs"].values())) for step in plan["steps"]]
    show_table(["metric", "needs"], steps, prose=(1,))
    if plan["skipped"]:
        show_table(["skipped", "because"], [(item["metric"], item["reason"]) for item in plan["skipped"]], prose=(1,))
