"""Every cell of Labelbox's grid, and of each image's, against the plain loop at that confidence and IoU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.overlap_grid import overlap_counts, overlap_images
from qm_cli.analysis.overlap_lanes import OverlapLanes, overlap_lanes
from qm_cli.settings import Grid, settings_at
from tests.conventions.comparing import close, loaded
from tests.input_files import document, image, label, prediction
from tests.oracles import labelbox_loop
from tests.oracles.random_sets import Row, random_set
from tests.strategies import SCORES, DetectionSet, detection_sets

IOUS = st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.6, 0.75, 1.0]), min_size=1, max_size=4, unique=True)
CONFIDENCES = st.lists(st.sampled_from([*SCORES, 0.3, 0.95]), min_size=1, max_size=4, unique=True)
GRIDS = st.builds(lambda *axes: Grid(*(tuple(sorted(axis)) for axis in axes)), CONFIDENCES, IOUS)


def matched(data: DetectionSet, grid: Grid) -> OverlapLanes:
    return overlap_lanes(loaded(*data, "labelbox"), settings_at("labelbox"), grid.confidences, grid.ious)


def counted(rows: Sequence[Row], category: Any) -> tuple[int, int, int]:
    """True positives, false positives and false negatives of a category."""
    own = [(row["true"] == category, row["predicted"] == category) for row in rows]
    return own.count((True, True)), own.count((False, True)), own.count((True, False))


def rates(rows: Sequence[Row], category: Any) -> Row:
    """Precision, recall, F1 and mean IoU of a category, None where undefined."""
    found, false, missed = counted(rows, category)
    iou = [row["iou"] for row in rows if row["true"] == row["predicted"] == category]
    return {
        "precision": found / (found + false) if found + false else None,
        "recall": found / (found + missed) if found + missed else None,
        "f1": 2 * found / (2 * found + false + missed) if found + false + missed else None,
        "mean_iou": sum(iou) / len(iou) if iou else None,
    }


def plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def hold_cells(data: DetectionSet, grid: Grid) -> None:
    found = overlap_counts(matched(data, grid), grid, confusion=True)
    ids = [category["id"] for category in data[0]["categories"]]
    places = {identifier: place for place, identifier in enumerate([*ids, None])}
    for lane, iou in enumerate(grid.ious):
        for level, confidence in enumerate(grid.confidences):
            rows = labelbox_loop.labelbox_rows(*data, iou, confidence)
            matrix = np.zeros((len(places), len(places)), np.int64)
            for row in rows:
                matrix[places[row["true"]], places[row["predicted"]]] += 1
            assert found.confusion(lane, level).tolist() == matrix.tolist(), (iou, confidence)
            for place, category in enumerate(ids):
                cell = lane, level, place
                own = found.true_positives[cell], found.false_positives[cell], found.false_negatives[cell]
                assert own == counted(rows, category)
                for name, wanted in rates(rows, category).items():
                    assert plain(getattr(found, name)[cell]) == close(wanted), name


def hold_images(data: DetectionSet, grid: Grid) -> None:
    lanes = list(overlap_images(matched(data, grid), grid))
    ids = [category["id"] for category in data[0]["categories"]]
    for found, iou in zip(lanes, grid.ious, strict=True):
        for level, confidence in enumerate(grid.confidences):
            everything = labelbox_loop.labelbox_rows(*data, iou, confidence)
            for place, one in enumerate(data[0]["images"]):
                rows = [row for row in everything if row["image"] == one["id"]]
                cell = place, level
                own = found.true_positives[cell], found.false_positives[cell], found.false_negatives[cell]
                assert own == tuple(np.sum([counted(rows, category) for category in ids], axis=0))
                annotated = any(row["true"] is not None for row in rows)
                both = annotated and any(row["predicted"] is not None for row in rows)
                of_categories = [rates(rows, category) for category in ids]
                for name in ("precision", "recall", "f1", "mean_iou"):
                    values = [own[name] for own in of_categories if own[name] is not None]
                    wanted = sum(values) / len(values) if both and values else None
                    value = getattr(found, "iou" if name == "mean_iou" else name)[cell]
                    assert plain(value) == close(wanted), (name, iou, confidence, one["id"])


@given(detection_sets(comparable=True), GRIDS)
@settings(max_examples=40, deadline=None)
def test_every_cell_equals_the_loop(data: DetectionSet, grid: Grid) -> None:
    hold_cells(data, grid)


@given(detection_sets(comparable=True), GRIDS)
@settings(max_examples=30, deadline=None)
def test_every_cell_of_every_image_equals_the_loop(data: DetectionSet, grid: Grid) -> None:
    hold_images(data, grid)


@pytest.mark.parametrize("seed", range(4))
def test_sets_with_crowds_and_ignored_labels(seed: int) -> None:
    grid = Grid((0.0, 0.25, 0.5, 0.8), (0.0, 0.3, 0.5, 0.7))
    hold_cells(random_set(seed), grid)
    hold_images(random_set(seed), grid)


@pytest.mark.parametrize("data", [(document(labels=[]), [prediction()]), (document(), []), (document(labels=[]), [])])
def test_nothing_on_one_side(data: DetectionSet) -> None:
    hold_cells(data, Grid())
    hold_images(data, Grid((0.5,), (0.5,)))


def test_no_axes_no_cells() -> None:
    lanes = matched((document(), [prediction()]), Grid((0.5,), (0.5,)))
    assert overlap_counts(lanes, Grid((), ()), confusion=True).kept.shape == (0, 0, 2)


def test_a_higher_confidence_may_find_more() -> None:
    """The unsure dog sits best on the cat and takes it from the sure cat: without it the cat is found."""
    rows = [prediction(bbox=[10, 12, 20, 20], score=0.9), prediction(category_id=7, score=0.3)]
    grid = Grid((0.2, 0.5), (0.5,))
    found = overlap_counts(matched((document(images=[image(1)], labels=[label(1)]), rows), grid), grid, confusion=True)
    assert found.confusion(0, 0).tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert found.confusion(0, 1).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
