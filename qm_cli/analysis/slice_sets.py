"""Numbers on sets of images beside those on all of them, on the same half-sample replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.bootstrap import on_halves
from qm_cli.analysis.comparison import NumbersOf
from qm_cli.analysis.intervals import Interval, difference_interval, difference_p, share_interval

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class SetNumbers(Struct, frozen=True):
    """Numbers of a set and their difference to those of all, float64[numbers], NaN where undefined.

    units: how many drawn units speak of the set; p: of no difference.
    """

    values: FloatArray
    interval: Interval
    difference: FloatArray
    difference_interval: Interval
    p: FloatArray
    units: int


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
    found = []
    for mask, values, own in zip(masks, whole, halves, strict=True):
        units, difference = len(np.unique(unit[mask > 0])), values - whole[0]
        around = difference_interval(difference, own - halves[0], units)
        p = difference_p(difference, around.error, units)
        found.append(SetNumbers(values, share_interval(values, own, units), difference, around, p, units))
    return found
