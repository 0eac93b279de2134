"""Importance and performance by metric → the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, show_prose, show_table, shown

ROWS_SHOWN = 30
BAR = 20
IMPORTANCE_BAR = 10
LEGEND = (
    "importance: 0 tells nothing of the outcome, 1 tells it alone; p: by permutation, q: p corrected for many metrics;"
    " correlations with the outcome, [95 % interval]"
)
EIGHTHS = " ▏▎▍▌▋▊▉█"
RATE_WORDS = {"true_positive_rate": "true-positive rate", "false_negative_rate": "false-negative rate"}


def bar(share: float | None, width: int = BAR) -> str:
    """A bar as long as the share of its width.

    >>> bar(0.5, 4), bar(None)
    ('██', '')
    """
    if share is None:
        return ""
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    return (EIGHTHS[-1] * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def show_importance(report: dict[str, Any]) -> None:
    """The metrics, the most important first."""
    console = plain_console()
    console.print(_headline(report), style="bold", highlight=False, markup=False, soft_wrap=True)
    rows = report["metrics"]
    if report.get("compat"):
        cells = [(_named(row), row["importance"]) for row in rows[:ROWS_SHOWN]]
        show_table([f"metric ({report['compat']})", "nats"], cells)
    else:
        defined = [row for row in rows if row["reason"] is None]
        defined_cells = [
            (
                row["metric"],
                row["importance"],
                bar(row["importance"], IMPORTANCE_BAR),
                row["p"],
                row["q"],
                *_related(row),
            )
            for row in defined[:ROWS_SHOWN]
        ]
        if defined_cells:
            _show_bars(console, ["metric", "importance", "", "p", "q", "Pearson", "Spearman"], defined_cells)
        without = [(row["metric"], row["reason"]) for row in rows if row["reason"] is not None]
        if without and defined:
            show_table(["metric", "no importance, as"], without, prose=(1,))
    if len(rows) > ROWS_SHOWN:
        console.print(f"at most {ROWS_SHOWN} metrics are shown: --json has all {len(rows)}", style="dim")
    show_notes(report["notes"], console)
    if not report.get("compat"):
        show_prose(console, LEGEND, "dim")


def _named(row: dict[str, Any]) -> str:
    return f"{row['metric']} ({row['mark']})"


def _related(row: dict[str, Any]) -> tuple[str | None, str]:
    pearson = None if row["pearson"] is None else f"{row['pearson']:+.2f}"
    return pearson, _interval(row, "spearman")


def _interval(row: dict[str, Any], name: str) -> str:
    """A correlation with its interval."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None:
        return "–"
    return f"{value:+.2f}" if low is None else f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def _headline(report: dict[str, Any]) -> str:
    share = "" if report["rate"] is None else f", {100 * report['rate']:.1f} % {report['outcome']}"
    model = f"{report['model']}: " if report["model"] else ""
    among = "" if report["by"] == "image" else f" in {report['images']:,} images"
    return f"{model}{report['samples']:,} {report['by']}s{among}{share}"


def _show_bars(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table whose third column holds bars, which begin at its left."""
    print_table_on(console, columns, rows, left=(0, 2))


def show_performance(report: dict[str, Any]) -> None:
    """Each rate by bins of the metric, as bars."""
    console = plain_console()
    unit = f" ({report['unit']})" if report["unit"] else ""
    model = f"{report['model']}: " if report["model"] else ""
    console.print(f"{model}{report['metric']}{unit}", style="bold", highlight=False, markup=False, soft_wrap=True)
    for name, words in RATE_WORDS.items():
        if name not in report["overall"]:
            continue
        rows = [(_bin(one), *_rate(one[name])) for one in report["bins"]]
        rows.append(("all", *_rate(report["overall"][name])))
        _show_bars(console, [words, "rate", "", "95 % interval", "count"], rows)
    if report.get("by_category"):
        _show_categories(report)


def _show_categories(report: dict[str, Any]) -> None:
    """Each category's rate in its lowest and its highest bin, and over all of them."""
    for name, words in RATE_WORDS.items():
        rows = []
        for one in report["by_category"]:
            bins = [part for part in one["bins"] if name in part and part[name]["count"] and not part["missing"]]
            if name in one["overall"] and bins:
                ends = [(_bin(part), part[name]["rate"]) for part in (bins[0], bins[-1])]
                whole = one["overall"][name]
                rows.append((one["category"], whole["rate"], whole["count"], *ends[0], *ends[1]))
        if rows:
            show_table([words, "rate", "count", "first bin", "rate there", "last bin", "rate there"], rows)


def show_performances(report: dict[str, Any]) -> None:
    """Each metric along which a rate was told."""
    for one in report["metrics"]:
        show_performance({"model": report["model"], **one})


def _bin(one: dict[str, Any]) -> str:
    if one["missing"]:
        return "(none)"
    if "value" in one:
        return str(one["value"])
    return f"{one['low_edge']:.4g} – {one['high_edge']:.4g}"


def _rate(rate: dict[str, Any]) -> tuple[Any, ...]:
    if rate["rate"] is None:
        return None, "", "–", rate["count"]
    return rate["rate"], bar(rate["rate"]), f"{shown(rate['low'])} – {shown(rate['high'])}", rate["count"]
