"""Slices of answers: sets of data rows, said in the one slice language.

All models answer for the same data rows, so a slice has to be of these: a condition on labels holds the data rows that
have such a label, and one on predictions, which differ from model to model, is refused.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from qm_cli.errors import UsageError
from qm_cli.query import Source
from qm_cli.slice_language import OBJECT, Slice, Slices, Wanted, slices_of
from qm_cli.slice_rows import image_rows

OF_LABELS = "slices of labels hold the data rows with such a label"


def slices_of_rows(source: Source, wanted: Wanted) -> tuple[tuple[Slice, ...], tuple[str, ...]]:
    """The slices, their `images` being the data rows in the order of the source, and what is to be said of them.

    Raises UsageError for a condition on predictions, and as `slices_of`.
    """
    found = slices_of(source, wanted)
    slices = tuple(_of_rows(source, one) for one in found.slices)
    return slices, _notes(found)


def _of_rows(source: Source, one: Slice) -> Slice:
    if one.level != OBJECT:
        return one
    if one.labels is None:
        raise UsageError(
            f"slice {one.name!r}: is of predictions, which differ from model to model",
            "name columns of data rows or labels",
        )
    rows = np.zeros(len(one.images), bool)
    rows[image_rows(source, "label")[one.labels]] = True
    return replace(one, images=rows)


def _notes(found: Slices) -> tuple[str, ...]:
    told = (*found.notes, *(one.sentence() for one in found.findings))
    return (*told, OF_LABELS) if any(one.level == OBJECT for one in found.slices) else told
