"""Names → origins → arrays, on two images with labels and predictions, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.columns import Available, Columns, Origin, available, cells_of, lacking, resolve, unknown
from qm_cli.errors import MetricError
from qm_cli.tables import Tables
from tests.builders import tables

LABELS = {
    "images": [
        {"id": 7, "file_name": "a.png", "width": 10, "height": 20, "weather": "rain"},
        {"id": 3, "file_name": "b.png", "width": 30, "height": 40, "weather": "sun"},
        {"id": 5, "file_name": "c.png", "width": 50, "height": 60, "weather": "sun"},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 3, "category_id": 2, "bbox": [0, 0, 4, 4], "area": 16, "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 3], "area": 6, "iscrowd": 0},
        {"id": 3, "image_id": 7, "category_id": 1, "bbox": [2, 2, 5, 5], "area": 25, "iscrowd": 0},
    ],
}
PREDICTIONS = [
    {"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.9, "probs": [0.1, 0.9]},
    {"image_id": 3, "category_id": 2, "bbox": [0, 0, 4, 4], "score": 0.8, "probs": [0.2, 0.8]},
]


@pytest.fixture(scope="module")
def given() -> Tables:
    return tables(LABELS, PREDICTIONS)


def test_order_of_resolution(given: Tables) -> None:
    have = available(given)
    outputs = {("image", "blur"): "image.blur", ("image", "weather"): "image.weather", ("image", "width"): "image.x"}
    assert resolve("width", "image", have, outputs) == Origin("column", "image", "width")
    assert resolve("blur", "image", have, outputs, "image.other") == Origin("column", "image", "blur", "image.blur")
    assert resolve("blur", "image", have, outputs, "image.blur") is None
    assert resolve("weather", "image", have, outputs, "image.other").maker == "image.weather"  # type: ignore[union-attr]
    assert resolve("weather", "image", have, outputs, "image.weather") == Origin("column", "image", "weather")
    assert resolve("image_width", "label", have, outputs) == Origin("parent", "image", "width")
    assert resolve("label_area", "image", have, outputs) == Origin("column", "label", "area", flat=True)
    assert resolve("label_area", "prediction", have, outputs) == Origin("column", "label", "area", flat=True)
    assert resolve("image_width", "dataset", have, outputs) == Origin("column", "image", "width", flat=True)
    assert resolve("category_name", "image_category", have, outputs) == Origin("parent", "category", "name")
    assert resolve("pixels", "label", have, outputs) == Origin("pixels")
    assert resolve("image_width", "category", have, outputs) is None
    assert resolve("label_image_row", "category", have, outputs) == Origin("column", "label", "image_row", flat=True)


def test_structure(given: Tables) -> None:
    have = available(given)
    assert resolve("offsets", "label", have, {}) == Origin("offsets", "label")
    assert resolve("label_offsets", "image", have, {}) == Origin("offsets", "label")
    assert resolve("label_offsets", "prediction", have, {}) == Origin("offsets", "label")
    assert resolve("label_offsets", "category", have, {}) is None
    assert resolve("label_parent_row", "category", have, {}) == Origin("parent_row", "label")
    assert resolve("category_row_count", "image", have, {}) == Origin("count", "category")


def test_a_name_two_columns_answer_to(given: Tables) -> None:
    outputs = {("image", "category_size"): "image.category_size", ("image_category", "size"): "image_category.size"}
    with pytest.raises(MetricError, match=r"read as image\.category_size and image_category\.size"):
        resolve("image_category_size", "dataset", available(given), outputs)


def test_values(given: Tables) -> None:
    columns, have = Columns(given), available(given)

    def value(name: str, level: str) -> list[float]:
        origin = resolve(name, level, have, {})
        assert origin is not None
        return np.asarray(columns.value(origin, level)).tolist()

    assert value("image_width", "label") == [10, 10, 30]
    assert value("area", "label") == value("label_area", "dataset") == [6, 25, 16]
    assert value("label_offsets", "image") == value("offsets", "label") == [0, 2, 3, 3]
    assert value("label_parent_row", "image") == [0, 0, 1]
    assert value("label_parent_row", "category") == [0, 0, 1]
    assert value("label_parent_row", "dataset") == [0, 0, 0]
    assert value("category_name", "prediction") == ["dog", "dog"]
    assert value("probs", "prediction") == [[0.1, 0.9], [0.2, 0.8]]
    assert value("row_count", "image") == 3
    assert value("row_count", "dataset") == 1
    assert value("weather", "image") == ["rain", "sun", "sun"]


def test_cells(given: Tables) -> None:
    cells = cells_of(given)
    assert cells.image_row.tolist() == [0, 0, 1]
    assert cells.category_row.tolist() == [0, 1, 1]
    assert cells.label.tolist() == [0, 0, 2]
    assert cells.prediction.tolist() == [1, 2]
    columns, have = Columns(given), available(given)
    for name, expected in (("image_category_offsets", [0, 2, 3, 3]), ("image_category_parent_row", [0, 0, 1])):
        origin = resolve(name, "image", have, {})
        assert origin is not None
        assert columns.value(origin, "image").tolist() == expected  # type: ignore[union-attr]
    origin = resolve("label_parent_row", "image_category", have, {})
    assert origin is not None
    assert columns.value(origin, "image_category").tolist() == [0, 0, 2]  # type: ignore[union-attr]


def test_columns_are_views_that_cannot_be_written_to(given: Tables) -> None:
    matched = np.array([1, -1])
    columns = Columns(given, {("prediction", "matched_label_row"): matched})
    assert np.shares_memory(columns.column("label", "area"), given.values("label", "area"))
    assert np.shares_memory(columns.column("prediction", "matched_label_row"), matched)
    for origin in (Origin("column", "label", "area"), Origin("parent", "image", "width"), Origin("offsets", "label")):
        with pytest.raises(ValueError, match="read-only"):
            columns.value(origin, "label")[0] = 1  # type: ignore[index]
    assert matched.flags.writeable
    first = columns.value(Origin("parent", "image", "width"), "label")
    assert first is columns.value(Origin("parent", "image", "width"), "label")


def test_sources_come_before_the_table(given: Tables) -> None:
    columns = Columns(given)
    columns.add("image", "width", np.array([1.0, 2.0, 3.0]))
    assert columns.value(Origin("parent", "image", "width"), "label").tolist() == [1, 1, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "level", "reason"),
    [
        ("label_area", "image", "needs labels (no label file)"),
        ("prediction_probs", "image", "needs class probabilities (`probs`)"),
        ("logits", "prediction", "needs class probabilities (`logits`)"),
        ("pixels", "image", "needs images"),
        ("matched_iou", "prediction", "needs labels (no label file)"),
        ("nonsense", "image", ""),
    ],
)
def test_lacking(name: str, level: str, reason: str) -> None:
    assert lacking(name, level, Available({}, {}, labels=False, predictions=True, images=False)) == reason


def test_unknown_names_the_nearest(given: Tables) -> None:
    assert "image_width" in unknown("image_widht", "label", available(given), {})
    assert "weather" in unknown("wether", "image", available(given), {})


def test_probabilities_with_a_null_row_and_of_different_lengths() -> None:
    rows = [dict(PREDICTIONS[0]), {**PREDICTIONS[1], "probs": None}]
    got = Columns(tables(LABELS, rows)).column("prediction", "probs")
    assert got.shape == (2, 2)
    assert np.isnan(got[1]).all()
    assert got[0].tolist() == [0.1, 0.9]


def test_empty_dataset(given: Tables) -> None:
    columns = Columns(
        Tables(*(given.table(level).slice(0, 0) for level in ("image", "category", "label", "prediction")))
    )
    assert columns.count("image_category") == 0
    assert columns.offsets("label").tolist() == [0]
    assert columns.value(Origin("parent_row", "label"), "image").tolist() == []  # type: ignore[union-attr]


def test_an_image_sees_all_categories(given: Tables) -> None:
    origin = resolve("category_name", "image", available(given), {})
    assert origin == Origin("column", "category", "name", flat=True)
    assert Columns(given).value(origin, "image").tolist() == ["cat", "dog"]  # type: ignore[union-attr]
