"""Files are linked as a whole; files that cannot be meant for each other's set are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import InputError
from tests.input_files import Row, codes, document, image, label, prediction, tables, without


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
