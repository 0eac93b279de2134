"""A gate held against the sample data: scopes, intervals, a baseline, data; what does not go is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.analysis.gate_checks import (
    DROP,
    MAX,
    MIN,
    Baseline,
    Ceiling,
    Check,
    DataRules,
    Gate,
    Rules,
    Scope,
)
from qm_cli.deciding import decide
from qm_cli.errors import UsageError
from qm_cli.gate_subject import of_files, of_run
from qm_cli.load import load_tables
from qm_cli.run import evaluate
from tests.input_files import document, label, prediction, write
from tests.sample_run import BETTER, LABELS, sample_run

SURE = Rules(confidence_level=0.95)


def decided(*checks: Check, **gate: Any) -> dict[str, Any]:
    wanted = Gate(checks, **{"model": "better", "resamples": 100, **gate})
    return decide(wanted, of_run(sample_run(), wanted))


def test_numbers_are_the_evaluations_own() -> None:
    scopes = [Scope(iou=0.7, confidence=confidence) for confidence in (0.3, 0.9)]
    names = ("precision", "recall", "f1_macro", "false_positives")
    verdict = decided(*(Check(MIN, name, 0.0, scope) for name in names for scope in scopes))
    reports = [evaluate(LABELS, BETTER, iou=0.7, confidence=scope.confidence)["metrics"] for scope in scopes]
    expected = [report[name] for name in names for report in reports]
    assert [row["value"] for row in verdict["checks"]] == pytest.approx(expected, abs=1e-12)
    own = evaluate(LABELS, BETTER)
    plain = decided(Check(MIN, "AP", 0.0), Check(MIN, "APs", 0.0, rules=SURE), Check(MIN, "recall", 0.0, Scope("van")))
    van = next(row for row in own["categories"] if row["name"] == "van")
    assert [row["value"] for row in plain["checks"]] == pytest.approx(
        [own["metrics"]["AP"], own["metrics"]["APs"], van["recall"]], abs=1e-12
    )
    assert plain["checks"][1]["low"] < own["metrics"]["APs"] < plain["checks"][1]["high"]
    assert plain["checks"][2]["support"] == van["labels"]


def test_a_number_that_only_the_report_has_at_other_thresholds() -> None:
    verdict = decided(Check(MIN, "confusion.iou", 0.0, Scope(iou=0.8)), Check(MIN, "AR10", 0.0, Scope(iou=0.8)))
    assert verdict["checks"][0]["value"] == 0.8
    assert verdict["checks"][1]["value"] == evaluate(LABELS, BETTER)["metrics"]["AR10"]


def test_the_gates_own_thresholds() -> None:
    verdict = decided(Check(MIN, "recall", 0.0), iou=0.8, confidence=0.3)
    assert (verdict["iou"], verdict["confidence"]) == (0.8, 0.3)
    expected = evaluate(LABELS, BETTER, iou=0.8, confidence=0.3)["metrics"]["recall"]
    assert verdict["checks"][0]["value"] == expected
    inside = decided(Check(MIN, "recall", 0.0, Scope(size="all")), iou=0.8, confidence=0.3)
    assert inside["checks"][0]["value"] == expected


def test_slices_of_images_and_of_objects() -> None:
    slices = (("fog", "weather = 'fog'"), ("vans", "category = 'van'"))
    checks = [Check(MIN, name, 0.0, Scope(slice=one)) for one in ("fog", "vans") for name in ("recall", "AP", "labels")]
    verdict = decided(*checks, Check(MIN, "recall", 0.0, Scope(slice="annotator = 'ann'")), slices=slices)
    fog, _, fog_labels, vans, vans_ap, van_labels, _ = (row["value"] for row in verdict["checks"])
    van = next(row for row in evaluate(LABELS, BETTER)["categories"] if row["name"] == "van")
    assert (vans, vans_ap, van_labels) == pytest.approx((van["recall"], van["AP"], van["labels"]), abs=1e-12)
    assert fog < evaluate(LABELS, BETTER)["metrics"]["recall"]
    assert 0 < fog_labels < 561
    tables = load_tables(LABELS, BETTER, metadata=True)
    files = Gate(tuple(checks), slices=slices)
    again = decide(files, of_files(LABELS, BETTER, tables, files))
    assert [row["value"] for row in again["checks"]] == [row["value"] for row in verdict["checks"][:-1]]


def test_a_slice_of_labels_alone_has_no_precision() -> None:
    with pytest.raises(UsageError, match="precision is undefined there"):
        decided(Check(MIN, "precision", 0.0, Scope(slice="annotator = 'ann'")))
    with pytest.raises(UsageError, match="predictions alone"):
        decided(Check(MIN, "recall", 0.0, Scope(slice="prediction.score > 0.7")))
    with pytest.raises(UsageError, match="brightnes"):
        decided(Check(MIN, "recall", 0.0, Scope(slice="brightnes > 0.7")))


def test_an_empty_slice_is_undefined_and_not_zero() -> None:
    verdict = decided(Check(MIN, "recall", 0.0, Scope(slice="brightness > 7"), SURE))
    row = verdict["checks"][0]
    assert (row["value"], row["verdict"], row["support"]) == (None, "fail", 0)
    assert "0 samples, at least 1 is needed" in row["reason"]


def test_the_worse_model_falls_behind_the_better(tmp_path: Path) -> None:
    drop = Check(DROP, "AP", 0.01, rules=SURE)
    recall = Check(DROP, "recall", 0.01, Scope("*"), SURE)
    vans = Check(DROP, "precision", 0.5, Scope(slice="category = 'van'"), SURE)
    worse = decided(drop, recall, vans, model="worse", baseline=Baseline(sample_run(), "better"))
    assert (worse["failed"], worse["verdict"]) == (6, "failed")
    assert worse["checks"][0]["high"] < -0.01
    assert worse["checks"][0]["baseline"] == pytest.approx(evaluate(LABELS, BETTER)["metrics"]["AP"], abs=1e-12)
    better = decided(drop, recall, baseline=Baseline(sample_run(), "worse"))
    assert better["verdict"] == "passed"
    same = decided(drop, Check(DROP, "AP", 0.0, rules=SURE), baseline=Baseline(sample_run(), "better"))
    assert [row["margin"] for row in same["checks"]] == [0.01, 0.0]
    assert same["verdict"] == "passed"
    point = decided(Check(DROP, "AP", 0.9), model="worse", baseline=Baseline(sample_run(), "better", "none", "none"))
    assert (point["verdict"], point["checks"][0]["low"]) == ("passed", None)


def test_clusters() -> None:
    verdict = decided(Check(MIN, "recall", 0.1, rules=SURE), cluster="site")
    assert verdict["checks"][0]["units"] < 96
    assert "clusters of site" in verdict["checks"][0]["reason"] or verdict["checks"][0]["low"] is not None
    with pytest.raises(UsageError, match="did you mean site"):
        decided(Check(MIN, "recall", 0.1, rules=SURE), cluster="sites")


def test_counts_are_compared_as_they_are() -> None:
    row = decided(Check(MAX, "false_positives", 1000, rules=SURE))["checks"][0]
    assert (row["verdict"], row["low"]) == ("pass", None)
    assert row["reason"] == "false_positives: no interval is known of it: compared as it is"
    with pytest.raises(UsageError, match="cannot drop"):
        decided(Check(DROP, "false_positives", 1), baseline=Baseline(sample_run(), "worse"))


def test_contradictions_however_they_are_written() -> None:
    for floor, ceiling in (
        (Check(MIN, "APs", 0.6), Check(MAX, "AP", 0.5, Scope(size="small"))),
        (Check(MIN, "recall", 0.6, Scope("van")), Check(MAX, "recall", 0.5, Scope("van", iou=0.5))),
    ):
        with pytest.raises(UsageError, match=r"is at least 0\.6 and at most 0\.5"):
            decided(floor, ceiling)


def test_data_alone_needs_no_model() -> None:
    verdict = decided(model=None, data=DataRules(exact_duplicates=Ceiling(3)))
    assert (verdict["verdict"], verdict["model"]) == ("passed", None)
    assert "iou" not in verdict
    with pytest.raises(UsageError, match="name one with --model"):
        decided(Check(MIN, "AP", 0.1), model=None)
    gate = Gate(data=DataRules(exact_duplicates=Ceiling(3)))
    with pytest.raises(UsageError, match=r"\[data\] is about a run"):
        decide(gate, of_files(LABELS, BETTER, load_tables(LABELS, BETTER), gate))


def test_the_same_gate_gives_the_same_verdict() -> None:
    checks = [Check(MIN, "AP", 0.69, rules=SURE), Check(MIN, "recall", 0.1, Scope("van"), SURE)]
    assert decided(*checks) == decided(*checks)
    alone = decided(checks[1])
    assert alone["checks"][0] == decided(*checks)["checks"][1]


def test_categories_without_labels_fail_only_where_that_is_asked_for(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document(labels=[label(1), label(2, image_id=2)]))
    predictions = write(tmp_path / "p.json", [prediction(), prediction(image_id=2)])

    def verdict(*checks: Check) -> dict[str, Any]:
        gate = Gate(checks)
        return decide(gate, of_files(labels, predictions, load_tables(labels, predictions), gate))

    passed = verdict(Check(MIN, "recall", 0.5, Scope("*")))
    assert (passed["verdict"], [row["category"] for row in passed["checks"]]) == ("passed", ["cat"])
    assert passed["notes"][0].startswith("recall@*: 1 category without labels is left out: dog;")
    strict = Rules(on_undefined="fail")
    for check in (Check(MIN, "recall", 0.5, Scope("*"), strict), Check(MIN, "recall", 0.5, Scope("dog"))):
        assert verdict(check)["verdict"] == "failed"
    skipped = verdict(Check(MIN, "recall", 0.5, Scope("*"), Rules(on_undefined="skip")))
    assert (skipped["verdict"], skipped["skipped"]) == ("passed", 1)
    assert verdict(Check(MIN, "labels", 1, Scope("*")))["verdict"] == "failed"
