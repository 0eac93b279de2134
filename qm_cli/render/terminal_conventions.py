"""The same files under every convention, and why they differ → the terminal."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, show_prose

COLUMNS = ("convention", "number", "value", "iou", "confidence", "precision", "recall", "f1")
COUNTED = ("precision", "recall", "f1")
SMALLEST = 1e-12


def show_conventions(report: dict[str, Any]) -> None:
    """A row per convention, then for each gap a table of average precision and one of precision, recall and F1.

    The one gap that is asked for is told with every parameter; of others those that change nothing are named under it.
    """
    console = plain_console()
    sizes = f"{report['images']:,} images, {report['labels']:,} labels, {report['predictions']:,} predictions"
    console.print(f"{report['task']}: {sizes}", style="bold", highlight=False)
    rows = [tuple(row[column] for column in COLUMNS) for row in report["conventions"]]
    print_table_on(console, ["convention", "", "average precision", *COLUMNS[3:]], rows)
    order = [row["convention"] for row in report["conventions"]]
    by_convention = sorted(report["gaps"], key=lambda gap: order.index(gap["to"]))
    for _, gaps in groupby(by_convention, key=lambda gap: (gap["to"], gap["number"] in COUNTED)):
        _show_gaps(list(gaps), whole=report["against"] is not None)
    if report["gaps"] and report["against"] is None:
        _dim("--against CONVENTION tells one gap with every parameter; --json holds them all")
    show_notes(report["notes"], console)


def _show_gaps(gaps: list[dict[str, Any]], *, whole: bool) -> None:
    """The gaps of numbers that are computed together: their steps are the same ones."""
    first, numbers = gaps[0], [gap["number"] for gap in gaps]
    title, counted = f"{first['from']} → {first['to']}", len(gaps) > 1
    steps = list(zip(*(gap["steps"] for gap in gaps), strict=True))
    moving = [step for step in steps if any(_moves(one) for one in step)]
    idle = ", ".join(step[0]["step"] for step in steps if step not in moving)
    if not (moving or whole):
        _dim(f"{title}, {', '.join(numbers)}: no difference" + (f" by {idle}" if idle else ""))
        return
    rows = [_row(step) for step in (steps if whole else moving)]
    if whole:
        rows += [(name, value, *("" for _ in gaps), "the same") for name, value in first["same"].items()]
    begin, end = (first["from"], "", *_values(gaps, "before"), ""), (first["to"], "", *_values(gaps, "after"))
    heading = [title, "", *numbers, "change of f1"] if counted else [f"{title}: {numbers[0]}", "", "value", "change"]
    print_table_on(plain_console(), heading, [begin, *rows, (*end, _signed(gaps[-1]["difference"]))], left=(0, 1))
    if idle and not whole:
        _dim(f"no difference: {idle}")


def _row(step: tuple[dict[str, Any], ...]) -> tuple[Any, ...]:
    """One step of gaps that are computed together; the change is that of the last of them."""
    return step[0]["step"], step[0]["change"], *_values(step, "after"), _signed(step[-1]["difference"])


def _values(parts: Any, key: str) -> list[float | None]:
    return [part[key] for part in parts]


def _dim(text: str) -> None:
    console = plain_console()
    show_prose(console, text, "dim")
    console.print()


def _moves(step: dict[str, Any]) -> bool:
    """Whether a step changes the number; one that makes it undefined, or defined, does."""
    if step["difference"] is None:
        return bool(step["before"] != step["after"])
    return bool(abs(step["difference"]) > SMALLEST)


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.4f}"
