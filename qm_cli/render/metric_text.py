"""Metrics → plain text, without rich: `qm metrics` must be instant."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

COLUMNS = ("kind", "metric", "unit", "range", "better", "needs")


def metric_list(metrics: Sequence[dict[str, Any]]) -> str:
    """One table per level, with one line per metric."""
    rows = [_row(metric) for metric in metrics]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    parts = []
    for level, group in groupby(zip(metrics, rows, strict=True), key=lambda pair: pair[0]["level"]):
        body = [_line(row, widths) for _, row in group]
        parts.append("\n".join([f"{level}", _line(COLUMNS, widths), *body]))
    count = f"{len(metrics)} metrics; qm metrics NAME explains one"
    return "\n\n".join([*parts, count]) + "\n"


def _row(metric: dict[str, Any]) -> tuple[str, ...]:
    needs = ", ".join([*metric["needs"], *(f"[{name}]" for name in metric["takes"])])
    return (metric["kind"], metric["name"], metric["unit"] or "–", range_text(metric["range"]), metric["better"], needs)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def range_text(limits: Sequence[float | None] | None) -> str:
    """A range as people write it.

    >>> range_text([0, 1]), range_text([0, None]), range_text([None, None]), range_text(None)
    ('0..1', '0..', 'any', '–')
    """
    if limits is None:
        return "–"
    low, high = ("" if limit is None else f"{limit:g}" for limit in limits)
    return f"{low}..{high}" if low or high else "any"


def metric_explained(metric: dict[str, Any]) -> str:
    """Everything about one metric."""
    ranked = metric["ranked_first"]
    better = metric["better"] + (f"; qm rank puts the {ranked} first" if ranked else "; qm rank needs --order")
    options = [f"{name} = {value}" for name, value in metric["options"].items()]
    facts = {
        "level": metric["level"],
        "kind": metric["kind"],
        "unit": metric["unit"] or "–",
        "range": range_text(metric["range"]),
        "better": better,
        "needs": ", ".join(metric["needs"]) or "nothing",
        "takes": ", ".join(metric["takes"]),
        "columns": ", ".join(metric["columns"]) if metric["columns"] != [metric["name"]] else "",
        "options": ", ".join(options) + (f"   (--set {metric['name']}.OPTION=VALUE)" if options else ""),
        "declared in": metric["module"],
    }
    lines = [f"  {name:<12}{value}" for name, value in facts.items() if value]
    parts = [f"{metric['id']}: {metric['meaning']}", "\n".join(lines)]
    parts += [textwrap.indent(text, "  ") for text in (metric["explanation"], metric["example"]) if text]
    return "\n\n".join(parts) + "\n"
