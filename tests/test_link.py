"""Raw columns become linked tables; each thing that is wrong gets its code; files for each other's set are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.errors import InputError
from qm_cli.load import load_tables
from qm_cli.tables import Tables
from tests.input_files import Row, document, image, label, prediction, without, write


def tables(folder: Path, labels: Row | None = None, predictions: Any = None, **options: Any) -> Tables:
    label_file = write(folder / "labels.json", document() if labels is None else labels)
    prediction_file = None if predictions is None else write(folder / "predictions.json", predictions)
    return load_tables(label_file, prediction_file, **{"shapes": True, **options})


def codes(loaded: Tables) -> dict[str, int]:
    return {found.code: found.count for found in loaded.findings}


POLYGON = [[10, 10, 30, 10, 30, 30]]
LABEL_FINDINGS: list[tuple[str, Row, list[str]]] = [
    ("image-duplicate-id", document([image(1), image(1, file_name="b.jpg")]), ["1"]),
    ("image-missing-id", document([image(1), image(2), without(image(), "id")]), ["2"]),
    ("image-duplicate-file-name", document([image(1), image(2, file_name="1.jpg")]), ["1.jpg"]),
    ("image-missing-size", document([image(1), without(image(2), "width")]), ["2"]),
    ("image-bad-size", document([image(1), image(2, width=0)]), ["2"]),
    ("image-contradictory-size", document([image(1), image(2), image(3, file_name="1.jpg", width=5)]), ["3"]),
    ("image-outside-folder", document([image(1, file_name="../1.jpg"), image(2)]), ["../1.jpg"]),
    ("category-duplicate-id", document(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), ["1"]),
    ("category-missing-id", document(categories=[{"id": 1, "name": "a"}, {"name": "b"}]), ["1"]),
    ("category-duplicate-name", document(categories=[{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]), ["a"]),
    ("label-duplicate-id", document(labels=[label(5), label(5)]), ["5"]),
    ("label-missing-id", document(labels=[label(5), without(label(), "id")]), ["1"]),
    ("label-unknown-image", document(labels=[label(5), label(6, image_id=99)]), ["6"]),
    ("label-unknown-category", document(labels=[label(5), label(6, category_id=99)]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=[1, 1, -1, 5])]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=[1, 1])]), ["6"]),
    ("label-bad-box", document(labels=[label(5), label(6, bbox=None)]), ["6"]),
    ("label-zero-area", document(labels=[label(5), label(6, bbox=[1, 1, 0, 5])]), ["6"]),
    ("label-outside-image", document(labels=[label(5), label(6, bbox=[90, 1, 30, 5])]), ["6"]),
    ("label-outside-image", document(labels=[label(5), label(6, bbox=[-5, 1, 30, 5])]), ["6"]),
    ("label-missing-area", document(labels=[label(5), without(label(6), "area")]), ["6"]),
    ("label-bad-area", document(labels=[label(5), label(6, area=-1)]), ["6"]),
    ("label-missing-iscrowd", document(labels=[label(5), without(label(6), "iscrowd")]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation=[[1, 2, 3]])]), ["6"]),
    ("label-bad-polygon", document(labels=[label(5), label(6, segmentation="x")]), []),
    ("label-without-box", document(labels=[without(label(5), "bbox")]), ["5"]),
    ("ids-differ-in-type", document(labels=[label(5, image_id="1")]), ["labels.json"]),
]


@pytest.mark.parametrize(("code", "labels", "examples"), LABEL_FINDINGS)
def test_label_finding(tmp_path: Path, code: str, labels: Row, examples: list[str]) -> None:
    if not examples:
        assert codes(tables(tmp_path, labels)) == {}
        return
    [found] = [one for one in tables(tmp_path, labels).findings if one.code == code]
    assert found.count == 1
    assert [Path(example).name if code.startswith("ids") else example for example in found.examples] == examples


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


def test_good_files_have_no_findings(tmp_path: Path) -> None:
    assert codes(tables(tmp_path, predictions=[prediction(), prediction(image_id=2, category_id=7)])) == {}


def test_rows_are_linked_and_sorted_by_image(tmp_path: Path) -> None:
    labels = document([image(9), image(0)], [label(1, image_id=0), label(2, image_id=9), label(3, image_id=0)])
    rows = [prediction(image_id=0, score=0.1), prediction(image_id=9, category_id=7), prediction(image_id=0)]
    loaded = tables(tmp_path, labels, rows)
    assert loaded.values("label", "id").tolist() == [2, 1, 3]
    assert loaded.values("label", "image_row").tolist() == [0, 1, 1]
    assert loaded.values("prediction", "source_row").tolist() == [1, 0, 2]
    assert loaded.values("prediction", "category_row").tolist() == [1, 0, 0]
    assert loaded.offsets("prediction").tolist() == [0, 1, 3]


def test_missing_area_comes_from_polygon_else_box(tmp_path: Path) -> None:
    rows = [without(label(1, segmentation=POLYGON), "area"), without(label(2), "area"), label(3, area=7)]
    assert tables(tmp_path, document(labels=rows)).values("label", "area").tolist() == [200, 400, 7]


def test_polygons_of_two_parts(tmp_path: Path) -> None:
    two = [*POLYGON, [0, 0, 0, 4, 4, 4, 4, 0]]
    rows = [without(label(1, segmentation=two), "area")]
    assert tables(tmp_path, document(labels=rows)).values("label", "area").tolist() == [216]


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


FATAL: list[tuple[Row | None, list[Row] | None, str]] = [
    (
        None,
        [without(prediction(conf=0.9), "score")],
        "predictions.json: no prediction has a score; `conf` looks like one: call it `score` (--missing-score 1",
    ),
    (
        None,
        [without(prediction(), "score")],
        "predictions.json: no prediction has a score (--missing-score 1 gives all 1)",
    ),
    (
        None,
        [prediction(probs=[0.5, 0.5]), prediction(probs=[1])],
        "predictions.json: [1].probs has 1 numbers, there are 2 categories",
    ),
    (
        None,
        [prediction(image_id=55), prediction(image_id=56)],
        "predictions.json: none of its 2 image ids (55, 56) is among the 2 images of the labels (1, 2) "
        "(are both files of one set?)",
    ),
    (
        document([image(1, file_name="a/x.jpg"), image(2)]),
        [prediction(image_id="x.jpg"), prediction(image_id="y.jpg")],
        "predictions.json: none of its 2 image ids (x.jpg, y.jpg) is among the 2 images of the labels (1, 2) "
        "(--match-by file_name would match 1 of 2)",
    ),
    (
        document([image(11, file_name="000139.jpg"), image(12)], [label(image_id=11)]),
        [prediction(image_id=139)],
        "predictions.json: none of its 1 image ids (139) is among the 2 images of the labels (11, 12) "
        "(--match-by stem would match 1 of 1)",
    ),
    (
        document(categories=[{"id": 5, "name": "a"}, {"id": 7, "name": "b"}], labels=[label(category_id=5)]),
        [prediction(category_id=0), prediction(category_id=1)],
        "predictions.json: none of its 2 category ids (0, 1) is among the 2 categories of the labels (5, 7) "
        "(--map-categories contiguous would fit 2 of 2)",
    ),
    (
        None,
        [prediction(category_id="dog"), prediction(category_id="cow")],
        "predictions.json: none of its 2 category ids (dog, cow) is among the 2 categories of the labels (1, 7) "
        "(--map-categories name would fit 1 of 2)",
    ),
    ({"images": [], "categories": [], "annotations": []}, None, "labels.json: there is no image in it (`images` must"),
    (
        document(labels=[label(image_id=8)]),
        None,
        "labels.json: none of the 1 image ids of its annotations (8) is among its 2 images (1, 2) (images, ",
    ),
]


@pytest.mark.parametrize(("labels", "predictions", "expected"), FATAL)
def test_useless_files_are_refused(
    tmp_path: Path, labels: Row | None, predictions: list[Row] | None, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        tables(tmp_path, labels, predictions)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(expected)


def test_tolerant_makes_them_findings(tmp_path: Path) -> None:
    loaded = tables(tmp_path, predictions=[prediction(image_id=55)], tolerant=True)
    found = {one.code: one.detail for one in loaded.findings}
    assert found["prediction-other-set"] == "0 of its 1 image ids match"
    loaded = tables(tmp_path, predictions=[prediction(category_id="dog")], tolerant=True)
    found = {one.code: one.detail for one in loaded.findings}
    assert (
        found["prediction-other-categories"] == "0 of its 1 category ids match; --map-categories name would fit 1 of 1"
    )


def test_partly_unknown_categories_name_the_mapping_that_fits(tmp_path: Path) -> None:
    """Contiguous ids 0 … 2 against 1, 2, 5: most are known, and all are wrong."""
    categories = [{"id": n, "name": f"c{n}"} for n in (1, 2, 5)]
    rows = [prediction(category_id=n) for n in range(3)]
    loaded = tables(tmp_path, document(categories=categories), rows)
    [found] = [one for one in loaded.findings if one.code == "prediction-unknown-category"]
    assert found.detail == "2 of its 3 category ids match; --map-categories contiguous would fit 3 of 3"


def test_set_without_annotations(tmp_path: Path) -> None:
    loaded = tables(tmp_path, without(document(), "annotations"), [prediction()])
    assert (loaded.has_labels, loaded.count("label"), loaded.count("prediction")) == (False, 0, 1)
    assert tables(tmp_path, document(labels=[]), []).has_labels
