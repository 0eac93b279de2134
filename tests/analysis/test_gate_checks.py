"""Checks as they are written on the command line; scopes in words; contradictions."""

from __future__ import annotations

import pytest

from qm_cli.analysis.gate_checks import (
    DROP,
    Check,
    Rules,
    Scope,
    each_category,
    parsed,
    refuse_contradictions,
    skipping_undefined,
)
from qm_cli.errors import UsageError
from qm_cli.settings import AreaRange


@pytest.mark.parametrize(
    ("text", "metric", "category", "limit"),
    [
        ("precision=0.8", "precision", None, 0.8),
        (" AP50 = 0 ", "AP50", None, 0.0),
        ("recall@a=b@c=0.5", "recall", "a=b@c", 0.5),
        ("false_positives=100", "false_positives", None, 100),
        ("calibration.slope=7", "calibration.slope", None, 7.0),
    ],
)
def test_parsed(text: str, metric: str, category: str | None, limit: float) -> None:
    assert parsed("min", text) == Check("min", metric, limit, Scope(category), where=f"--min {text!r}")


@pytest.mark.parametrize("text", ["precision", "=0.8", "precision=", "precision=x", "precision=nan", "recall@=0.5"])
def test_what_is_no_check(text: str) -> None:
    with pytest.raises(UsageError, match=r"write --min"):
        parsed("min", text)


def test_a_percentage_is_told() -> None:
    with pytest.raises(UsageError, match=r"write 0\.8 for 80 %"):
        parsed("min", "precision=80")


def test_titles() -> None:
    scope = Scope("dog", "night", AreaRange("area 0–400", 0, 400), 0.75, 0.3)
    assert Check("min", "recall", 0.5, scope).title == (
        "recall@dog (night, area 0–400, IoU 0.75, confidence 0.3) ≥ 0.5"
    )
    assert Check(DROP, "AP", 0.01).title == "AP drops by ≤ 0.01"


def test_each_category() -> None:
    checks, notes = each_category([parsed("min", "recall@*=0.5"), parsed("min", "AP=0.5")], {"cat": 2, "dog": 1})
    assert [check.name for check in checks] == ["recall@cat", "recall@dog", "AP"]
    assert notes == []


def test_each_category_with_labels() -> None:
    """Shares are of categories with labels, counts of all; what is named, or stated, stays as it was asked for."""
    labels = {"cat": 2, "yak": 0, "dog": 1, "emu": 0}
    asked = [parsed("min", text) for text in ("recall@*=0.5", "AP@*=0.1", "labels@*=1", "AP@yak=0.5")]
    checks, notes = each_category(asked, labels)
    shares = [f"{metric}@{name}" for metric in ("recall", "AP") for name in ("cat", "dog")]
    assert [check.name for check in checks] == [*shares, *(f"labels@{name}" for name in labels), "AP@yak"]
    [note] = notes
    assert note.startswith("recall@*, AP@*: 2 categories without labels are left out: yak, emu;")
    for stated in ("fail", "skip"):
        checks, notes = each_category([parsed("min", "AP@*=0.5", Rules(on_undefined=stated))], labels)
        assert ([check.scope.category for check in checks], notes) == (list(labels), [])
    checks, notes = each_category([parsed("min", "AP@*=0.5")], dict.fromkeys(labels, 0))
    assert (len(checks), notes) == (4, [])
    assert each_category([parsed("max", "false_positives@*=5")], labels)[1] == []


def test_skipping_undefined() -> None:
    assert skipping_undefined(parsed("min", "AP=0.5")).rules.on_undefined == "skip"


def test_contradictions() -> None:
    refuse_contradictions([parsed("min", "AP=0.5"), parsed("max", "AP=0.5"), parsed("max", "AP@cat=0.1")])
    refuse_contradictions([Check("min", "AP", 0.5, Scope(size="small")), Check("max", "AP", 0.4)])
    with pytest.raises(UsageError, match=r"no AP is at least 0\.6 and at most 0\.4"):
        refuse_contradictions([parsed("min", text) for text in ("AP=0.6", "AP=0.2")] + [parsed("max", "AP=0.4")])


def test_log_loss_may_be_larger_than_one() -> None:
    assert parsed("max", "log_loss=1.5").limit == 1.5
