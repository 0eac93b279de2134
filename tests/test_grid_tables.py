"""The grid's tables in the run folder against the counts they hold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from qm_cli.evaluation import evaluate_tables
from qm_cli.grid_tables import grid_tables
from qm_cli.settings import Grid, Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.oracles import counts_loop
from tests.strategies import DetectionSet, detection_sets

GRID = Grid((0.2, 0.5), (0.0, 0.5, 0.9))


def written(data: DetectionSet, grid: Grid | None = GRID, **chosen: Any) -> dict[str, pa.Table]:
    return grid_tables(evaluate_tables(builders.tables(*data), Settings(grid=grid, **chosen)))


@given(detection_sets())
@settings(max_examples=15, deadline=None)
def test_rows_of_every_category_and_of_all_together(data: DetectionSet) -> None:
    tables = written(data)
    ids = [category["id"] for category in data[0]["categories"]]
    names = [category["name"] for category in data[0]["categories"]]
    rows = tables["grid"].to_pylist()
    assert len(rows) == (len(ids) + 1) * 6
    places = [(row["category_row"], row["confidence"], row["iou"]) for row in rows]
    assert places == [(c, s, i) for c in [*range(len(ids)), None] for s in (0.2, 0.5) for i in (0.0, 0.5, 0.9)]
    for iou in (0.5, 0.9):
        expected = counts_loop.evaluate_counts(*data, iou=iou, confidence=0.5)
        here = [row for row in rows if (row["confidence"], row["iou"]) == (0.5, iou)]
        for row in here:
            own = row["category_row"]
            wanted = expected["micro"] if own is None else expected["per_category"][ids[own]]
            assert row["category"] == (None if own is None else names[own])
            assert (row["true_positives"], row["false_positives"], row["false_negatives"]) == (
                wanted["tp"],
                wanted["fp"],
                wanted["fn"],
            )
            assert (row["precision"], row["recall"], row["f1"]) == (
                wanted["precision"],
                wanted["recall"],
                wanted["f1"],
            )
        matrix = [[0] * (len(ids) + 1) for _ in range(len(ids) + 1)]
        for row in tables["grid_confusion"].to_pylist():
            if (row["confidence"], row["iou"]) == (0.5, iou):
                true, predicted = (
                    len(ids) if row[f"{s}_row"] is None else row[f"{s}_row"] for s in ("true", "predicted")
                )
                assert row["true"] == ([*names, None])[true]
                matrix[true][predicted] = row["count"]
        assert matrix == expected["confusion"]["matrix"]


def test_which_tables_there_are() -> None:
    data = document(), [prediction(), prediction(category_id=7)]
    assert written(data, None) == {}
    assert set(written(data)) == {"grid", "grid_confusion", "pr_curve"}
    assert set(written(data, Grid((0.5,), (0.5,), images=True))) == {"grid", "grid_confusion", "pr_curve", "image_grid"}


def test_labelbox_has_no_curve_and_counts_across_categories() -> None:
    """The unsure dog takes the cat from the sure one; from .5 on the cat is found. The second image has no label."""
    rows = [
        prediction(bbox=[10, 12, 20, 20], score=0.9),
        prediction(category_id=7, score=0.3),
        prediction(image_id=2, score=0.9),
    ]
    tables = written((document(labels=[label()]), rows), Grid((0.2, 0.5), (0.5,), images=True), convention="labelbox")
    assert set(tables) == {"grid", "grid_confusion", "image_grid"}
    overall = [row for row in tables["grid"].to_pylist() if row["category"] is None]
    assert [(row["true_positives"], row["false_positives"], row["false_negatives"]) for row in overall] == [
        (0, 3, 1),
        (1, 1, 0),
    ]
    cells = tables["grid_confusion"].select(["confidence", "true", "predicted", "count"]).to_pylist()
    assert [tuple(row.values()) for row in cells] == [
        (0.2, "cat", "dog", 1),
        (0.2, None, "cat", 2),
        (0.5, "cat", "cat", 1),
        (0.5, None, "cat", 1),
    ]
    images = tables["image_grid"].select(["image_id", "confidence", "precision", "recall", "f1", "mean_iou"])
    assert [tuple(row.values()) for row in images.to_pylist()] == [
        (1, 0.2, 0.0, 0.0, 0.0, None),
        (1, 0.5, 1.0, 1.0, 1.0, pytest.approx(18 / 22)),
        (2, 0.2, None, None, None, None),
        (2, 0.5, None, None, None, None),
    ]


def test_f_beta_and_the_curve() -> None:
    tables = written((document(), [prediction(), prediction(category_id=7, score=0.3)]), beta=2.0)
    row = next(row for row in tables["grid"].to_pylist() if row["category"] == "cat")
    assert row["f_beta"] == pytest.approx(5 / (5 + 4))
    curve = tables["pr_curve"].select(["category", "iou", "confidence", "precision", "recall"]).to_pylist()
    assert [tuple(row.values()) for row in curve] == [
        ("cat", 0.5, 0.9, 1.0, 0.5),
        ("dog", 0.5, 0.3, 0.0, None),
        (None, 0.5, 0.9, 1.0, 0.5),
        (None, 0.5, 0.3, 0.5, 0.5),
    ]


def test_images_have_a_row_a_cell() -> None:
    labels = [label(1), label(2, category_id=7)]
    table = written((document(labels=labels), [prediction()]), Grid((0.0, 0.95), (0.5,), images=True))["image_grid"]
    assert table.column_names[:4] == ["image_row", "image_id", "confidence", "iou"]
    rows = table.select(["image_id", "confidence", "true_positives", "false_negatives", "recall"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, 0.0, 1, 1, 0.5),
        (1, 0.95, 0, 2, None),
        (2, 0.0, 0, 0, None),
        (2, 0.95, 0, 0, None),
    ]


@pytest.mark.parametrize(
    "data", [(document(labels=[], categories=[]), []), (document(), []), (document(labels=[]), [])]
)
def test_nothing_to_count(data: DetectionSet) -> None:
    tables = written(data, Grid((0.5,), (0.5,), images=True))
    assert tables["pr_curve"].num_rows == 0
    assert tables["grid"].num_rows == len(data[0]["categories"]) + 1
    assert tables["image_grid"].num_rows == 2
