"""The summary and the plan of a run → the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qm_cli.headlines import headline, thresholds
from qm_cli.kernels.aggregation import COUNTS
from qm_cli.render.terminal import plain_console, show_notes, show_table, shown

FINDINGS_SHOWN = 12
IMPORTANCES_SHOWN = 5
LEVELS_SHOWN = ("image", "label")


def show_summary(summary: dict[str, Any], place: Path) -> None:
    """Models side by side, how the metrics are distributed, what was found, and where the files are."""
    console = plain_console()
    labels = "no labels" if summary["labels"] is None else f"{summary['labels']:,} labels"
    console.print(
        f"{summary['images']:,} images, {summary['categories']:,} categories, {labels}", style="bold", highlight=False
    )
    console.print()
    _show_models(summary)
    _show_importance(summary.get("importance", {}))
    _show_distributions(summary["metrics"])
    _show_custom(summary.get("custom_metrics", []))
    _show_findings(summary["findings"])
    show_notes(summary["notes"], console)
    console.print(f"Scores and summary are in {place}", style="green", highlight=False, markup=False, soft_wrap=True)


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


def _show_importance(importance: dict[str, Any]) -> None:
    """The first importances of every model, side by side for labels and predictions."""
    for name, levels in importance.items():
        for level, told in levels.items():
            rows = [
                (row["metric"], row["importance"], row["p"], row["q"]) for row in told["metrics"][:IMPORTANCES_SHOWN]
            ]
            if rows:
                drawn = "" if told["samples"] == told["of_samples"] else f" ({told['samples']:,} drawn)"
                show_table([f"{name}: what tells {level}s {told['outcome']}{drawn}", "importance", "p", "q"], rows)


def _show_distributions(rows: list[dict[str, Any]]) -> None:
    """Metrics of images and labels: numbers with their median and ends, codes with their commonest values."""
    shown_rows = [row for row in rows if row["level"] in LEVELS_SHOWN]
    numeric = [row for row in shown_rows if "median" in row]
    if numeric:
        cells = [
            (f"{row['level']}.{row['name']}", row["unit"], row["min"], row["median"], row["max"], row["nulls"] or None)
            for row in numeric
        ]
        show_table(["metric", "unit", "min", "median", "max", "null"], cells)
    coded = [row for row in shown_rows if row.get("values") and row["unit"] == "code"]
    if coded:
        show_table(["metric", "values"], [(f"{row['level']}.{row['name']}", _common(row["values"])) for row in coded])


def _show_custom(rows: list[dict[str, Any]]) -> None:
    """The user's own metrics: numbers as they are put together, counts with what follows from them."""
    of_counts = [*COUNTS, "precision", "recall", "f1"]
    kinds = (("value", ["aggregation", "values", "value"]), ("precision", of_counts))
    for mark, columns in kinds:
        columns = ["level", "category", "subclass", "confidence", *columns]
        told = [(row["metric"], *(row[name] for name in columns)) for row in rows if mark in row]
        if told:
            show_table(["custom metric", *(name.replace("_", " ") for name in columns)], told)


def _common(values: dict[str, int]) -> str:
    return ", ".join(f"{value} {shown(count)}" for value, count in values.items())


def _show_findings(findings: list[dict[str, Any]]) -> None:
    if findings:
        rows = [(f["code"], f["severity"], f["count"], f["meaning"], ", ".join(f["examples"])) for f in findings]
        show_table(["finding", "severity", "count", "meaning", "first"], rows[:FINDINGS_SHOWN])
    if len(findings) > FINDINGS_SHOWN:
        left = len(findings) - FINDINGS_SHOWN
        plain_console().print(f"… and {left} more findings: --json has all", style="dim", highlight=False)


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
