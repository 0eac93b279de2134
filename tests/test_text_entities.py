"""Text entities: both conventions, exact agreement, faulty spans, and what holds for every report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.errors import InputError
from qm_cli.text_entities import evaluate_spans, row_means, span_report
from tests.answer_files import load

TEXTS = [{"id": "a", "text": "Ada met Bob in Bern"}, {"id": "b", "text": "Nobody"}, {"id": "c"}]
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 2, "name": "place"}]


def entity(row: str, category: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"data_row_id": row, "category": category, "start": start, "end": end, **more}


def reported(folder: Path, labels: list[Any], answers: list[Any], convention: str = "coco", iou: float = 0.5) -> Any:
    document = {"data_rows": TEXTS, "categories": CATEGORIES, "annotations": labels}
    return span_report(evaluate_spans(load(folder, document, answers), convention, iou, 0.5))


LABELS = [entity("a", "person", 0, 3), entity("a", "person", 8, 11), entity("a", "place", 15, 19)]
ANSWERS = [entity("a", "person", 0, 3), entity("a", "place", 8, 11), entity("a", "place", 14, 19)]


@pytest.mark.parametrize("convention", ["coco", "labelbox"])
def test_worked_by_hand(convention: str, tmp_path: Path) -> None:
    found = reported(tmp_path, LABELS, [*ANSWERS, entity("b", "person", 0, 6)], convention)
    numbers = found["metrics"]
    counts = [numbers[name] for name in ("true_positives", "false_positives", "false_negatives")]
    assert counts == [2, 2, 1]
    assert (numbers["precision"], numbers["recall"]) == (0.5, pytest.approx(2 / 3))
    assert numbers["mean_iou"] == pytest.approx((1 + 4 / 5) / 2)
    assert (numbers["precision_exact"], numbers["recall_exact"]) == (0.25, pytest.approx(1 / 3))
    assert numbers["precision_data_row"] == pytest.approx((1 + 1 / 2) / 2)
    cells = {(cell["true"], cell["predicted"]): cell["count"] for cell in found["confusion"]["cells"]}
    assert cells == {
        ("person", "person"): 1,
        ("place", "place"): 1,
        ("person", "place"): 1,
        (None, "person"): 1,
    }


def test_the_conventions_differ_at_the_threshold_and_across_categories(tmp_path: Path) -> None:
    half = [entity("c", "person", 0, 4)], [entity("c", "person", 0, 2)]
    assert reported(tmp_path, *half, "coco")["metrics"]["true_positives"] == 1
    assert reported(tmp_path, *half, "labelbox")["metrics"]["true_positives"] == 0
    crossed = [entity("c", "person", 0, 10)], [entity("c", "place", 0, 10), entity("c", "person", 0, 8)]
    assert reported(tmp_path, *crossed, "coco")["metrics"]["true_positives"] == 1
    assert reported(tmp_path, *crossed, "labelbox")["metrics"]["true_positives"] == 0


def test_spans_at_fault_are_counted(tmp_path: Path) -> None:
    bad = [entity("a", "person", *ends) for ends in ((5, 5), (9, 2), (-1, 3), (0, 20), (0.5, 3))]
    labels = [*LABELS, *bad, {"data_row_id": "a", "category": "person", "span": [1]}, LABELS[0]]
    labels += [entity("a", "person", 2, 5), {"data_row_id": "a", "category": "person"}]
    found = reported(tmp_path, labels, ANSWERS)
    counts = {one["code"]: one["count"] for one in found["findings"]}
    assert counts == {"span-bad": 7, "span-duplicate": 1, "span-overlapping": 1}
    assert found["labels"] == 5
    assert reported(tmp_path, [entity("c", "person", 0, 10_000)], [])["labels"] == 1


def test_below_the_confidence_entities_do_not_count_and_without_a_score_they_do(tmp_path: Path) -> None:
    found = reported(tmp_path, LABELS, [{**one, "score": 0.4} for one in ANSWERS])
    assert (found["predictions"], found["metrics"]["precision"], found["metrics"]["recall"]) == (0, None, 0)
    assert reported(tmp_path, LABELS, ANSWERS)["predictions"] == 3


def test_nothing_is_null(tmp_path: Path) -> None:
    found = reported(tmp_path, [], [])
    assert {name for name, value in found["metrics"].items() if value is not None} == {
        "true_positives",
        "false_positives",
        "false_negatives",
    }


ENTITIES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["person", "place"]), st.integers(0, 5), st.integers(1, 5)),
    max_size=6,
).filter(lambda side: not side or any(row != "b" or start + n <= 6 for row, _, start, n in side))
"""Without those of which none lies inside its text."""


@given(ENTITIES, ENTITIES, st.sampled_from(["coco", "labelbox"]))
def test_rows_of_the_confusion_are_labels_and_columns_predictions(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Any], answers: list[Any], convention: str
) -> None:
    sides = [[entity(row, name, start, start + n) for row, name, start, n in side] for side in (labels, answers)]
    folder = tmp_path_factory.mktemp("spans")
    found = reported(folder, *sides, convention)
    cells = found["confusion"]["cells"]
    for row in found["categories"]:
        assert row["labels"] == sum(cell["count"] for cell in cells if cell["true"] == row["name"])
        assert row["predictions"] == sum(cell["count"] for cell in cells if cell["predicted"] == row["name"])
        diagonal = [cell["count"] for cell in cells if cell["true"] == cell["predicted"] == row["name"]]
        assert row["true_positives"] == sum(diagonal)


def test_rows_with_one_side_alone_have_no_value(tmp_path: Path) -> None:
    document = {"data_rows": TEXTS, "categories": CATEGORIES, "annotations": [LABELS[0], entity("b", "person", 0, 2)]}
    rows, means = row_means(evaluate_spans(load(tmp_path, document, ANSWERS), "labelbox", 0.5, 0.5))
    assert rows.tolist() == [0]
    assert means["recall"].tolist() == [1.0]
    assert means["precision"].tolist() == [0.5]


def test_entities_of_which_none_can_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 1 labels is a text entity that can be used: span-bad"):
        reported(tmp_path, [entity("a", "person", 3, 0)], ANSWERS)
    with pytest.raises(InputError, match="none of the 1 predictions is a text entity that can be used: span-bad"):
        reported(tmp_path, LABELS, [entity("b", "person", 0, 7)])
