"""The numbers of two evaluations of objects beside each other, whatever their convention, with intervals, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.bootstrap import metric_names
from qm_cli.analysis.comparison import Comparison, comparison, comparison_by, units_with
from qm_cli.analysis.slices import Matched, Members
from qm_cli.comparison_rows import named_rows
from qm_cli.convention_resampling import Resampled, labels_of
from qm_cli.errors import UsageError
from qm_cli.evaluation import Evaluation
from qm_cli.slice_comparing import compared_images, compared_slices, slice_members
from qm_cli.slice_language import OBJECT, Slice

RowArray = npt.NDArray[np.int64]


class ComparedNumbers(Struct, frozen=True):
    """metrics, categories, slices: rows of the report. members: of each slice, in either model's rows.

    units: how many were drawn; category_units: how many of them hold labels of each category.
    """

    metrics: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    slices: list[dict[str, Any]]
    members: list[tuple[str, list[Members]]]
    units: int
    category_units: RowArray


def compared_numbers(
    first: Evaluation, second: Evaluation, slices: Sequence[Slice], unit: RowArray, resamples: int, seed: int
) -> ComparedNumbers:
    """Both models on the same halves of the images, or of their clusters: `unit` of each image.

    Raises UsageError for slices of labels or predictions under another convention than COCO's.
    """
    settings = first.settings
    if first.coco is None:
        _refuse_parts(slices, settings.convention)
        models = Resampled(first), Resampled(second)
        numbers, names = (models[0].numbers, models[1].numbers), models[0].names
        found = comparison_by(numbers, unit, units_with(labels_of(first), unit), resamples, seed)
        own = compared_images(slices, numbers, names, unit, resamples, seed)
        whole = [(one.name, [Members(True, one.images, None, None)] * 2) for one in slices]
        return _rows(first, found, names, models[0].category_names, own, whole)
    sides = [Matched(one.tables, one.matches, one.outcomes, settings) for one in (first, second)]
    wholes = sides[0].weighable(), sides[1].weighable()
    found = comparison(*wholes, unit, resamples, seed)
    names = metric_names(settings)
    sliced = compared_slices(slices, sides, wholes, unit, resamples, seed)
    return _rows(first, found, names, names, sliced, slice_members(slices, sides))


def _refuse_parts(slices: Sequence[Slice], convention: str) -> None:
    """Raise UsageError for a slice that is not of whole images."""
    part = next((one for one in slices if one.level == OBJECT), None)
    if part is not None:
        raise UsageError(
            f"slice {part.name!r}: convention {convention} compares on whole images, not on some of their objects",
            "name columns of images, or add --convention coco",
        )


def _rows(
    evaluation: Evaluation,
    found: Comparison,
    names: Sequence[str],
    category_names: Sequence[str],
    sliced: Sequence[dict[str, Any]] = (),
    members: Sequence[tuple[str, list[Members]]] = (),
) -> ComparedNumbers:
    ids, called = (evaluation.tables.category[column].to_pylist() for column in ("id", "name"))
    categories = [
        {
            "id": ids[row],
            "name": called[row],
            "units": int(found.category_units[row]),
            "metrics": named_rows(found.category, category_names, row),
        }
        for row in range(len(ids))
    ]
    metrics = named_rows(found.overall, names)
    return ComparedNumbers(metrics, categories, list(sliced), list(members), found.units, found.category_units)
