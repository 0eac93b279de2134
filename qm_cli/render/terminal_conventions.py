"""The same files under every convention, and why they differ → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on, show_notes, show_prose

COLUMNS = ("convention", "number", "value", "iou", "confidence", "precision", "recall", "f1")
SMALLEST = 1e-12


def show_conventions(report: dict[str, Any]) -> None:
    """A row per convention, then a table per gap of several steps; those that change nothing are named under it."""
    console = plain_console()
    sizes = f"{report['images']:,} images, {report['labels']:,} labels, {report['predictions']:,} predictions"
    console.print(f"{report['task']}: {sizes}", style="bold", highlight=False)
    rows = [tuple(row[column] for column in COLUMNS) for row in report["conventions"]]
    print_table_on(console, ["convention", "", "average precision", *COLUMNS[3:]], rows)
    for gap in report["gaps"]:
        if len(gap["steps"]) > 1:
            _show_gap(gap)
    show_notes(report["notes"], console)


def _show_gap(gap: dict[str, Any]) -> None:
    console = plain_console()
    idle = [step["step"] for step in gap["steps"] if step["difference"] is not None and not _moves(step)]
    rows = [
        (step["step"], step["change"], step["after"], _signed(step["difference"]))
        for step in gap["steps"]
        if step["step"] not in idle
    ]
    rows = [(gap["from"], "", gap["before"], ""), *rows, (gap["to"], "", gap["after"], _signed(gap["difference"]))]
    print_table_on(console, [gap["number"], "", "value", "change"], rows, left=(0, 1))
    if idle:
        show_prose(console, f"no difference: {', '.join(idle)}", "dim")
        console.print()


def _moves(step: dict[str, Any]) -> bool:
    return bool(abs(step["difference"]) > SMALLEST)


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.4f}"
