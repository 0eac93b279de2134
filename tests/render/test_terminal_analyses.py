"""The terminal shows the analyses of the JSON, and only those there are."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.analyses import EVERYTHING, analysed_report
from qm_cli.render.terminal import plain_console, show_evaluation
from qm_cli.render.terminal_analyses import SHOWN, show_analyses
from qm_cli.settings import Settings
from tests import builders
from tests.oracles.error_sets import detection_set
from tests.render.screens import printed, rows_below


def made(*names: str, **chosen: Any) -> dict[str, Any]:
    return analysed_report(builders.tables(*detection_set(3)), Settings(**chosen), names)


def show(report: dict[str, Any]) -> None:
    show_analyses(plain_console(), report)


def test_every_analysis_has_a_table() -> None:
    assert set(SHOWN) == set(EVERYTHING)


def test_errors() -> None:
    report = made("errors")
    rows = rows_below(printed(show, report), r"errors \(TIDE")
    assert [[kind, int(count)] for kind, count, _ in rows] == [
        [r["kind"], r["count"]] for r in report["errors"]["kinds"]
    ]


def test_calibration_and_lrp() -> None:
    report = made("calibration", "lrp", calibration_bins=4)
    text = printed(show, report)
    assert f"ECE {report['calibration']['ECE']:.4f}" in text
    assert len(rows_below(text, "confidence")) == 4
    assert rows_below(text, "optimal LRP")[0][:2] == ["mean", f"{report['lrp']['oLRP']:.4f}"]


def test_nothing_asked_nothing_shown() -> None:
    assert printed(show, made()) == ""


@pytest.mark.parametrize("width", [40, 200])
def test_before_the_notes(width: int) -> None:
    report = made(*EVERYTHING, iou=0.1)
    text = printed(show_evaluation, report, show_analyses, tty=True, width=width)
    assert text.index("calibration: ECE") < text.index("note:")
