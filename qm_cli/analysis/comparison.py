"""Two models on the same images: what differs, how sure that is, and what this set could have seen at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.bootstrap import METRICS, Numbers, Weighable, on_halves, overall_replicates, weighted_numbers
from qm_cli.analysis.intervals import (
    Interval,
    UnitCounts,
    difference_interval,
    difference_p,
    share_interval,
    smallest_difference,
)
from qm_cli.analysis.slices import Matched, Members, images_with, restricted
from qm_cli.kernels.weighted import Runs

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
NumbersOf = Callable[[npt.NDArray[np.int32]], Numbers]


class Compared(Struct, frozen=True):
    """Numbers of both models (first, second) with their intervals, and second less first; arrays of one shape.

    difference: its interval and standard error; p: of no difference; smallest: the difference this set would show.
    """

    first: FloatArray
    second: FloatArray
    first_interval: Interval
    second_interval: Interval
    difference: Interval
    p: FloatArray
    smallest: FloatArray


class Comparison(Struct, frozen=True):
    """overall: [metrics]; category: [metrics, categories]; units: how many were drawn; category_units: with labels."""

    overall: Compared
    category: Compared
    units: int
    category_units: RowArray


def comparison(first: Weighable, second: Weighable, unit: RowArray, resamples: int, seed: int) -> Comparison:
    """Paired bootstrap: every draw of images (or of clusters: `unit` per image) counts for both models."""
    numbers = (partial(weighted_numbers, first), partial(weighted_numbers, second))
    return comparison_by(numbers, unit, units_with(first.labels, unit), resamples, seed)


def comparison_by(
    numbers: tuple[NumbersOf, NumbersOf], unit: RowArray, category_units: RowArray, resamples: int, seed: int
) -> Comparison:
    """As `comparison`, of any numbers: a function per model that counts each image as often as its weight says.

    category_units: how many units speak of each category: int64[categories].
    """
    whole = [of_weights(np.ones(len(unit), np.int32)) for of_weights in numbers]
    drawn = on_halves(unit, resamples, seed, lambda half: [of_weights(half) for of_weights in numbers])
    units = len(np.unique(unit))
    overall, category = (
        _compared(
            [getattr(one, part) for one in whole],
            [np.stack([getattr(half[model], part) for half in drawn]) for model in (0, 1)],
            spoken,
        )
        for part, spoken in (("overall", units), ("category", category_units))
    )
    return Comparison(overall, category, units, category_units)


def compared_parts(
    parts: Sequence[Sequence[Members]],
    sides: Sequence[Matched],
    wholes: Sequence[Weighable],
    unit: RowArray,
    resamples: int,
    seed: int,
) -> list[tuple[Compared, int]]:
    """Both models on each part of the data, on the same halves for all parts; and how many units speak of a part.

    parts: the members of each, in either model's rows; wholes: either model on all of the data.
    """
    pairs = [
        [restricted(whole, side, own) for whole, side, own in zip(wholes, sides, both, strict=True)] for both in parts
    ]
    drawn = overall_replicates([model for pair in pairs for model in pair], unit, resamples, seed)
    whole = np.ones(len(unit), np.int32)
    found = []
    for place, (both, pair) in enumerate(zip(parts, pairs, strict=True)):
        undefined = np.array([name not in both[0].defined or name not in both[1].defined for name in METRICS])
        numbers = [np.where(undefined, np.nan, weighted_numbers(model, whole).overall) for model in pair]
        own = [np.where(undefined, np.nan, drawn[2 * place + side]) for side in (0, 1)]
        there = np.any([images_with(model, members, len(unit)) for model, members in zip(pair, both, strict=True)], 0)
        units = len(np.unique(unit[there]))
        found.append((_compared(numbers, own, units), units))
    return found


def compared_sets(
    sets: Sequence[BoolArray], numbers: tuple[NumbersOf, NumbersOf], unit: RowArray, resamples: int, seed: int
) -> list[tuple[Compared, int]]:
    """The overall numbers of both models on each set of images, bool[images], on the same halves for all sets.

    Also how many units speak of a set. numbers: as in `comparison_by`.
    """
    masks = [one.astype(np.int32) for one in sets]
    if not masks:
        return []

    def of_all(weights: npt.NDArray[np.int32]) -> list[list[FloatArray]]:
        return [[of_weights(weights * mask).overall for of_weights in numbers] for mask in masks]

    whole = of_all(np.ones(len(unit), np.int32))
    drawn = on_halves(unit, resamples, seed, of_all)
    found = []
    for place, mask in enumerate(masks):
        own = [np.stack([half[place][side] for half in drawn]) for side in (0, 1)]
        units = len(np.unique(unit[mask > 0]))
        found.append((_compared(whole[place], own, units), units))
    return found


def units_with(runs: Runs, unit: RowArray) -> RowArray:
    """How many different units hold objects of each group: int64[groups]."""
    groups = len(runs.start) - 1
    group = np.repeat(np.arange(groups), np.diff(runs.start))
    pairs = np.unique(unit[runs.image] * np.int64(max(groups, 1)) + group)
    return np.bincount(pairs % max(groups, 1), minlength=groups)


def _compared(numbers: list[FloatArray], drawn: list[FloatArray], units: UnitCounts) -> Compared:
    first, second = numbers
    difference = difference_interval(second - first, drawn[1] - drawn[0], units)
    return Compared(
        first,
        second,
        share_interval(first, drawn[0], units),
        share_interval(second, drawn[1], units),
        difference,
        difference_p(second - first, difference.error, units),
        smallest_difference(difference.error),
    )
