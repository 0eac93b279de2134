"""Answers at the thresholds of a file: each category as an evaluation at its own confidence counts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.errors import InputError, UsageError
from qm_cli.evaluation_options import questions_of
from qm_cli.load_answers import AnswerSource
from qm_cli.own_answers import COUNTED
from qm_cli.threshold_file import write_thresholds
from tests.analysis.test_answer_arrivals import NAMES, class_rows
from tests.answer_files import document, label, lines, refusal, report
from tests.input_files import write

OWN = {"a": 0.3, "b": 0.6, "c": None}


def thresholds(folder: Path, own: dict[str, float | None], **facts: Any) -> Path:
    content = {"format": "qm-thresholds", "schema_version": 1, "task": "classification", "convention": "sklearn"}
    targets = [{"target": "f1", "overall": 0.4, "categories": own}]
    return write(folder / "t.json", {**content, "targets": targets, **facts})


def evaluated(folder: Path, labels: Any, given: list[Any], **how: Any) -> dict[str, Any]:
    source = AnswerSource(write(folder / "l.json", labels), write(folder / "p.jsonl", lines(given)))
    return evaluate_answer_files(AnswerRequest(source, **how))[1]


def cell_of(folder: Path, labels: Any, given: list[Any], at: str, **how: Any) -> dict[str, Any]:
    [cell] = evaluated(folder, labels, given, at=(at,), **how)["cells"]
    return dict(cell)


@pytest.mark.parametrize("convention", ["sklearn", "labelbox"])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_one_confidence_for_all_is_that_confidence(
    several: bool, listed: bool, convention: str, tmp_path: Path
) -> None:
    task = "multilabel" if several else "classification"
    labels, given = class_rows(4, several, listed)
    path = thresholds(tmp_path, dict.fromkeys(NAMES, 0.45), task=task, convention=convention)
    how = {"task": task, "convention": convention}
    cell = cell_of(tmp_path, labels, given, f"confidence={path}", **how)
    alone = evaluated(tmp_path, labels, given, confidence=0.45, **how)
    assert cell["metrics"] == pytest.approx(alone["metrics"])
    assert (cell["confusion"] or {}).get("cells") == (alone["confusion"] or {}).get("cells")
    for row, other in zip(cell["categories"], alone["categories"], strict=True):
        assert {name: row[name] for name in COUNTED} == {name: other[name] for name in COUNTED}


@pytest.mark.parametrize("listed", [False, True])
def test_each_category_at_its_own(listed: bool, tmp_path: Path) -> None:
    """The best answer of a data row is given where it reaches its category's confidence, by hand."""
    labels, given = class_rows(9, False, listed)
    cell = cell_of(tmp_path, labels, given, f"confidence={thresholds(tmp_path, OWN)}#f1")
    best: dict[int, tuple[float, str]] = {}
    for row in given:
        pairs = [(row["score"], row["category"])] if listed else list(zip(row["probs"], NAMES, strict=True))
        best[row["id"]] = max([*([best[row["id"]]] if row["id"] in best else []), *pairs], key=lambda one: one[0])
    true = {one["data_row_id"]: one["category"] for one in labels["annotations"]}
    kept = {row: name for row, (score, name) in best.items() if OWN[name] is not None and score >= (OWN[name] or 0)}
    for row in cell["categories"][:2]:
        named = [key for key, name in kept.items() if name == row["name"]]
        assert row["confidence"] == OWN[row["name"]]
        assert row["true_positives"] == sum(true[key] == row["name"] for key in named)
        assert row["false_positives"] == sum(true[key] != row["name"] for key in named)
    assert {cell["categories"][2][name] for name in COUNTED} == {None}
    assert cell["metrics"]["accuracy"] == pytest.approx(sum(kept.get(key) == name for key, name in true.items()) / 40)


@pytest.mark.parametrize("several", [False, True])
def test_thresholds_there_and_back(several: bool, tmp_path: Path) -> None:
    """What a threshold was said to keep is kept; categories of a question that takes one answer are held alone."""
    labels, given = class_rows(8, several, False)
    how = {"task": "multilabel" if several else "classification"}
    asked = evaluated(tmp_path, labels, given, questions=questions_of((), ["f1"]), **how)
    write_thresholds(asked, tmp_path / "p.jsonl", tmp_path / "t.json")
    cell = cell_of(tmp_path, labels, given, f"confidence={tmp_path / 't.json'}", **how)
    for row, chosen in zip(cell["categories"], asked["thresholds"]["targets"][0]["categories"], strict=True):
        assert {name: row[name] for name in COUNTED} == pytest.approx({name: chosen[name] for name in COUNTED})


def test_text_entities(tmp_path: Path) -> None:
    rows = [label(1, "a", start=0, end=4), label(1, "b", start=10, end=14)]
    given = [
        {"id": 1, "category": "a", "start": 0, "end": 4, "score": 0.35},
        {"id": 1, "category": "b", "start": 10, "end": 14, "score": 0.35},
        {"id": 1, "category": "c", "start": 20, "end": 24, "score": 0.9},
    ]
    path = thresholds(tmp_path, OWN, task="text", convention="coco")
    cell = cell_of(tmp_path, document(rows, NAMES, 1), given, f"confidence={path},iou=0.6", task="text")
    assert (cell["iou"], cell["confidence"]) == (0.6, "t.json")
    counts = [(row["true_positives"], row["false_positives"], row["false_negatives"]) for row in cell["categories"]]
    assert counts == [(1, 0, 0), (0, 0, 1), (None, None, None)]


def test_what_cannot_be_answered(tmp_path: Path) -> None:
    labels, given = class_rows(1, False, False)
    with pytest.raises(UsageError, match="classes have no IoU"):
        cell_of(tmp_path, labels, given, f"confidence={thresholds(tmp_path, OWN)},iou=0.5")
    with pytest.raises(InputError, match="is of convention labelbox, not of sklearn"):
        cell_of(tmp_path, labels, given, f"confidence={thresholds(tmp_path, OWN, convention='labelbox')}")
    with pytest.raises(InputError, match="has no category c"):
        cell_of(tmp_path, labels, given, f"confidence={thresholds(tmp_path, {'a': 0.5, 'b': 0.5})}")


def test_questions_and_free_text_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = [
        *({"id": n, "question": "kind", "category": NAMES[n % 3]} for n in range(9)),
        *({"id": n, "question": "words", "answer": "yes"} for n in range(9)),
    ]
    scores = np.linspace(0.1, 0.9, 9).round(1).tolist()
    given = [{**row, "score": score} for row, score in zip(labels, scores * 2, strict=True)]
    files = write(tmp_path / "l.jsonl", lines(labels)), write(tmp_path / "p.jsonl", lines(given))
    path = thresholds(tmp_path, {f"kind/{name}": least for name, least in OWN.items()})
    at = ("--at", f"confidence={path}")
    [cell] = report(capsys, *files, *at)["cells"]
    assert [row["true_positives"] for row in cell["categories"]] == [2, 1, None]
    assert cell["metrics"]["true_positives"] == 3 + 6
    assert json.loads(path.read_text())["targets"][0]["overall"] == 0.4
    assert "no grid of cells" in refusal(capsys, *files, "--at", "confidence=0.5")
