"""Gates at each category's own confidence: one confidence in a file is that confidence; several are told one by one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qm_cli.analysis.gate_checks import DROP, MIN, Baseline, Check, Gate, Rules, Scope, ThresholdFile
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.deciding import decide
from qm_cli.errors import InputError, UsageError
from qm_cli.gate_subject import of_answers, of_files, of_run
from qm_cli.gate_thresholds import TOLD
from qm_cli.load import load_tables
from qm_cli.load_answers import AnswerSource
from qm_cli.run import evaluate
from qm_cli.run_folder import sha256_of
from tests.analysis.test_answer_arrivals import class_rows
from tests.answer_files import label, lines
from tests.input_files import write
from tests.sample_run import BETTER, LABELS, sample_run

SURE = Rules(confidence_level=0.95)
NAMES = ("car", "van", "bottle", "cup", "ball")
OWN = dict(zip(NAMES, (0.6, 0.45, 0.7, 0.35, 0.8), strict=True))


def thresholds(folder: Path, own: dict[str, float | None], **facts: Any) -> ThresholdFile:
    document = {"format": "qm-thresholds", "schema_version": 1, "task": "bbox", "convention": "coco", "iou": 0.5}
    targets = [{"target": "f1", "overall": 0.5, "categories": own}]
    place = folder / "t.json"
    place.write_text(json.dumps(document | {"targets": targets} | facts))
    return ThresholdFile(place)


def decided(*checks: Check, **gate: Any) -> dict[str, Any]:
    wanted = Gate(checks, **{"model": "better", "resamples": 100, **gate})
    return decide(wanted, of_run(sample_run(), wanted))


@cache
def at(confidence: float, **options: Any) -> dict[str, Any]:
    return evaluate(LABELS, BETTER, confidence=confidence, **options)


def row_of(name: str, confidence: float, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in at(confidence, **options)["categories"] if row["name"] == name)
    return found


def test_one_confidence_for_all_is_that_confidence(tmp_path: Path) -> None:
    file = thresholds(tmp_path, dict.fromkeys(NAMES, 0.6))
    scopes = [Scope(), Scope("van"), Scope(size="small"), Scope(slice="weather = 'fog'"), Scope(iou=0.75)]
    names = ("precision", "recall", "f1", "recall_macro", "mean_iou", "true_positives", "labels")
    checks = [
        Check(MIN, name, 0.5, scope, SURE)
        for scope in scopes
        for name in names
        if not (name.endswith("_macro") and scope.category) and (name != "mean_iou" or scope in scopes[:2])
    ]
    checks += [Check(DROP, "recall", 0.01, scope, SURE) for scope in (Scope(), Scope("van"))]
    baseline = Baseline(sample_run(), "worse")
    known = [replace(one, scope=replace(one.scope, confidence=0.6)) for one in checks]
    named = [replace(one, scope=replace(one.scope, confidence=file)) for one in checks]
    plain, own = decided(*known, baseline=baseline), decided(*named, baseline=baseline)
    told = ("check", "confidence", "reason")
    for one, other in zip(plain["checks"], own["checks"], strict=True):
        assert {k: v for k, v in one.items() if k not in told} == {k: v for k, v in other.items() if k not in told}
        assert (other["confidence"], "confidence t.json" in other["check"]) == ("t.json", True)
    assert any(row["low"] is not None for row in own["checks"])


def test_each_category_is_told_at_its_own(tmp_path: Path) -> None:
    scope = Scope(confidence=thresholds(tmp_path, OWN))
    names = ("true_positives", "false_positives", "false_negatives", "precision", "recall", "precision_macro")
    verdict = decided(
        *(Check(MIN, name, 0.0, scope) for name in names),
        *(Check(MIN, "precision", 0.0, replace(scope, category=name)) for name in NAMES),
    )
    rows = [row_of(name, OWN[name]) for name in NAMES]
    found, false, missed = (sum(row[name] for row in rows) for name in names[:3])
    own = [row["precision"] for row in rows]
    expected = [found, false, missed, found / (found + false), found / (found + missed), sum(own) / 5, *own]
    assert [row["value"] for row in verdict["checks"]] == pytest.approx(expected, abs=1e-12)
    assert verdict["checks"][3]["support"] == found + false


@pytest.mark.parametrize("convention", ["voc12", "encord"])
def test_under_other_conventions(tmp_path: Path, convention: str) -> None:
    scope = Scope(confidence=thresholds(tmp_path, OWN, convention=convention))
    checks = [Check(MIN, name, 0.0, scope) for name in ("true_positives", "precision_macro")]
    checks.append(Check(MIN, "recall", 0.0, replace(scope, category="cup")))
    verdict = decided(*checks, convention=convention)
    rows = [row_of(name, OWN[name], convention=convention) for name in NAMES]
    macro = sum(row["precision"] for row in rows) / 5
    expected = [sum(row["true_positives"] for row in rows), macro, rows[3]["recall"]]
    assert [row["value"] for row in verdict["checks"]] == pytest.approx(expected, abs=1e-12)
    with pytest.raises(UsageError, match="mAP is not known at each category's own confidence"):
        decided(Check(MIN, "mAP", 0.5, scope), convention=convention)


@pytest.mark.parametrize("convention", ["coco", "labelbox"])
def test_a_category_without_one_is_undefined(tmp_path: Path, convention: str) -> None:
    scope = Scope(confidence=thresholds(tmp_path, {**OWN, "van": None}, convention=convention))
    vans = replace(scope, category="van")
    skip = Rules(on_undefined="skip")
    checks = [Check(MIN, "recall", 0.0, vans, Rules(min_support=1000)), Check(MIN, "recall", 0.0, vans, skip)]
    verdict = decided(
        *checks, *(Check(MIN, name, 0.0, scope) for name in ("recall_macro", "false_negatives")), convention=convention
    )
    first, second, macro, missed = verdict["checks"]
    assert [first["value"], first["verdict"], second["verdict"]] == [None, "fail", "skip"]
    assert first["reason"] == "recall@van (confidence t.json) is undefined: no confidence in t.json serves van"
    assert "t.json: no confidence serves van; nothing of them is kept" in verdict["notes"]
    if convention == "coco":
        rows = [row_of(name, OWN[name]) for name in NAMES if name != "van"]
        assert macro["value"] == pytest.approx(sum(row["recall"] for row in rows) / 4, abs=1e-12)
        lost = sum(row["false_negatives"] for row in rows) + row_of("van", 0.5)["labels"]
        assert missed["value"] == lost


def test_what_is_said_of_a_file(tmp_path: Path) -> None:
    predictions = {"name": "better.json", "sha256": sha256_of(BETTER)}
    file = thresholds(tmp_path, OWN, predictions=predictions, iou=0.75)
    verdict = decided(Check(MIN, "recall", 0.0, Scope(confidence=file)))
    assert "t.json: chosen on these predictions, on which it does better than on others" in verdict["notes"]
    assert "t.json: chosen at IoU 0.75, checked at 0.5" in verdict["notes"]
    gate = Gate((Check(MIN, "recall", 0.0, Scope(confidence=file)),))
    again = decide(gate, of_files(LABELS, BETTER, load_tables(LABELS, BETTER), gate))
    assert set(verdict["notes"][:2]) <= set(again["notes"])


@pytest.mark.parametrize(
    ("own", "facts", "said"),
    [
        ({"car": 0.5}, {}, "t.json has no category van, bottle, cup and 1 more .it has car"),
        (OWN, {"task": "segm"}, "t.json is of task segm, not of bbox"),
        (OWN, {"convention": "lvis"}, "t.json is of convention lvis, not of coco"),
        (OWN, {"format": "other"}, "check 3: .*t.json: is no file of thresholds"),
        (OWN, {"targets": [{"target": t, "overall": 0.5, "categories": OWN} for t in "ab"]}, r"write confidence = \{"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, own: Any, facts: dict[str, Any], said: str) -> None:
    check = Check(MIN, "recall", 0.0, Scope(confidence=thresholds(tmp_path, own, **facts)), where="check 3")
    with pytest.raises((InputError, UsageError)) as refused:
        decided(check)
    assert refused.match(said)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        decided(Check(MIN, "recall", 0.0, Scope(confidence=ThresholdFile(tmp_path / "none.json"))))
    with pytest.raises(UsageError, match="AP is of all confidences"):
        decided(Check(MIN, "AP", 0.0, Scope(confidence=thresholds(tmp_path, OWN))))


def test_every_number_told_is_one_of_the_report() -> None:
    assert set(TOLD) <= {*at(0.5), *at(0.5)["metrics"]}


def of_classes(folder: Path, *checks: Check, labels: Any = None, given: Any = None) -> dict[str, Any]:
    rows = class_rows(9, several=False, listed=True)
    files = write(folder / "l.json", labels or rows[0]), write(folder / "p.jsonl", lines(given or rows[1]))
    gate = Gate(checks)
    return decide(gate, of_answers(*files, {}, gate))


def test_classes_at_their_own_confidences(tmp_path: Path) -> None:
    """As an evaluation of the same files counts at them."""
    own = {"a": 0.3, "b": 0.6, "c": None}
    facts = {"task": "classification", "convention": "sklearn", "iou": None}
    file = thresholds(tmp_path, own, **facts)
    names = ("accuracy", "precision", "recall_macro", "false_positives")
    checks = [Check(MIN, name, 0.0, Scope(confidence=file)) for name in names]
    checks += [Check(MIN, "recall", 0.0, Scope(one, confidence=file)) for one in own]
    found = of_classes(tmp_path, *checks)
    source = AnswerSource(tmp_path / "l.json", tmp_path / "p.jsonl")
    request = AnswerRequest(source, at=(f"confidence={file.path}",))
    [cell] = evaluate_answer_files(request)[1]["cells"]
    expected = [cell["metrics"][name] for name in names] + [row["recall"] for row in cell["categories"]]
    assert [row["value"] for row in found["checks"]] == expected
    assert "no confidence in t.json serves c" in found["checks"][-1]["reason"]
    assert found["notes"][0] == "t.json: no confidence serves c; nothing of them is kept"


def test_text_entities_at_their_own_confidences(tmp_path: Path) -> None:
    own = {"a": 0.3, "b": 0.4}
    file = thresholds(tmp_path, own, task="text")
    labels = [label(1, one, start=10 * place, end=10 * place + 4) for place, one in enumerate("ab")]
    given = [{"id": 1, **{name: row[name] for name in ("category", "start", "end")}, "score": 0.35} for row in labels]
    checks = [Check(MIN, "recall", 0.0, Scope(one, confidence=file)) for one in (None, *own)]
    found = of_classes(tmp_path, *checks, labels={"annotations": labels, "data_rows": [{"id": 1}]}, given=given)
    assert [row["value"] for row in found["checks"]] == [0.5, 1.0, 0.0]


def test_classes_at_another_confidence_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="recall of classification is known as it was evaluated"):
        of_classes(tmp_path, Check(MIN, "recall", 0.0, Scope(confidence=0.3)))
