"""The report of classes: scikit-learn's numbers to 1e-12, hand-worked cases, and what holds for every report."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from qm_cli.classification import ClassSettings, evaluate_answers
from qm_cli.classification_report import class_report
from tests.answer_files import Row, class_names, document, label, load, random_classes

RATES = ("precision", "recall", "f1")


def reported(folder: Path, labels: Any, predictions: Any, **settings: Any) -> dict[str, Any]:
    return class_report(evaluate_answers(load(folder, labels, predictions), ClassSettings(**settings)))


def close(found: float | None, expected: float) -> bool:
    if found is None:
        return bool(np.isnan(expected))
    return abs(found - expected) <= 1e-12


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows, count", [(60, 3), (200, 12)])
def test_one_answer_as_scikit_learn(tmp_path: Path, seed: int, rows: int, count: int) -> None:
    from sklearn import metrics

    true, values = random_classes(rows, count, seed)
    predicted = values.argmax(1)
    labels = document([label(n + 1, f"c{c}") for n, c in enumerate(true)], class_names(count), rows)
    found = reported(tmp_path, labels, [{"id": n + 1, "probs": row.tolist()} for n, row in enumerate(values)])
    numbers = found["metrics"]
    assert close(numbers["accuracy"], metrics.accuracy_score(true, predicted))
    assert close(numbers["balanced_accuracy"], metrics.balanced_accuracy_score(true, predicted))
    assert close(numbers["log_loss"], metrics.log_loss(true, values, labels=range(count)))
    assert close(numbers["top_1"], metrics.top_k_accuracy_score(true, values, k=1, labels=range(count)))
    top = 1.0 if count <= 5 else metrics.top_k_accuracy_score(true, values, k=5, labels=range(count))
    assert close(numbers["top_5"], top)
    _same_averages(numbers, true, predicted, list(range(count)))
    _same_curves(found, true[:, None] == np.arange(count), values)
    matrix = metrics.confusion_matrix(true, predicted, labels=range(count))
    cells = {(cell["true"], cell["predicted"]): cell["count"] for cell in found["confusion"]["cells"]}
    assert cells == {(f"c{t}", f"c{p}"): matrix[t, p] for t, p in zip(*np.nonzero(matrix), strict=True)}


@pytest.mark.parametrize("seed", range(4))
def test_all_that_apply_as_scikit_learn(tmp_path: Path, seed: int) -> None:
    from sklearn import metrics

    rows, count = 120, 5
    random = np.random.default_rng(seed)
    values = random.random((rows, count)).round(2)
    true = random.random((rows, count)) < values
    true[:, 3] &= seed > 0
    pairs = zip(*np.nonzero(true), strict=True)
    labels = document([label(int(row) + 1, f"c{c}") for row, c in pairs], class_names(count), rows)
    found = reported(tmp_path, labels, [{"id": n + 1, "probs": row.tolist()} for n, row in enumerate(values)])
    assert found["task"] == "multilabel"
    numbers, predicted = found["metrics"], values >= 0.5
    assert close(numbers["accuracy"], metrics.accuracy_score(true, predicted))
    assert close(numbers["hamming_loss"], metrics.hamming_loss(true, predicted))
    _same_averages(numbers, true, predicted, None)
    _same_curves(found, true, values)
    totals = metrics.multilabel_confusion_matrix(true, predicted).sum(0)
    assert [numbers["true_negatives"], numbers["false_positives"]] == totals[0].tolist()
    listed = [
        {"id": int(n) + 1, "category": f"c{c}", "score": values[n, c]} for n, c in zip(*np.nonzero(values), strict=True)
    ]
    again = reported(tmp_path, labels, listed)
    assert again["metrics"] == numbers


def _same_averages(
    numbers: dict[str, Any], true: npt.NDArray[Any], predicted: npt.NDArray[Any], labels: list[int] | None
) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    for average, end in (("micro", ""), ("macro", "_macro"), ("weighted", "_weighted")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = precision_recall_fscore_support(
                true, predicted, labels=labels, average=average, zero_division=np.nan
            )
        for name, value in zip(RATES, expected[:3], strict=True):
            assert close(numbers[f"{name}{end}"], value), (name, average)


def _same_curves(found: dict[str, Any], true: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    for place, row in enumerate(found["categories"]):
        if not true[:, place].any():
            assert (row["roc_auc"], row["average_precision"]) == (None, None)
            continue
        assert close(row["average_precision"], average_precision_score(true[:, place], values[:, place]))
        assert close(row["roc_auc"], roc_auc_score(true[:, place], values[:, place]))


def hand_worked() -> tuple[Row, list[Row]]:
    """Four data rows: cat, cat, dog, dog; answered cat, dog, dog, and not at all."""
    labels = document([label(1, "cat"), label(2, "cat"), label(3, "dog"), label(4, "dog")], ["cat", "dog", "bird"], 4)
    answers = [{"id": 1, "category": "cat"}, {"id": 2, "category": "dog"}, {"id": 3, "category": "dog"}]
    return labels, answers


def test_a_data_row_without_an_answer_is_wrong(tmp_path: Path) -> None:
    found = reported(tmp_path, *hand_worked())
    numbers = found["metrics"]
    assert (numbers["accuracy"], numbers["precision"], numbers["recall"]) == (0.5, 2 / 3, 0.5)
    assert (numbers["true_positives"], numbers["false_positives"], numbers["false_negatives"]) == (2, 1, 2)
    assert numbers["true_negatives"] == 4 * 3 - 2 - 1 - 2
    cells = {(cell["true"], cell["predicted"]): cell["count"] for cell in found["confusion"]["cells"]}
    assert cells == {("cat", "cat"): 1, ("cat", "dog"): 1, ("dog", "dog"): 1, ("dog", None): 1}
    assert numbers["top_5"] is None
    assert numbers["log_loss"] is None
    bird = found["categories"][2]
    assert (bird["precision"], bird["recall"], bird["f1"], bird["labels"]) == (None, None, None, 0)


def test_labelbox_counts_a_wrong_answer_as_false_positive_and_false_negative(tmp_path: Path) -> None:
    found = reported(tmp_path, *hand_worked(), convention="labelbox")
    numbers = found["metrics"]
    names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    assert [numbers[name] for name in names] == [2, 1, 0, 1]
    assert numbers["precision_data_row"] == numbers["accuracy"] == 2 / 3


def test_labelbox_counts_each_answer_of_a_checklist(tmp_path: Path) -> None:
    rows = [label(1, "a"), label(1, "b"), label(2, "c"), label(3, "a")]
    answers = [{"id": 1, "category": "a"}, {"id": 1, "category": "c"}, {"id": 2, "category": "c"}]
    numbers = reported(tmp_path, document(rows, ["a", "b", "c"]), answers, convention="labelbox")["metrics"]
    names = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    assert [numbers[name] for name in names] == [2, 1, 2, 1]
    assert numbers["precision_data_row"] == 0.75


def test_the_confidence_drops_answers(tmp_path: Path) -> None:
    labels, answers = hand_worked()
    scored = [{**row, "score": score} for row, score in zip(answers, (0.9, 0.4, 0.3), strict=True)]
    assert reported(tmp_path, labels, scored)["metrics"]["accuracy"] == 0.5
    found = reported(tmp_path, labels, scored, confidence=0.5)
    assert (found["confidence"], found["metrics"]["accuracy"], found["metrics"]["precision"]) == (0.5, 0.25, 1.0)


def test_ranked_lists_give_top_k(tmp_path: Path) -> None:
    labels = document([label(1, "a"), label(2, "b"), label(3, "c")], ["a", "b", "c"])
    order = {1: "abc", 2: "cab", 3: "ab"}
    answers = [
        {"id": row, "category": name, "score": 1 - place / 10}
        for row, names in order.items()
        for place, name in enumerate(names)
    ]
    numbers = reported(tmp_path, labels, answers, top_k=(1, 2, 3))["metrics"]
    assert [numbers[f"top_{k}"] for k in (1, 2, 3)] == [1 / 3, 1 / 3, 2 / 3]


def test_several_questions_are_reported_each_and_in_the_mean(tmp_path: Path) -> None:
    categories = [
        {"id": 1, "name": "sun", "question": "weather"},
        {"id": 2, "name": "rain", "question": "weather"},
        {"id": 3, "name": "car", "question": "objects"},
        {"id": 4, "name": "bus", "question": "objects"},
    ]
    rows = [label(1, "sun"), label(2, "rain"), label(1, "car"), label(1, "bus"), label(2, "bus")]
    rows += [{"data_row_id": 1, "question": "note", "answer": "wet"}]
    answers = [{"id": 1, "category": "sun"}, {"id": 2, "category": "sun"}, {"id": 1, "category": "car"}]
    answers += [{"id": 1, "question": "note", "answer": "wet "}]
    found = reported(tmp_path, document(rows, categories, 2), answers)
    kinds = {part["question"]: part["kind"] for part in found["questions"]}
    assert kinds == {"weather": "radio", "objects": "checklist", "note": "text"}
    accuracies = [part["metrics"]["accuracy"] for part in found["questions"]]
    assert accuracies == [0.5, 0.0, 0.0]
    assert found["metrics"]["accuracy"] == pytest.approx(0.5 / 3)
    assert found["metrics"]["true_positives"] == 2
    assert [row["question"] for row in found["categories"]] == ["weather", "weather", "objects", "objects"]
    assert any("'objects': 1 data rows have several labels" in note for note in found["notes"])


def test_without_any_answer_or_label_numbers_are_null(tmp_path: Path) -> None:
    found = reported(tmp_path, document([label(1, "a")], ["a", "b"]), "[]")
    assert (found["metrics"]["accuracy"], found["metrics"]["precision"], found["metrics"]["recall"]) == (0, None, 0)
    empty = reported(tmp_path, document([], ["a", "b"]), [{"id": 1, "category": "a"}])
    assert {name: value for name, value in empty["metrics"].items() if value} == {}
    assert empty["metrics"]["accuracy"] is None
    assert any(finding["code"] == "prediction-without-label" for finding in empty["findings"])


def test_the_smallest_cells_of_a_large_confusion_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.classification_report.CELLS_KEPT", 2)
    found = reported(tmp_path, *hand_worked())
    assert (found["confusion"]["filled"], len(found["confusion"]["cells"])) == (4, 2)
    assert any("2 smallest cells" in note for note in found["notes"])
