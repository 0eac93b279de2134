"""Which conventions have a grid, and that each counts its cells as an evaluation there does."""

from __future__ import annotations

import pytest

from qm_cli.analysis.counts import category_counts
from qm_cli.convention_grids import CONVENTIONS, grid_counts, image_grids
from qm_cli.errors import UsageError
from qm_cli.settings import Grid
from tests.conventions.comparing import evaluated
from tests.input_files import document, label, prediction
from tests.oracles.random_sets import random_set

GRID = Grid((0.25, 0.5), (0.0, 0.5, 0.7))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_cell_is_what_an_evaluation_there_counts(convention: str) -> None:
    data = random_set(5)
    evaluation = evaluated(*data, convention, grid=GRID)
    counts, images = grid_counts(evaluation), list(image_grids(evaluation))
    for lane, iou in enumerate(GRID.ious):
        for place, confidence in enumerate(GRID.confidences):
            alone = evaluated(*data, convention, iou=iou, confidence=confidence)
            own = category_counts(alone.tables, alone.outcomes)
            assert counts.true_positives[lane, place].tolist() == own.true_positives.tolist()
            assert counts.false_positives[lane, place].tolist() == own.false_positives.tolist()
            assert counts.false_negatives[lane, place].tolist() == own.false_negatives.tolist()
            assert counts.confusion(lane, place).tolist() == alone.confusion.tolist()
            assert images[lane].false_positives[:, place].sum() == own.false_positives.sum()


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_grid_changes_no_other_number(convention: str) -> None:
    data = random_set(5)
    plain, beside = evaluated(*data, convention), evaluated(*data, convention, grid=GRID)
    assert plain.confusion.tolist() == beside.confusion.tolist()
    assert plain.outcomes.matched_label.tolist() == beside.outcomes.matched_label.tolist()


@pytest.mark.parametrize("convention", ["voc12", "encord", "labelbox-sdk"])
def test_a_convention_without_a_grid_is_refused(convention: str) -> None:
    evaluation = evaluated(document(labels=[label()]), [prediction()], convention)
    for counting in (grid_counts, image_grids):
        with pytest.raises(UsageError, match=f"convention {convention} has no grid"):
            counting(evaluation)
