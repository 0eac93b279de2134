"""Numbers on sets of images beside those on all of them, on the same half-sample replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.bootstrap import on_halves
from qm_cli.analysis.comparison import NumbersOf
from qm_cli.analysis.intervals import SetNumbers, set_numbers

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def numbers_of_sets(
    sets: Sequence[BoolArray], numbers: NumbersOf, unit: RowArray, resamples: int, seed: int
) -> list[SetNumbers]:
    """The overall numbers of all images, then of each set of them, bool[images].

    numbers: counts each image as often as its weight says. unit: what is drawn, per image; see `bootstrap.replicates`.
    """
    everything = np.ones(len(unit), np.int32)
    masks = [everything, *(one.astype(np.int32) for one in sets)]

    def of_all(weights: npt.NDArray[np.int32]) -> list[FloatArray]:
        return [numbers(weights * mask).overall for mask in masks]

    whole, drawn = of_all(everything), on_halves(unit, resamples, seed, of_all)
    halves = [np.stack([half[place] for half in drawn]) for place in range(len(masks))]
    return [
        set_numbers(values, own, whole[0], halves[0], len(np.unique(unit[mask > 0])))
        for mask, values, own in zip(masks, whole, halves, strict=True)
    ]
