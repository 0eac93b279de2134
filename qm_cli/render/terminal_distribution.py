"""Distributions and outliers → the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.render.terminal import plain_console, show_notes, show_table, shown

BLOCKS = "\u2800▁▂▃▄▅▆▇█"  # a blank that is no white space: tables strip that at the end
GROUPS_SHOWN = 12
VALUES_SHOWN = 6
IDS_SHOWN = 3
METRICS_SHOWN = 4


def sparkline(counts: Sequence[int]) -> str:
    """Counts as blocks, the highest full; what is not zero is never blank.

    >>> sparkline([0, 1, 8])
    '⠀▁█'
    """
    most = max(counts, default=0)
    return "".join(BLOCKS[-(-count * (len(BLOCKS) - 1) // most)] if most else BLOCKS[0] for count in counts)


def show_distributions(report: dict[str, Any]) -> None:
    """Numbers with quartiles and histogram, codes with their commonest values; a line for each group."""
    console = plain_console()
    console.print(_headline(report), style="bold", highlight=False, markup=False, soft_wrap=True)
    single = report["by"] is None
    own = [] if single else [report["by"]]
    numbers, codes = [], []
    for metric in report["metrics"]:
        for place, group in enumerate(metric["groups"][:GROUPS_SHOWN]):
            name = metric["metric"] if place == 0 else ""
            head = (name,) if single else (name, group["group"])
            if metric["coded"]:
                codes.append((*head, _values(group["values"]), group["nulls"] or None))
            else:
                facts = (group[key] for key in ("min", "q1", "median", "q3", "max", "mean"))
                numbers.append((*head, *map(_short, facts), group["nulls"] or None, sparkline(group["histogram"])))
    if numbers:
        show_table(["metric", *own, "min", "q1", "median", "q3", "max", "mean", "null", "histogram"], numbers)
    if codes:
        show_table(["metric", *own, "values", "null"], codes)
    if len(report["groups"]) > GROUPS_SHOWN:
        console.print(f"… and {len(report['groups']) - GROUPS_SHOWN} more groups: --json has all", style="dim")
    show_notes(report["notes"], console)


def _short(value: float | None) -> str:
    """A number in few characters.

    >>> _short(0.12345), _short(76800.0), _short(None)
    ('0.1235', '76,800', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _values(values: dict[str, int]) -> str:
    told = [f"{name} {shown(count)}" for name, count in list(values.items())[:VALUES_SHOWN] if count]
    return ", ".join(told)


def _headline(report: dict[str, Any]) -> str:
    by = "" if report["by"] is None else f" by {report['by']}"
    return f"{report['rows']:,} {report['level']}s{by}"


def show_outliers(report: dict[str, Any]) -> None:
    """Metrics with what is odd in them, then the samples that are odd in many."""
    console = plain_console()
    console.print(_headline(report), style="bold", highlight=False, markup=False, soft_wrap=True)
    rows = [row for row in report["metrics"] if row["moderate"] or row["severe"]]
    cells = [(row["metric"], *_fences(row), row["severe"], row["moderate"], _first(row["samples"])) for row in rows]
    if cells:
        show_table(["metric", "usual from", "to", "severe", "moderate", "first"], cells)
    quiet = sum(row["moderate"] == 0 and row["severe"] == 0 for row in report["metrics"])
    undefined = [row for row in report["metrics"] if row["moderate"] is None]
    if quiet:
        console.print(f"{quiet} metrics without outliers", style="dim")
    if undefined:
        show_table(["metric", "undefined, as"], [(row["metric"], row["groups"][0]["reason"]) for row in undefined])
    if report["samples"]:
        console.print(f"{report['in_many']:,} {report['level']}s are outliers in two metrics or more", style="bold")
        many = [
            (str(one["id"]), len(one["metrics"]), one["severe"], _names(one["metrics"])) for one in report["samples"]
        ]
        show_table(["id", "metrics", "severe", "which"], many)
    show_notes(report["notes"], console)


def _fences(row: dict[str, Any]) -> tuple[str, str]:
    """The ends of what is usual, where all samples share them."""
    if len(row["groups"]) != 1:
        return "by group", "by group"
    group = row["groups"][0]
    return _short(group["moderate_low"]), _short(group["moderate_high"])


def _first(samples: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{one['id']} ({_short(one['value'])})" for one in samples[:IDS_SHOWN])


def _names(metrics: Sequence[str]) -> str:
    names = [metric.partition(".")[2] for metric in metrics[:METRICS_SHOWN]]
    more = len(metrics) - len(names)
    return ", ".join([*names, *([f"… {more} more"] if more > 0 else [])])
