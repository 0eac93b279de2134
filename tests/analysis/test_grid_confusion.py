"""Matches across categories at single cells; tests of the whole grid are in test_grid."""

from __future__ import annotations

from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import outcomes
from qm_cli.analysis.grid import coco_counts
from qm_cli.analysis.grid_confusion import Confused, confused_cells, score_levels
from qm_cli.matching import match_tables
from qm_cli.pairs import overlapping_pairs
from qm_cli.settings import Grid, Settings
from tests import builders
from tests.input_files import document, label, prediction
from tests.simulated_sets import simulated_sets


def confused(labels: list[dict[str, object]], rows: list[dict[str, object]], grid: Grid) -> Confused:
    tables = builders.tables(document(labels=labels), rows)
    return confused_cells(tables, match_tables(tables, Settings(grid=grid)), overlapping_pairs(tables).across, grid)


def test_filled_cells_stand_in_order_and_are_found_by_place() -> None:
    labels = [label(1, category_id=7), label(2, image_id=2)]
    rows = [prediction(score=0.6), prediction(image_id=2, category_id=7, score=0.9)]
    found = confused(labels, rows, Grid((0.5, 0.8), (0.5, 1.0)))
    assert found.iou.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.confidence.tolist() == [0, 0, 1, 0, 0, 1]
    assert [values.tolist() for values in found.at(0, 0)] == [[0, 1], [1, 0], [1, 1]]
    assert [values.tolist() for values in found.at(1, 1)] == [[0], [1], [1]]


def test_of_equal_overlaps_the_higher_score_is_taken() -> None:
    rows = [prediction(score=0.6), prediction(score=0.9, category_id=3)]
    categories = [{"id": number, "name": str(number)} for number in (1, 3, 7)]
    tables = builders.tables(document(labels=[label(1, category_id=7)], categories=categories), rows)
    grid = Grid((0.5, 0.8), (0.5,))
    found = confused_cells(tables, match_tables(tables, Settings(grid=grid)), overlapping_pairs(tables).across, grid)
    assert [values.tolist() for values in found.at(0, 0)] == [[2], [1], [1]]


def test_levels_are_the_confidences_a_score_reaches() -> None:
    tables = builders.tables(document(), [prediction(score=score) for score in (0.0, 0.5, 0.49, 1.0)])
    assert score_levels(tables, (0.0, 0.5, 1.0)).tolist() == [1, 2, 1, 3]


def test_equal_to_the_matrix_of_single_evaluations() -> None:
    import numpy as np

    [tables] = simulated_sets(np.random.default_rng(3), 60, 4, [1.0])
    grid = Grid((0.0, 0.4, 0.7), (0.3, 0.5, 0.9))
    chosen = Settings(grid=grid)
    counts = coco_counts(tables, match_tables(tables, chosen), "bbox", grid, overlapping_pairs(tables).across)
    for lane, iou in enumerate(grid.ious):
        for place, confidence in enumerate(grid.confidences):
            one = Settings(iou=iou, confidence=confidence)
            found = outcomes(tables, match_tables(tables, one), one)
            assert counts.confusion(lane, place).tolist() == confusion_matrix(tables, found, one).tolist()
