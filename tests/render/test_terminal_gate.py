"""A gate's verdict on the terminal."""

from __future__ import annotations

import pytest

from qm_cli.render.terminal_gate import headline, outcome, show_gate
from tests.made_verdict import drop_verdict, verdict


def test_without_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    show_gate(verdict("precision=0.5", "APs=0.1", "recall=0.9", target="a run [red]"))
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "a run [red], model better, convention coco, IoU 0.5, confidence 0.5"
    assert [line.split() for line in shown[1:5]] == [
        ["check", "value", "limit", "margin", "verdict"],
        ["recall", "≥", "0.9", "0.5000", "0.9000", "-0.4000", "FAIL"],
        ["APs", "≥", "0.1", "–", "0.1000", "–", "FAIL"],
        ["precision", "≥", "0.5", "0.7500", "0.5000", "0.2500", "pass"],
    ]
    assert shown[-4:] == [
        "note: recall is 0.5, 0.4 below the floor of 0.9",
        "note: APs is undefined",
        'note: undefined fails here: --allow-undefined lets it pass, in a gate file on_undefined = "skip"',
        "gate failed: 2 of 3 checks",
    ]


def test_with_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    show_gate(verdict("precision=0.6", "precision=0.7", sure=True))
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == ["check", "value", "low", "high", "limit", "margin", "verdict"]
    assert [line.split()[-1] for line in shown[2:4]] == ["OPEN", "pass"]
    assert shown[-1] == "gate inconclusive: 1 of 2 checks"


def test_words() -> None:
    passed = verdict("precision=0.6")
    assert outcome(passed) == "passed"
    assert outcome(verdict("precision=0.9", "precision=0.7", sure=True)) == "failed: 1 of 2 checks, 1 inconclusive"
    images = {key: value for key, value in passed.items() if key not in ("convention", "iou", "confidence")}
    assert headline({**images, "baseline": "old"}) == "run, model better, baseline old"


def test_a_drop_shows_the_change(capsys: pytest.CaptureFixture[str]) -> None:
    show_gate(drop_verdict())
    line = capsys.readouterr().out.splitlines()[2]
    assert line.split()[-6:] == ["-0.0500", "-0.0700", "-0.0300", "-0.0100", "-0.0400", "FAIL"]


def test_another_task_than_boxes_is_named() -> None:
    found = {"target": "run", "convention": "coco", "iou": 0.5, "confidence": 0.5}
    assert headline({**found, "task": "segm"}).startswith("run, task segm, convention coco")
    assert headline({**found, "task": "bbox"}).startswith("run, convention coco")


def test_of_many_reasons_the_first_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    show_gate(verdict(*["recall=0.9"] * 30, "precision=0.5"))
    text = capsys.readouterr().out
    assert text.count("note: recall is 0.5") == 20
    assert "… and 10 more reasons: --json has all" in text
    assert "undefined" not in text
