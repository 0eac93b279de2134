"""Numbers with their intervals: the same as a comparison's, asked for together or alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.analysis.gate_checks import DROP, MIN, Baseline, Check, Gate, Rules, Scope
from qm_cli.analysis.gate_quantities import quantity_of
from qm_cli.comparing import Request, compare
from qm_cli.gate_measuring import measured
from qm_cli.gate_subject import of_run
from qm_cli.run import score
from qm_cli.run_folder import open_run
from qm_cli.slice_language import Wanted
from qm_cli.slicing import Request as SliceRequest
from qm_cli.slicing import slice_report
from tests.sample_run import SAMPLE, sample_run

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


@pytest.mark.parametrize(
    ("condition", "at"),
    [
        ("category = 'van' AND object.area_relative > 0.02", (0.5, 0.5)),
        ("object.area_relative BETWEEN 0.004 AND 0.02 AND weather <> 'fog'", (0.75, 0.3)),
        ("weather = 'fog'", (0.6, 0.4)),
    ],
)
def test_a_slice_is_counted_as_qm_slices_counts_it(condition: str, at: tuple[float, float], place: Path) -> None:
    """Matches cross the slice's border: labels inside are found by predictions outside, and the other way round."""
    iou, confidence = at
    counts = ("true_positives", "false_positives", "false_negatives", "labels")
    names = (*counts, "precision", "recall", "f1", "AP", "AP75")
    gate = Gate(
        tuple(Check(MIN, name, 0, Scope(slice="own")) for name in names),
        model="worse",
        iou=iou,
        confidence=confidence,
        slices=(("own", condition),),
    )
    subject = of_run(place, gate)
    asked = [(check, quantity) for check in gate.checks if (quantity := quantity_of(check, subject.settings, None))]
    found, _ = measured(gate, subject, asked)
    wanted = Wanted(conditions=(f"own={condition}",))
    (row,) = slice_report(open_run(place, "worse"), SliceRequest(wanted, iou, confidence, resamples=20))["slices"]
    numbers = {**row, **{one["metric"]: one["value"] for one in row["metrics"]}}
    assert [one.value for one in found] == pytest.approx([numbers[name] for name in names], abs=1e-12)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = ("*.area_relative", "image.area")
    return score(SAMPLE, tmp_path_factory.mktemp("sized") / "run", metrics=metrics).path


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
