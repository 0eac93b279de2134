"""Predictions become the prediction table; each thing that is wrong gets its code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.errors import UsageError
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
    assert codes(loaded) == {}
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
    assert codes(tables(tmp_path, predictions=rows)) == {"prediction-bad-box": 1}
    labels = document(labels=[without(label(1), "bbox")])
    assert codes(tables(tmp_path, labels, [prediction()])) == {"label-bad-box": 1}


def test_missing_score(tmp_path: Path) -> None:
    rows = [without(prediction(), "score")]
    assert tables(tmp_path, predictions=rows, missing_score=1.0).values("prediction", "score").tolist() == [1]


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
