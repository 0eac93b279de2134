"""Metrics → plain text, without rich: `qm metrics` must be instant."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from qm_cli.table_widths import PIPE_COLUMNS

LEAST = 20
COLUMNS = ("kind", "metric", "unit", "range", "better", "needs")


def metric_list(metrics: Sequence[dict[str, Any]]) -> str:
    """One table per level, with one line per metric."""
    rows = [_row(metric) for metric in metrics]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    parts = []
    for level, group in groupby(zip(metrics, rows, strict=True), key=lambda pair: pair[0]["level"]):
        body = [_line(row, widths) for _, row in group]
        parts.append("\n".join([f"{level}", _line(COLUMNS, widths), *body]))
    optional = ", [name] is used where it is there" if any(metric["takes"] for metric in metrics) else ""
    count = f"{len(metrics)} metrics; qm metrics NAME explains one{optional}"
    return "\n\n".join([*parts, count]) + "\n"


def _row(metric: dict[str, Any]) -> tuple[str, ...]:
    needs = ", ".join([*metric["needs"], *(f"[{name}]" for name in metric["takes"])])
    return (metric["kind"], metric["name"], metric["unit"] or "–", range_text(metric["range"]), metric["better"], needs)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line, of the last cell as much as it takes."""
    head = "  " + "".join(f"{cell:<{width}}  " for cell, width in zip(cells[:-1], widths[:-1], strict=True))
    rest = textwrap.shorten(cells[-1], max(PIPE_COLUMNS - len(head), LEAST), placeholder=" …")
    return f"{head}{rest}".rstrip()


def range_text(limits: Sequence[float | None] | None) -> str:
    """A range as people write it.

    >>> range_text([0, 1]), range_text([0, None]), range_text([None, None]), range_text(None), range_text([0, 1040400])
    ('0..1', '0..', 'any', '–', '0..1,040,400')
    """
    if limits is None:
        return "–"
    low, high = ("" if limit is None else _limit(limit) for limit in limits)
    return f"{low}..{high}" if low or high else "any"


def _limit(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:g}"


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
        "options": ", ".join(options) + (f" (--set {metric['name']}.OPTION=VALUE)" if options else ""),
        "declared in": metric["module"],
    }
    lines = [_fact(name, value) for name, value in facts.items() if value]
    parts = [textwrap.fill(f"{metric['id']}: {metric['meaning']}", PIPE_COLUMNS), "\n".join(lines)]
    parts += [_indented(text) for text in (metric["explanation"], metric["example"]) if text]
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    """Lines as they are written, those too long on several."""
    lines = [
        textwrap.wrap(line, PIPE_COLUMNS - 2) if len(line) > PIPE_COLUMNS - 2 else [line] for line in text.split("\n")
    ]
    return textwrap.indent("\n".join(part for several in lines for part in several), "  ")


def _fact(name: str, value: str) -> str:
    """A fact beside its name, on as many lines as it takes."""
    return textwrap.fill(value, PIPE_COLUMNS, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)
