"""The analyses of an evaluation report → the terminal; a new one is a function and a row of SHOWN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console

from qm_cli.render.terminal import print_table_on, shown
from qm_cli.settings import measure_name

CATEGORIES_SHOWN = 20
LRP_COLUMNS = ("oLRP", "localisation", "false_positives", "false_negatives", "confidence")


def show_analyses(console: Console, report: dict[str, Any]) -> None:
    """Every analysis the report holds."""
    for name, show in SHOWN.items():
        if report.get(name):
            show(console, report[name], measure_name(report["task"]))


def show_errors(console: Console, errors: dict[str, Any], measure: str = "IoU") -> None:
    """Kinds of error with what mending each would add, why predictions are false positives, and the categories."""
    at = f"{measure} {errors['iou']:g}, background {errors['background_iou']:g}, AP {shown(errors['AP'])}"
    rows = [(row["kind"], row["count"], row["delta_AP"]) for row in errors["kinds"]]
    print_table_on(console, [f"errors (TIDE, {at})", "count", "ΔAP"], rows)
    reasons = [(row["reason"].replace("IoU", measure), row["count"]) for row in errors["false_positive_reasons"]]
    print_table_on(console, ["false positives, because", "count"], reasons)
    names = [row["kind"] for row in errors["kinds"]]
    ranked = sorted(errors["categories"], key=lambda row: -max(kind["delta_AP"] or 0.0 for kind in row["kinds"]))
    cells = [(row["name"], row["AP"], *(kind["delta_AP"] for kind in row["kinds"])) for row in ranked]
    _show_first(console, ["ΔAP by category", "AP", *names], cells)


def show_calibration(console: Console, calibration: dict[str, Any], measure: str = "IoU") -> None:
    """The reliability table, then sizes and categories by falling error."""
    at = f"{calibration['predictions']:,} predictions, {measure} {calibration['iou']:g}"
    errors = f"ECE {shown(calibration['ECE'])}, MCE {shown(calibration['MCE'])}"
    console.print(f"calibration: {errors} ({at})", style="bold", highlight=False)
    rows = [
        (f"{shown(one['low_edge'])} – {shown(one['high_edge'])}", one["confidence"], one["accuracy"], *_interval(one))
        for one in calibration["bins"]
    ]
    print_table_on(console, ["confidence", "mean", "right", "95 % interval", "count"], rows)
    sizes = [(row["name"], row["ECE"], row["MCE"], row["predictions"]) for row in calibration["sizes"]]
    print_table_on(console, ["size", "ECE", "MCE", "predictions"], sizes)
    ranked = sorted(calibration["categories"], key=lambda row: -(row["ECE"] or 0.0))
    cells = [(row["name"], row["ECE"], row["MCE"], row["predictions"]) for row in ranked]
    _show_first(console, ["category", "ECE", "MCE", "predictions"], cells)


def _interval(one: dict[str, Any]) -> tuple[str, int]:
    interval = "–" if one["low"] is None else f"{shown(one['low'])} – {shown(one['high'])}"
    return interval, one["count"]


def show_lrp(console: Console, lrp: dict[str, Any], measure: str = "IoU") -> None:
    """Optimal LRP and its components, the mean first, then the categories, the worst first."""
    ranked = sorted(lrp["categories"], key=lambda row: -(row["oLRP"] or 0.0))
    cells = [("mean", *(lrp.get(column) for column in LRP_COLUMNS))]
    cells += [(row["name"], *(row[column] for column in LRP_COLUMNS)) for row in ranked]
    columns = [f"optimal LRP, {measure} {lrp['iou']:g}", *(column.replace("_", " ") for column in LRP_COLUMNS)]
    _show_first(console, columns, cells)


def _show_first(console: Console, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    print_table_on(console, columns, rows[:CATEGORIES_SHOWN])
    if len(rows) > CATEGORIES_SHOWN:
        console.print(f"… and {len(rows) - CATEGORIES_SHOWN} more: --json has all", style="dim", highlight=False)
        console.print()


SHOWN: dict[str, Callable[[Console, dict[str, Any], str], None]] = {
    "errors": show_errors,
    "calibration": show_calibration,
    "lrp": show_lrp,
}
