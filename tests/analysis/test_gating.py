"""Checks: parsed, held against a report, refused when they name what is not there."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.analysis.gating import Bound, gated, known_codes, parsed
from qm_cli.errors import UsageError
from tests.made_run import lost, report


def _one(text: str, side: str = "min", **options: Any) -> dict[str, Any]:
    verdict = gated(report(), [parsed(side, text)], [], **options)
    check: dict[str, Any] = verdict["checks"][0]
    assert verdict["passed"] == check["passed"]
    return check


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("precision=0.8", Bound("min", "precision", None, 0.8)),
        (" AP50 = 0 ", Bound("min", "AP50", None, 0.0)),
        ("recall@a=b@c=0.5", Bound("min", "recall", "a=b@c", 0.5)),
        ("false_positives=100", Bound("min", "false_positives", None, 100)),
    ],
)
def test_parsed(text: str, bound: Bound) -> None:
    assert parsed("min", text) == bound


@pytest.mark.parametrize("text", ["precision", "=0.8", "precision=", "precision=x", "precision=nan", "recall@=0.5"])
def test_what_is_no_check(text: str) -> None:
    with pytest.raises(UsageError, match=r"write --min"):
        parsed("min", text)


def test_a_percentage_is_told() -> None:
    with pytest.raises(UsageError, match=r"write 0\.8 for 80 %"):
        parsed("min", "precision=80")


@pytest.mark.parametrize(
    ("side", "text", "value", "margin", "passed"),
    [
        ("min", "precision=0.75", 0.75, 0.0, True),
        ("min", "precision=0.7500001", 0.75, -1e-7, False),
        ("max", "precision=0.75", 0.75, 0.0, True),
        ("max", "false_positives=2", 3, -1, False),
        ("min", "images=6", 6, 0, True),
        ("min", "recall@cat=0.5", 1.0, 0.5, True),
        ("min", "precision@2=0.6", 0.5, -0.1, False),
    ],
)
def test_a_check(side: str, text: str, value: float, margin: float, passed: bool) -> None:
    check = _one(text, side)
    assert check["value"] == value
    assert check["margin"] == pytest.approx(margin)
    assert check["passed"] is passed
    assert bool(check["reason"]) is not passed


def test_undefined_fails_unless_allowed() -> None:
    assert _one("APs=0.1")["passed"] is False
    assert _one("recall@dog=0")["passed"] is False
    allowed = _one("APs=0.1", allow_undefined=True)
    assert allowed["passed"] is True
    assert allowed["value"] is None
    assert allowed["margin"] is None


def test_lost_rows_are_a_failed_check() -> None:
    bounds = [parsed("min", "precision=0.5")]
    kept = lost() | {"dropped": False}
    assert gated(report(), bounds, [kept])["passed"] is True
    verdict = gated(report(), bounds, [lost()])
    assert verdict["passed"] is False
    assert verdict["checks"][1]["check"] == "findings@prediction-unknown-image ≤ 0"
    assert verdict["checks"][1]["value"] == 3
    allowed = gated(report(), bounds, [lost()], allowed=["prediction-unknown-image"])
    assert allowed["passed"] is True
    assert allowed["notes"] == ["3 × prediction for an image that is not in the labels, left out (first: 77): allowed"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("precison=0.5", "precision"),
        ("map50=0.5", "AP50"),
        ("ap=0.5", "AP"),
        ("name@cat=0.5", "there are"),
        ("AP75@cat=0.5", "AP50"),
        ("recall@cta=0.5", "cat"),
        ("recall@zzz=0.5", "there are cat, dog"),
    ],
)
def test_unknown_names(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        _one(text)
    assert hint in caught.value.hint


def test_a_name_that_two_categories_have() -> None:
    twice = report()
    twice["categories"][1]["name"] = "cat"
    with pytest.raises(UsageError, match="2 categories"):
        gated(twice, [parsed("min", "recall@cat=0.5")], [])


def test_no_check_and_no_such_code() -> None:
    with pytest.raises(UsageError, match="no check"):
        gated(report(), [], [])
    with pytest.raises(UsageError, match="did you mean prediction-bad-box"):
        known_codes(["prediction-badbox"])


def test_a_category_of_several_questions_is_named_with_its_question() -> None:
    rows = [{"id": 1, "name": "yes", "question": question, "f1": value} for question, value in (("a", 0.5), ("b", 0.9))]
    classes = {**report(), "iou": None, "categories": rows}
    verdict = gated(classes, [parsed("min", "f1@b/yes=0.8")], [])
    assert verdict["passed"]
    with pytest.raises(UsageError, match="write a/yes"):
        gated(classes, [parsed("min", "f1@yes=0.8")], [])


def test_log_loss_may_be_larger_than_one() -> None:
    assert gated(report(log_loss=1.25), [parsed("max", "log_loss=1.5")], [])["passed"]
