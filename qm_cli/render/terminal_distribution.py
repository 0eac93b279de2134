"""Distributions and outliers → the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.analysis.outliers import MODERATE, SEVERE
from qm_cli.render.terminal import plain_console, print_table_on, short, show_notes, show_prose, show_table, shown

BLOCKS = "\u2800▁▂▃▄▅▆▇█"  # a blank that is no white space: tables strip that at the end
GROUPS_SHOWN = 12
VALUES_SHOWN = 6
IDS_SHOWN = 3
METRICS_SHOWN = 4
FENCES = (
    f"moderate: more than {MODERATE:g} interquartile ranges beyond the quartiles, severe: more than {SEVERE:g}; only on"
    " the worse side of metrics that have one"
)


def sparkline(counts: Sequence[int]) -> str:
    """Counts as blocks, the highest full; what is not zero is never blank.

    >>> sparkline([0, 1, 8])
    '⠀▁█'
    """
    most = max(counts, default=0)
    return "".join(BLOCKS[-(-count * (len(BLOCKS) - 1) // most)] if most else BLOCKS[0] for count in counts)


def show_distributions(report: dict[str, Any]) -> None:
    """Numbers with their ends, median, mean and histogram, codes with their commonest values; a line a group."""
    console = plain_console()
    console.print(_headline(report), style="bold", highlight=False, markup=False, soft_wrap=True)
    single = report["by"] is None
    numbers, codes = [], []
    for metric in report["metrics"]:
        for place, group in enumerate(metric["groups"][:GROUPS_SHOWN]):
            name = _own_name(metric["metric"], report) if place == 0 else ""
            if metric["coded"]:
                head = (name,) if single else (name, group["group"])
                codes.append((*head, _values(group["values"]), group["nulls"] or None))
            else:
                facts = (short(group[key]) for key in ("min", "median", "mean", "max"))
                head = (name, metric["unit"]) if single else (name or _unit_below(metric, place), group["group"])
                numbers.append((*head, *facts, group["nulls"] or None, sparkline(group["histogram"])))
    if numbers:
        own = "unit" if single else report["by"]
        columns = ["metric", own, "min", "median", "mean", "max", "null", "histogram"]
        print_table_on(console, columns, numbers)
    if codes:
        columns = ["metric", *([] if single else [report["by"]]), "values", "null"]
        show_table(columns, codes, prose=(columns.index("values"),))
    if len(report["groups"]) > GROUPS_SHOWN:
        console.print(f"… and {len(report['groups']) - GROUPS_SHOWN} more groups: --json has all", style="dim")
    show_notes(report["notes"], console)
    if numbers:
        show_prose(console, "null: without a value; histogram: from min to max, far values in its end bars", "dim")


def _own_name(metric: str, report: dict[str, Any]) -> str:
    """The metric without its level, which the headline says."""
    return metric.removeprefix(f"{report['level']}.")


def _unit_below(metric: dict[str, Any], place: int) -> str:
    """Under a metric's name, beside its second group, its unit."""
    return f"  {metric['unit']}" if place == 1 and metric["unit"] else ""


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
    usual = () if report["by"] is not None else ("usual from", "to")
    cells = [
        (
            _own_name(row["metric"], report),
            row["unit"],
            *(_fences(row) if usual else ()),
            row["severe"],
            row["moderate"],
            _first(row["samples"]),
        )
        for row in rows
    ]
    if cells:
        columns = ["metric", "unit", *usual, "severe", "moderate", "furthest, id=value"]
        show_table(columns, cells, prose=(len(columns) - 1,))
    quiet = sum(row["moderate"] == 0 and row["severe"] == 0 for row in report["metrics"])
    undefined = [row for row in report["metrics"] if row["moderate"] is None]
    if quiet:
        console.print(
            f"{quiet} {'metric' if quiet == 1 else 'metrics'} without outliers\n", style="dim", highlight=False
        )
    if undefined:
        reasons = [(_own_name(row["metric"], report), row["groups"][0]["reason"]) for row in undefined]
        show_table(["metric", "undefined, as"], reasons, prose=(1,))
    if report["samples"]:
        console.print(f"{report['in_many']:,} {report['level']}s are outliers in two metrics or more", style="bold")
        many = [
            (str(one["id"]), len(one["metrics"]), one["severe"], _names(one["metrics"])) for one in report["samples"]
        ]
        show_table(["id", "metrics", "severe", "which"], many, prose=(3,))
    show_notes(report["notes"], console)
    if cells:
        show_prose(console, FENCES, "dim", "  ")


def _fences(row: dict[str, Any]) -> tuple[str, str]:
    """The ends of what is usual, which all samples share."""
    group = row["groups"][0]
    return short(group["moderate_low"]), short(group["moderate_high"])


def _first(samples: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{one['id']}={short(one['value'])}" for one in samples[:IDS_SHOWN])


def _names(metrics: Sequence[str]) -> str:
    names = [metric.partition(".")[2] for metric in metrics[:METRICS_SHOWN]]
    more = len(metrics) - len(names)
    return ", ".join([*names, *([f"… {more} more"] if more > 0 else [])])
