"""Verdicts: numbers held against limits, intervals, undefined numbers, lost rows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from qm_cli.analysis.gate_checks import DROP, MAX, MIN, Check, Rules, Scope
from qm_cli.analysis.gating import Interval, Measured, counted, judged, known_codes, lost_rows, verdict_of
from qm_cli.errors import UsageError
from tests.made_run import lost

SURE = Rules(confidence_level=0.95)
BETWEEN = Interval(0.95, 0.7, 0.8, 0.12, 100)


@pytest.mark.parametrize(
    ("side", "limit", "value", "margin", "verdict"),
    [
        (MIN, 0.75, 0.75, 0.0, "pass"),
        (MIN, 0.7500001, 0.75, -1e-7, "fail"),
        (MAX, 0.75, 0.75, 0.0, "pass"),
        (MAX, 2, 3, -1, "fail"),
        (DROP, 0.01, 0.745, 0.005, "pass"),
        (DROP, 0.01, 0.73, -0.01, "fail"),
    ],
)
def test_a_number(side: str, limit: float, value: float, margin: float, verdict: str) -> None:
    check = judged(Check(side, "precision", limit), Measured(value, baseline=0.75 if side == DROP else None))
    assert check["margin"] == pytest.approx(margin)
    assert check["verdict"] == verdict
    assert check["passed"] is (verdict == "pass")
    assert bool(check["reason"]) is (verdict == "fail")


@pytest.mark.parametrize(
    ("side", "limit", "verdict"),
    [
        (MIN, 0.7, "pass"),
        (MIN, 0.71, "inconclusive"),
        (MIN, 0.8, "inconclusive"),
        (MIN, 0.81, "fail"),
        (MAX, 0.8, "pass"),
        (MAX, 0.79, "inconclusive"),
        (MAX, 0.7, "inconclusive"),
        (MAX, 0.69, "fail"),
    ],
)
def test_an_interval(side: str, limit: float, verdict: str) -> None:
    check = Check(side, "precision", limit, rules=SURE)
    assert judged(check, Measured(0.75, 50, BETWEEN))["verdict"] == verdict


def test_an_interval_that_leaves_its_own_number_out() -> None:
    """The number is above the floor, and all that is likely is not."""
    found = judged(Check(MIN, "AP", 0.82, rules=SURE), Measured(0.83, 50, BETWEEN))
    assert (found["verdict"], found["reason"]) == ("fail", "AP lies in 0.7..0.8, below the floor of 0.82")
    assert judged(Check(MAX, "AP", 0.82, rules=SURE), Measured(0.83, 50, BETWEEN))["verdict"] == "pass"


@pytest.mark.parametrize(("rule", "verdict"), [("report", "inconclusive"), ("fail", "fail"), ("pass", "pass")])
def test_what_an_inconclusive_number_is(rule: str, verdict: str) -> None:
    check = Check(MIN, "precision", 0.74, rules=replace(SURE, inconclusive=rule))
    found = judged(check, Measured(0.75, 50, BETWEEN))
    assert found["verdict"] == verdict
    assert "0.7..0.8" in found["reason"]


def test_how_many_more_would_tell() -> None:
    check = Check(MIN, "precision", 0.71, rules=SURE)
    assert "about 900 images would tell" in judged(check, Measured(0.75, 50, BETWEEN))["reason"]
    few = Interval(0.95, None, None, None, 4, "clusters of site")
    reason = judged(check, Measured(0.75, 50, few))["reason"]
    assert reason == "precision is inconclusive: an interval needs 10 clusters of site, there are 4"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_undefined_fails_unless_skipped(value: float | None) -> None:
    assert judged(Check(MIN, "APs", 0.0), Measured(value))["verdict"] == "fail"
    found = judged(Check(MIN, "APs", 0.0, rules=Rules(on_undefined="skip")), Measured(value))
    assert (found["verdict"], found["passed"], found["value"], found["margin"]) == ("skip", True, None, None)
    assert judged(Check(DROP, "AP", 1.0), Measured(0.5, baseline=value))["reason"] == "AP is undefined in the baseline"


def test_too_few_samples_are_undefined_and_told() -> None:
    found = judged(Check(MIN, "recall", 0.5, rules=Rules(min_support=20)), Measured(0.9, 19))
    assert (found["verdict"], found["reason"]) == ("fail", "recall is of 19 samples, 20 are needed")
    assert judged(Check(MIN, "recall", 0.5, rules=Rules(min_support=19)), Measured(0.9, 19))["verdict"] == "pass"
    none = judged(Check(MIN, "recall", 0.5), Measured(None, 0))
    assert none["reason"] == "recall is undefined (0 samples, at least 1 is needed)"


def test_scope_in_the_data() -> None:
    found = judged(Check(MIN, "recall", 0.5, Scope("dog", "night", "small", 0.6, 0.3)), Measured(0.9))
    keys = ("category", "slice", "size", "iou", "confidence")
    assert [found[key] for key in keys] == ["dog", "night", "small", 0.6, 0.3]


def test_lost_rows_are_a_failed_check() -> None:
    assert lost_rows([lost() | {"dropped": False}], []) == ([], [])
    checks, notes = lost_rows([lost()], [])
    assert notes == []
    assert (checks[0]["check"], checks[0]["value"], checks[0]["verdict"]) == (
        "findings@prediction-unknown-image ≤ 0",
        3,
        "fail",
    )
    checks, notes = lost_rows([lost()], ["prediction-unknown-image"])
    assert checks == []
    assert notes == ["3 × prediction for an image that is not in the labels, left out (first: 77): allowed"]


def test_counted() -> None:
    assert counted("data: unreadable", "unreadable", None, 0, 0, "none")["reason"] == ""
    assert counted("data: unreadable share", "unreadable", None, None, 0.1, "no rows", 0)["verdict"] == "fail"


def test_all_together() -> None:
    rows = {
        word: judged(Check(MIN, "precision", limit, rules=SURE), Measured(0.75, 50, BETWEEN))
        for word, limit in (("pass", 0.6), ("inconclusive", 0.75), ("fail", 0.9))
    }
    assert verdict_of([rows["pass"]])["verdict"] == "passed"
    both = verdict_of([rows["pass"], rows["inconclusive"]])
    assert (both["verdict"], both["passed"], both["inconclusive"]) == ("inconclusive", False, 1)
    assert verdict_of(list(rows.values()))["verdict"] == "failed"


def test_no_check_and_no_such_code() -> None:
    with pytest.raises(UsageError, match="no check"):
        verdict_of([])
    with pytest.raises(UsageError, match="did you mean prediction-bad-box"):
        known_codes(["prediction-badbox"])
