"""Metrics → plain text, without rich: `qm metrics` must be instant."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from qm_cli.table_widths import GAP, PIPE_COLUMNS, total

LEAST = 20
INDENT = 2
COLUMNS = ("kind", "metric", "unit", "range", "better", "needs")
LEAST_WANTED = ("needs", "range", "kind", "unit", "better")


def metric_list(metrics: Sequence[dict[str, Any]], room: int = PIPE_COLUMNS) -> str:
    """One table per level, with one line per metric of at most `room` columns.

    Where they do not fit, the facts that `LEAST_WANTED` names first are left out, and that is said.
    """
    rows = [_row(metric) for metric in metrics]
    natural = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    shown = _shown(natural, room)
    widths = [natural[place] for place in shown]
    parts = []
    for level, group in groupby(zip(metrics, rows, strict=True), key=lambda pair: pair[0]["level"]):
        body = [_line([row[place] for place in shown], widths, room) for row in (COLUMNS, *(row for _, row in group))]
        parts.append("\n".join([f"{level}", *body]))
    needed = len(COLUMNS) - 1 in shown and any(metric["takes"] for metric in metrics)
    optional = ", [name] is used where it is there" if needed else ""
    left = [COLUMNS[place] for place in range(len(COLUMNS)) if place not in shown]
    told = f", {', '.join(left)} too, for which there is no room here" if left else ""
    count = f"{len(metrics)} metrics; qm metrics NAME explains one{told}{optional}"
    return "\n\n".join([*parts, textwrap.fill(count, max(room, LEAST))]) + "\n"


def _shown(widths: Sequence[int], room: int) -> list[int]:
    """Places of the columns that fit side by side; the last may be shortened, the name of the metric always stays."""
    shown = list(range(len(COLUMNS)))
    for name in LEAST_WANTED:
        taken = [min(widths[place], LEAST) if place == len(COLUMNS) - 1 else widths[place] for place in shown]
        if INDENT + total(taken) <= room:
            break
        shown.remove(COLUMNS.index(name))
    return shown


def _row(metric: dict[str, Any]) -> tuple[str, ...]:
    needs = ", ".join([*metric["needs"], *(f"[{name}]" for name in metric["takes"])])
    return (metric["kind"], metric["name"], metric["unit"] or "–", range_text(metric["range"]), metric["better"], needs)


def _line(cells: Sequence[str], widths: Sequence[int], room: int) -> str:
    """One line, of the last cell as much as it takes."""
    gap = " " * GAP
    head = " " * INDENT + "".join(f"{cell:<{width}}{gap}" for cell, width in zip(cells[:-1], widths[:-1], strict=True))
    rest = textwrap.shorten(cells[-1], max(room - len(head), LEAST), placeholder=" …")
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


def metric_explained(metric: dict[str, Any], room: int = PIPE_COLUMNS) -> str:
    """Everything about one metric, in lines of at most `room` columns and never more than are good to read."""
    room = max(min(room, PIPE_COLUMNS), 2 * LEAST)
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
    lines = [_fact(name, value, room) for name, value in facts.items() if value]
    parts = [textwrap.fill(f"{metric['id']}: {metric['meaning']}", room), "\n".join(lines)]
    parts += [_indented(text, room) for text in (metric["explanation"], metric["example"]) if text]
    return "\n\n".join(parts) + "\n"


def _indented(text: str, room: int) -> str:
    """Lines as they are written, those too long on several."""
    lines = [textwrap.wrap(line, room - 2) if len(line) > room - 2 else [line] for line in text.split("\n")]
    return textwrap.indent("\n".join(part for several in lines for part in several), "  ")


def _fact(name: str, value: str, room: int) -> str:
    """A fact beside its name, on as many lines as it takes."""
    return textwrap.fill(value, room, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)
