"""Samples of cells and thresholds of classes and text: as many as the matrix says, what an evaluation there says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.analysis.cross_fit import fold_numbers
from qm_cli.answer_details import ANSWERED_ALONE
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.errors import UsageError
from qm_cli.evaluation_options import questions_of
from qm_cli.load_answers import AnswerSource
from qm_cli.threshold_file import read_thresholds
from tests.analysis.test_answer_arrivals import NAMES, class_rows
from tests.answer_files import document, label, lines, refusal, report
from tests.input_files import write

CELLS = [f"predicted={one},true={other}" for one in (*NAMES, "none") for other in (*NAMES, "none")][:-1]


def asked(
    folder: Path, labels: Any, given: list[Any], cells: list[str], targets: list[str] | None = None, **how: Any
) -> dict[str, Any]:
    source = AnswerSource(write(folder / "l.json", labels), write(folder / "p.jsonl", lines(given)))
    return evaluate_answer_files(AnswerRequest(source, questions=questions_of(cells, targets), **how))[1]


@pytest.mark.parametrize("listed", [False, True])
def test_samples_of_classes(listed: bool, tmp_path: Path) -> None:
    found = asked(tmp_path, *class_rows(5, False, listed), CELLS, confidence=0.5)
    listed_samples = {(one["predicted"], one["true"]): one["samples"] for one in found["examples"]}
    counts = {(one["predicted"], one["true"]): one["count"] for one in found["confusion"]["cells"]}
    assert {cell: len(rows) for cell, rows in listed_samples.items() if rows} == counts
    for rows in listed_samples.values():
        scores = [-1 if row["score"] is None else row["score"] for row in rows]
        assert scores == sorted(scores, reverse=True)


def test_samples_of_a_checklist(tmp_path: Path) -> None:
    cells = [one for name in NAMES for one in (f"{name}/{name}", f"{name}/none", f"none/{name}")]
    texts = [f"predicted={one.split('/')[0]},true={one.split('/')[1]}" for one in cells]
    labels, given = class_rows(6, True, False)
    found = asked(tmp_path, labels, given, texts, task="multilabel", confidence=0.3)
    rows = [len(one["samples"]) for one in found["examples"]]
    names = ("true_positives", "false_positives", "false_negatives")
    assert rows == [row[name] for row in found["categories"] for name in names]
    probabilities = {row["id"]: row["probs"] for row in given}
    for place, cell in enumerate(found["examples"]):
        for row in cell["samples"]:
            assert row["score"] == probabilities[row["data_row_id"]][place // 3]
    with pytest.raises(UsageError, match="a checklist confuses no category with another"):
        asked(tmp_path, labels, given, ["predicted=a,true=b"], task="multilabel")


@pytest.mark.parametrize("convention", ["coco", "labelbox"])
def test_samples_of_text_entities(convention: str, tmp_path: Path) -> None:
    rows = [label(1, "a", start=0, end=4), label(1, "b", start=10, end=14), label(2, "a", start=0, end=4)]
    given = [
        {"id": 1, "category": "a", "start": 0, "end": 4, "score": 0.9},
        {"id": 1, "category": "c", "start": 10, "end": 14, "score": 0.8},
        {"id": 2, "category": "a", "start": 20, "end": 24, "score": 0.7},
    ]
    found = asked(tmp_path, document(rows, NAMES, 2), given, CELLS, ["f1"], convention=convention)
    samples = {(one["predicted"], one["true"]): one["samples"] for one in found["examples"] if one["samples"]}
    assert samples.keys() == {("a", "a"), ("c", "b"), ("a", None), (None, "a")}
    assert samples["c", "b"] == [
        {
            "data_row_id": 1,
            "label_start": 10,
            "label_end": 14,
            "prediction_start": 10,
            "prediction_end": 14,
            "score": 0.8,
        }
    ]
    assert (samples[None, "a"][0]["data_row_id"], samples[None, "a"][0]["prediction_start"]) == (2, None)
    assert ("matching" in found["thresholds"]) == (convention == "labelbox")
    assert found["thresholds"]["targets"][0]["overall"]["confidence"] == 0.9


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("convention", ["sklearn", "labelbox"])
def test_thresholds_are_what_an_evaluation_there_says(convention: str, several: bool, tmp_path: Path) -> None:
    labels, given = class_rows(8, several, False)
    how = {"convention": convention, "task": "multilabel" if several else "classification"}
    found = asked(tmp_path, labels, given, [], ["f1", "precision=0.6", "cost=FP:1,FN:2"], **how)["thresholds"]
    names = ("precision", "recall", "f1", "true_positives", "false_negatives")
    assert (found.get("matching") == ANSWERED_ALONE) == (convention == "labelbox")
    assert found["targets"][0]["overall"]["confidence"] is not None
    for target in found["targets"]:
        for place, row in enumerate([target["overall"], *target["categories"]]):
            if row["confidence"] is None or row["true_positives"] + row["false_positives"] == 0:
                continue
            alone = asked(tmp_path, labels, given, [], confidence=row["confidence"], **how)
            told = alone["metrics"] if place == 0 else alone["categories"][place - 1]
            assert [row[name] for name in names] == pytest.approx([told[name] for name in names])


def test_held_out_numbers_are_of_the_folds_at_their_confidences(tmp_path: Path) -> None:
    """Labelbox: what is to be found changes with the confidence, in the fold that is tried too."""
    labels, given = class_rows(8, True, False)
    how = {"convention": "labelbox", "task": "multilabel"}
    [target] = asked(tmp_path, labels, given, [], ["f1"], **how)["thresholds"]["targets"]
    fold, counts = fold_numbers(40, 0), np.zeros(2, np.int64)
    for number, confidence in enumerate(target["overall"]["fold_confidences"]):
        inside = [row for row in given if fold[row["id"] - 1] == number]
        told = asked(tmp_path, labels, inside, [], confidence=confidence, **how)["metrics"]
        counts += told["true_positives"], told["false_negatives"]
    assert target["overall"]["held_out"]["recall"]["value"] == pytest.approx(counts[0] / counts.sum())


def test_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, given = class_rows(8, False, False)
    files = write(tmp_path / "l.json", labels), write(tmp_path / "p.jsonl", lines(given))
    out = ("-o", tmp_path / "run", "--thresholds-out", tmp_path / "t.json")
    found = report(capsys, *files, "--thresholds", "f1", *out)
    kept = read_thresholds(tmp_path / "t.json")
    assert kept.overall == found["thresholds"]["targets"][0]["overall"]["confidence"]
    assert (kept.facts["task"], list(kept.categories)) == ("classification", NAMES)
    assert "write precision=0.9" in refusal(capsys, *files, "--thresholds", "best")
    assert "did you mean" in refusal(capsys, *files, "--examples", "predicted=aa,true=b")
    assert "add --thresholds" in refusal(capsys, *files, "--thresholds-out", tmp_path / "t.json")
    assert "--grid: not for classes and text" in refusal(capsys, *files, "--grid")
