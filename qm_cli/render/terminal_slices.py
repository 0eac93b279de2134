"""Slices, named and found → the terminal."""

from __future__ import annotations

import re
from typing import Any

from qm_cli.headlines import thresholds
from qm_cli.render.terminal import chance, plain_console, print_table_on, show_notes, show_prose, show_table

RATES = ("AP", "AP50", "accuracy", "precision", "recall", "f1", "f1_macro")
CERTAIN = ("AP", "accuracy", "precision", "recall")
"""Of those that the report has, each is shown; of these also the interval and the difference."""
SLICES_SHOWN = 40
COLUMNS_SHOWN = 4
LONG_NUMBER = re.compile(r"'[^']*'|(\b\d+\.\d{4,}(?:e[+-]?\d+)?)")


def show_slices(report: dict[str, Any]) -> None:
    """All, then every slice: counts and rates; their intervals and differences; label metrics where there are some."""
    console = plain_console()
    model = f"{report['model']}, " if report["model"] else ""
    at = thresholds(report)
    console.print(f"{model}convention {report['convention']}, {at}", style="bold", markup=False, highlight=False)
    rows = report["slices"]
    counts = ["images", "labels", "predictions"]
    there = [one["metric"] for one in report["overall"]["metrics"]]
    rates, certain = ([name for name in names if name in there] for names in (RATES, CERTAIN))
    cells = [
        (one["name"], *(one[name] for name in counts), *(_value(one, name) for name in rates))
        for one in [{"name": "all", **report["overall"]}, *rows[:SLICES_SHOWN]]
    ]
    print_table_on(console, ["slice", *counts, *rates], cells)
    intervals = [(one["name"], *(_interval(one, name) for name in certain)) for one in rows]
    columns = ["95 % interval", *certain]
    print_table_on(console, columns, intervals[:SLICES_SHOWN])
    differences = [(one["name"], *(_difference(one, name) for name in certain)) for one in rows]
    print_table_on(console, ["slice − all (corrected p)", *columns[1:]], differences[:SLICES_SHOWN])
    _show_labels(rows)
    if len(rows) > SLICES_SHOWN:
        console.print(f"… and {len(rows) - SLICES_SHOWN} more slices: --json has all", style="dim", highlight=False)
    show_notes(report["notes"], console)


def _metric(row: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in row["metrics"] if one["metric"] == name)
    return found


def _value(row: dict[str, Any], name: str) -> float | None:
    value: float | None = _metric(row, name)["value"]
    return value


def _interval(row: dict[str, Any], name: str) -> str | None:
    one = _metric(row, name)
    return None if one["low"] is None else f"{one['low']:.4f} … {one['high']:.4f}"


def _difference(row: dict[str, Any], name: str) -> str | None:
    one = _metric(row, name)
    if one["difference"] is None:
        return None
    return f"{one['difference']:+.4f}" + ("" if one["p"] is None else f" ({chance(one['p_corrected'])})")


def _show_labels(rows: list[dict[str, Any]]) -> None:
    """Rates of label errors and means of label metrics, a column per slice."""
    told = [row for row in rows if "label_metrics" in row]
    if not told:
        return
    console, names = plain_console(), [row["name"] for row in told[:COLUMNS_SHOWN]]
    errors = [
        (word, *(_share(row["label_errors"][word]) for row in told[:COLUMNS_SHOWN])) for word in told[0]["label_errors"]
    ]
    print_table_on(console, ["labels that are", *names], errors)
    means = [
        (one["metric"], *(row["label_metrics"][place]["mean"] for row in told[:COLUMNS_SHOWN]))
        for place, one in enumerate(told[0]["label_metrics"])
    ]
    if means:
        show_table(["mean of", *names], means)
    if len(told) > COLUMNS_SHOWN:
        console.print(f"… and {len(told) - COLUMNS_SHOWN} more slices: --json has all", style="dim", highlight=False)


def _share(rate: dict[str, Any]) -> str | None:
    if rate["rate"] is None:
        return None
    return f"{rate['rate']:.2f} ({rate['low']:.2f}–{rate['high']:.2f})"


def show_discovery(report: dict[str, Any]) -> None:
    """The slices that were tested, those that are weak for certain first."""
    console = plain_console()
    model = f"{report['model']}: " if report["model"] else ""
    rate = "" if report["rate"] is None else f", {100 * report['rate']:.1f} % {report['outcome']}"
    what = "images" if report["cluster"] is None else f"clusters of {report['cluster']}"
    own = report["iou"] is not None or report["confidence"] is not None
    at = f" ({thresholds(report)})" if own else ""
    line = f"{model}{report['samples']:,} {report['level']}s in {report['units']:,} {what}{rate}{at}"
    console.print(line, style="bold", highlight=False, markup=False, soft_wrap=True)
    if report["explored"]:
        line = f"{report['explored']:,} slices counted on one half, {report['carried']} measured on the other"
        console.print(f"{line}, {report['found']} weak for certain", highlight=False, markup=False, soft_wrap=True)
    cells = [
        (
            definition_shown(one["definition"]),
            "weak" if one["found"] else "–",
            one["count"],
            one["rate"],
            *_held_out(one["held_out"]),
            one["similar_count"],
        )
        for one in report["slices"]
    ]
    if cells:
        columns = ["slice", "verdict", "samples", "rate", "effect", "95 % interval", "corrected p", "alike"]
        print_table_on(console, columns, cells, prose=(0,))
    if any(definition_shown(one["definition"]) != one["definition"] for one in report["slices"]):
        show_prose(console, "bounds are shown with 4 digits: --json has them as they are", "dim")
    show_notes(report["notes"], console)


def definition_shown(definition: str) -> str:
    """A definition whose long numbers have 4 digits.

    >>> definition_shown("a >= 0.25152638281191353 AND b = 'x 0.25152638281191353' AND c < 12")
    "a >= 0.2515 AND b = 'x 0.25152638281191353' AND c < 12"
    """
    return LONG_NUMBER.sub(lambda found: found[0] if found[1] is None else f"{float(found[1]):.4g}", definition)


def _held_out(one: dict[str, Any] | None) -> tuple[str | None, str | None, str | None]:
    if one is None:
        return None, "too few samples", None
    return f"{one['effect']:+.4f}", f"{one['low']:+.4f} … {one['high']:+.4f}", chance(one["p_corrected"])
