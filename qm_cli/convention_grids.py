"""The grid of an evaluation, counted as its convention does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from qm_cli.analysis.grid import GridCounts, coco_counts
from qm_cli.analysis.image_grid import ImageCounts, image_grid
from qm_cli.analysis.overlap_grid import overlap_counts, overlap_images
from qm_cli.errors import UsageError
from qm_cli.evaluated import Evaluation
from qm_cli.settings import Grid


class GridRule(Struct, frozen=True):
    """How a convention counts the cells, with confusion or without, and those of every image, an IoU after the other.

    The evaluation has matched at every cell of the grid.
    """

    counts: Callable[[Evaluation, Grid, bool], GridCounts]
    images: Callable[[Evaluation, Grid], Iterator[ImageCounts]]


CONVENTIONS = {
    "coco": GridRule(
        lambda one, grid, confusion: coco_counts(
            one.tables, one.matches, one.settings.task, grid, one.pairs.across if confusion else None
        ),
        lambda one, grid: image_grid(one.tables, one.matches, one.settings.task, grid),
    ),
    "labelbox": GridRule(
        lambda one, grid, confusion: overlap_counts(one.lanes, grid, confusion=confusion),
        lambda one, grid: overlap_images(one.lanes, grid),
    ),
}
"""The conventions that have a grid."""


def grid_counts(evaluation: Evaluation, *, confusion: bool = True) -> GridCounts:
    """Every cell of the settings' grid, 0, .1 … 1 on both axes where they name none.

    Raises UsageError for a convention without a grid.
    """
    return _rule(evaluation).counts(evaluation, evaluation.settings.grid or Grid(), confusion)


def image_grids(evaluation: Evaluation) -> Iterator[ImageCounts]:
    """The counts of every image at one IoU of the settings' grid after the other. UsageError as above."""
    return _rule(evaluation).images(evaluation, evaluation.settings.grid or Grid())


def _rule(evaluation: Evaluation) -> GridRule:
    convention = evaluation.settings.convention
    if convention not in CONVENTIONS:
        raise UsageError(f"convention {convention} has no grid", f"take one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[convention]
