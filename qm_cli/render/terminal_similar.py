"""What looks alike → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal import plain_console, print_table_on

DECIMALS = 5


def show_similar(report: dict[str, Any]) -> None:
    """The nearest, a line each."""
    console = plain_console()
    headline = f"{report['level']}s most like {report['to']}, by {report['embedder']}; distance: 1 − cosine, 0 is alike"
    console.print(headline, style="bold", highlight=False, markup=False, soft_wrap=True)
    names = list(report["items"][0]) if report["items"] else []
    rows = [[_shown(name, value) for name, value in item.items()] for item in report["items"]]
    if rows:
        print_table_on(console, names, rows)
    else:
        console.print("nothing else has an embedding", style="dim")


def _shown(name: str, value: Any) -> Any:
    """Distances with the digits that tell copies from the nearly same; ids without thousands."""
    return f"{value:.{DECIMALS}f}" if name == "distance" else None if value is None else str(value)
