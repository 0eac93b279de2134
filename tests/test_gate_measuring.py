"""Numbers with their intervals: the same as a comparison's, asked for together or alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.analysis.gate_checks import DROP, MIN, Baseline, Check, Gate, Rules, Scope
from qm_cli.analysis.gate_quantities import quantity_of
from qm_cli.comparing import Request, compare
from qm_cli.gate_measuring import measured
from qm_cli.gate_subject import of_run
from tests.sample_run import sample_run

SURE = Rules(confidence_level=0.95)
METRICS = ("AP", "AP50", "AR100", "precision", "recall", "f1")


def test_intervals_are_those_of_a_comparison() -> None:
    checks = [Check(side, name, 0.01, rules=SURE) for side in (MIN, DROP) for name in METRICS]
    gate = Gate(
        tuple(checks), model="better", baseline=Baseline(sample_run(), "worse", correction="none"), resamples=100
    )
    subject = of_run(sample_run(), gate)
    asked = [(check, quantity) for check in checks if (quantity := quantity_of(check, subject.settings, None))]
    found, _ = measured(gate, subject, asked)
    report, _ = compare(Request((Path(sample_run()),), ("worse", "better"), resamples=100))
    rows = {row["metric"]: row for row in report["metrics"]}
    for place, name in enumerate(METRICS):
        own, drop, row = found[place], found[place + len(METRICS)], rows[name]
        assert own.interval is not None
        assert drop.interval is not None
        assert [own.value, own.interval.low, own.interval.high] == pytest.approx(
            [row["b"], row["b_low"], row["b_high"]], abs=1e-12
        )
        assert [drop.baseline, drop.interval.low, drop.interval.high, drop.interval.smallest] == pytest.approx(
            [row["a"], row["low"], row["high"], row["smallest_difference"]], abs=1e-12
        )


def test_only_what_is_asked_for_has_an_interval() -> None:
    checks = [Check(MIN, "recall", 0.1, Scope(iou=0.6)), Check(MIN, "labels", 1, Scope(size="small"), SURE)]
    gate = Gate(tuple(checks), model="better")
    subject = of_run(sample_run(), gate)
    asked = [(check, quantity) for check in checks if (quantity := quantity_of(check, subject.settings, None))]
    found, notes = measured(gate, subject, asked)
    assert [one.interval for one in found] == [None, None]
    assert found[1].value == int(found[1].value or 0)
    assert "no interval" in found[1].note
    assert notes == []
