"""A back-test → the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.headlines import thresholds
from qm_cli.render.terminal import plain_console, print_table_on, show_notes, shown

BLOCKS = "▁▂▃▄▅▆▇█"


def show_back_test(report: dict[str, Any]) -> None:
    """What the batch finds against chance, the curve, and average precision were the batch right."""
    console = plain_console()
    at = thresholds(report)
    by = report["acquisition"] or "no acquisition"
    how = "".join(f", {report[name]}" for name in ("diverse", "sample") if report[name])
    headline = f"{by}{how}: the first {report['size']:,} of {report['samples']:,} images, errors at {at}"
    console.print(headline, style="bold", highlight=False, markup=False, soft_wrap=True)
    chance = f"{_number(report['random'])} ({_number(report['random_low'])} – {_number(report['random_high'])})"
    gain = f"{_number(report['gain'])} ({_number(report['gain_low'])} – {_number(report['gain_high'])})"
    row = (_number(report["found"]), _number(report["errors"]), chance, gain, report["p"])
    print_table_on(console, ["errors found", "of all", "by chance", "times chance", "p"], [row])
    if report["curve"]:
        most = max(report["found"], report["random_high"]) or 1.0
        for name, title in (("found", "found "), ("random", "chance")):
            line = curve_line([point[name] for point in report["curve"]], most)
            console.print(f"{title} {line} {_number(report['curve'][-1][name])}", highlight=False)
        console.print()
    if report["mended"]:
        rows = [
            (name, one["now"], one["mended"], one["gain"], f"{shown(one['random'])} ± {_half(one)}")
            for name, one in report["mended"].items()
        ]
        print_table_on(console, ["", "now", "were they right", "gain", "by chance"], rows)
    if report["gain"] is None:
        show_notes(["undefined: there are no errors, or no image was chosen"], console)


def curve_line(values: Sequence[float], most: float) -> str:
    """Values of 0..most as blocks of rising height.

    >>> curve_line([0, 5, 10], 10)
    '▁▅█'
    """
    return "".join(BLOCKS[min(round(value / most * (len(BLOCKS) - 1)), len(BLOCKS) - 1)] for value in values)


def _half(one: dict[str, Any]) -> str:
    return shown(None if one["random_high"] is None else (one["random_high"] - one["random_low"]) / 2)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
