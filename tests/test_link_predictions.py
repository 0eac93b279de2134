"""Predictions become the prediction table; each thing that is wrong gets its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import InputError, UsageError
from tests.input_files import Row, codes, document, label, prediction, tables, without

PREDICTION_FINDINGS: list[tuple[str, list[Row], list[str]]] = [
    ("prediction-unknown-image", [prediction(), prediction(image_id=44), prediction(image_id=44)], ["44"]),
    ("prediction-unknown-category", [prediction(), prediction(category_id=44)], ["44"]),
    ("prediction-bad-box", [prediction(), prediction(bbox=[1, 2, 3])], ["1"]),
    ("prediction-missing-score", [prediction(), without(prediction(), "score")], ["1"]),
    ("prediction-missing-image-id", [prediction(), without(prediction(), "image_id")], ["1"]),
    ("prediction-missing-category-id", [prediction(), without(prediction(), "category_id")], ["1"]),
    ("prediction-zero-area", [prediction(), prediction(bbox=[1, 2, 3, 0])], ["1"]),
    ("prediction-outside-image", [prediction(), prediction(bbox=[1, 2, 300, 4])], ["1"]),
    ("prediction-score-range", [prediction(), prediction(score=1.5)], ["1"]),
    ("prediction-score-range", [prediction(), prediction(score=-0.1)], ["1"]),
    ("prediction-probs-sum", [prediction(probs=[0.5, 0.5]), prediction(probs=[0.5, 0.4])], ["1"]),
    ("prediction-probs-sum", [prediction(probs=[0.5, 0.5]), prediction(probs=[1.5, -0.5])], ["1"]),
    ("prediction-duplicate-id", [prediction(id=4), prediction(id=4)], ["4"]),
    ("prediction-probs-null", [prediction(probs=[0.5, 0.5]), prediction(probs=[0.5, None])], ["1"]),
    ("prediction-probs-null", [prediction(probs=[0.5, 0.5]), prediction(probs=[0.5, "x"])], ["1"]),
    ("prediction-probs-null", [prediction(logits=[0.5, 0.5]), prediction(logits=[None, None])], ["1"]),
    ("prediction-derived-category", [prediction(), without(prediction(probs=[0.1, 0.9]), "category_id")], ["1"]),
    ("prediction-empty", [prediction(), {}], ["1"]),
    ("ids-differ-in-type", [prediction(image_id="1")], ["predictions.json"]),
]


@pytest.mark.parametrize(("code", "predictions", "examples"), PREDICTION_FINDINGS)
def test_prediction_finding(tmp_path: Path, code: str, predictions: list[Row], examples: list[str]) -> None:
    found = {one.code: one for one in tables(tmp_path, predictions=predictions).findings}
    assert [Path(example).name for example in found[code].examples] == examples
    assert found[code].rule.drops == (tables(tmp_path, predictions=predictions).count("prediction") < len(predictions))


def test_classification_predictions(tmp_path: Path) -> None:
    rows = [
        {"image_id": 1, "probs": [0.2, 0.8]},
        {"image_id": 2, "category_id": 1, "score": 0.5, "probs": [0.9, 0.1]},
    ]
    loaded = tables(tmp_path, predictions=rows)
    assert codes(loaded) == {"prediction-derived-category": 1}
    assert loaded.values("prediction", "category_row").tolist() == [1, 0]
    assert loaded.values("prediction", "score").tolist() == [0.8, 0.5]
    assert loaded.prediction["bbox"].null_count == 2
    assert loaded.values("prediction", "probs").tolist() == [[0.2, 0.8], [0.9, 0.1]]


def test_classification_from_logits(tmp_path: Path) -> None:
    loaded = tables(tmp_path, predictions=[{"image_id": 1, "logits": [0.0, np.log(3)]}])
    assert loaded.values("prediction", "score").tolist() == pytest.approx([0.75])


def test_classification_labels_and_predictions_without_probabilities(tmp_path: Path) -> None:
    labels = document(labels=[without(label(1), "bbox"), without(label(2, image_id=2), "bbox")])
    rows = [{"image_id": 1, "category_id": 7, "score": 0.4}]
    loaded = tables(tmp_path, labels, rows)
    assert codes(loaded) == {"label-without-box": 2}
    assert (loaded.count("label"), loaded.count("prediction")) == (2, 1)


def test_boxless_rows_beside_boxes_are_errors(tmp_path: Path) -> None:
    rows = [{"image_id": 1, "category_id": 7, "score": 0.4}]
    assert codes(tables(tmp_path, predictions=[*rows, prediction()])) == {"prediction-bad-box": 1}
    assert codes(tables(tmp_path, predictions=rows, tolerant=True)) == {"prediction-bad-box": 1}
    with pytest.raises(InputError, match="no prediction has a bbox; the fields are image_id, category_id, score"):
        tables(tmp_path, predictions=rows)
    labels = document(labels=[without(label(1), "bbox")])
    assert codes(tables(tmp_path, labels, [prediction()], tolerant=True)) == {"label-bad-box": 1}
    with pytest.raises(InputError, match=r"labels\.json: none of its 1 annotations can be used: label-bad-box"):
        tables(tmp_path, labels, [prediction()])


def test_missing_score(tmp_path: Path) -> None:
    rows = [without(prediction(), "score")]
    loaded = tables(tmp_path, predictions=[*rows, prediction()], missing_score=1.0)
    assert loaded.values("prediction", "score").tolist() == [1, 0.9]
    assert codes(loaded) == {"prediction-filled-score": 1}
    [found] = tables(tmp_path, predictions=[{**rows[0], "conf": 0.5}], tolerant=True).findings
    assert (found.code, found.detail) == ("prediction-missing-score", "`conf` looks like one: call it `score`")


BOX: Row = {"bbox": [10, 10, 20, 20], "score": 0.9}
USELESS: list[tuple[list[Any], str]] = [
    (
        [{"file_name": "1.jpg", "category_id": 1, **BOX}, {"file_name": "x.jpg", "category_id": 1, **BOX}],
        "no prediction has an image_id; the fields are file_name, category_id, bbox, score "
        "(--match-by file_name would match 1 of 2)",
    ),
    (
        [{"image": 1, "category_id": 1, **BOX}],
        "no prediction has an image_id; the fields are image, category_id, bbox, score; "
        "`image` looks like one: call it `image_id` (write image_id)",
    ),
    (
        [{"image_id": 1, "category": "cat", **BOX}],
        "no prediction has a category_id; the fields are image_id, category, bbox, score "
        "(--map-categories name would fit 1 of 1)",
    ),
    (
        [{"image_id": 1, "class_id": 1, **BOX}],
        "no prediction has a category_id; the fields are image_id, class_id, bbox, score; "
        "`class_id` looks like one: call it `category_id` (write category_id)",
    ),
    ([None, {}], "none of its 2 predictions can be used: prediction-empty: 2 × prediction that is null or without any"),
    ([prediction(bbox=[1, 2, 3])], "none of its 1 predictions can be used: prediction-bad-box: 1 × "),
]


@pytest.mark.parametrize(("rows", "expected"), USELESS)
def test_files_of_which_no_row_can_be_used(tmp_path: Path, rows: list[Any], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        tables(tmp_path, predictions=rows)
    assert str(caught.value).startswith(f"{tmp_path}/predictions.json: {expected}")
    assert tables(tmp_path, predictions=rows, tolerant=True).count("prediction") == 0


def test_names_in_place_of_ids(tmp_path: Path) -> None:
    rows = [{"file_name": "2.jpg", "category": "dog", **BOX}]
    loaded = tables(tmp_path, predictions=rows, match_by="file_name", map_categories="name")
    assert (
        loaded.values("prediction", "image_row").tolist() == loaded.values("prediction", "category_row").tolist() == [1]
    )


def test_a_null_row_is_one_finding_and_moves_no_place(tmp_path: Path) -> None:
    loaded = tables(tmp_path, predictions=[prediction(), None, prediction()])
    assert codes(loaded) == {"prediction-empty": 1}
    assert loaded.values("prediction", "source_row").tolist() == [0, 2]
    assert loaded.prediction["id"].to_pylist() == [0, 2]


def test_probabilities_with_a_hole_are_none(tmp_path: Path) -> None:
    loaded = tables(tmp_path, predictions=[prediction(probs=[0.5, 0.5]), prediction(probs=[0.5, None])])
    assert loaded.prediction["probs"].to_pylist() == [[0.5, 0.5], None]


def test_probabilities_in_another_order(tmp_path: Path) -> None:
    rows = [prediction(probs=[0.9, 0.1]), prediction(probs=[0.2, 0.8])]
    usual = tables(tmp_path, predictions=rows).values("prediction", "probs")
    names = tables(tmp_path, predictions=rows).category["name"].to_pylist()
    turned = tables(tmp_path, predictions=rows, prob_categories=tuple(names[::-1]))
    assert turned.values("prediction", "probs").tolist() == usual[:, ::-1].tolist()
    with pytest.raises(UsageError, match="must stand there once"):
        tables(tmp_path, predictions=rows, prob_categories=(names[0], names[0]))
    with pytest.raises(UsageError, match="1 names for 2"):
        tables(tmp_path, predictions=rows, prob_categories=(names[0],))
