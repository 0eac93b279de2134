"""The numbers of slices of an evaluation: parts of its images, or of its labels and predictions, never matched again.

A slice of images holds all that is on them. In one of objects labels decide where there are any: a prediction that
matched a label is in the slice where its label is, at each IoU threshold, whatever it is itself; one that matched none
where it is a member itself. What is outside is neither right nor wrong, like a crowd and what matches it. So slices
that share out labels and predictions share out the counts of all. Where a condition says nothing of predictions, what
finds no label cannot be placed: precision, F1 and average precision are undefined. Where it says nothing of labels, a
prediction stands for itself and precision alone is defined.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import asdict, replace

from qm_cli.analysis.bootstrap import (
    METRICS,
    Weighable,
    inside_range,
    overall_replicates,
    replicates,
    weighable,
    weighted_numbers,
)
from qm_cli.analysis.counts import Counts, Outcomes
from qm_cli.analysis.intervals import SetNumbers, set_numbers
from qm_cli.kernels.weighted import Runs
from qm_cli.kernels.weighted_precision import RankedLane
from qm_cli.matching import Matches
from qm_cli.settings import Settings
from qm_cli.tables import Tables

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

OF_LABELS = ("AR100", "recall")
OF_PREDICTIONS = ("precision",)


class Members(Struct, frozen=True):
    """A slice's members: bool[images], bool[labels], bool[predictions]. whole: it holds all that is on its images.

    labels, predictions: None where the slice's condition says nothing of them; not looked at where `whole`.
    """

    whole: bool
    images: BoolArray
    labels: BoolArray | None
    predictions: BoolArray | None

    @property
    def defined(self) -> tuple[str, ...]:
        """The metrics that the slice has."""
        if self.whole:
            return METRICS
        if self.labels is None:
            return () if self.predictions is None else OF_PREDICTIONS
        return OF_LABELS if self.predictions is None else METRICS

    def own_predictions(self, count: int) -> BoolArray:
        """Predictions for which a condition on objects is true: bool[count], none where it says nothing of them."""
        return np.zeros(count, bool) if self.predictions is None else self.predictions


class Matched(Struct, frozen=True, dict=True):
    """What an evaluation is made of, as slices need it."""

    tables: Tables
    matches: Matches
    outcomes: Outcomes
    settings: Settings

    @cached_property
    def in_range(self) -> BoolArray:
        """Predictions whose area the evaluation judges: bool[predictions]."""
        return inside_range(self.tables, self.settings.area_ranges[0])

    def weighable(self) -> Weighable:
        return weighable(self.tables, self.matches, self.outcomes, self.settings)


class Sliced(SetNumbers, frozen=True):
    """Numbers of one slice, those of METRICS. counts: its own true positives, false positives and false negatives."""

    images: int
    labels: int
    predictions: int
    counts: Counts


def restricted(whole: Weighable, matched: Matched, members: Members) -> Weighable:
    """The evaluation of a slice. whole: `matched.weighable()`, sorted once for all slices."""
    if members.whole:
        return only_images(whole, members.images)
    matches, found = placed(matched.matches, matched.outcomes, members)
    own = members.own_predictions(len(found.counted)) & matched.in_range
    sliced = weighable(matched.tables, matches, found, matched.settings, own)
    if members.labels is None:
        return only_images(sliced, members.images)
    return only_images(sliced, images_with(sliced, members, len(members.images)))


def placed(matches: Matches, found: Outcomes, members: Members) -> tuple[Matches, Outcomes]:
    """What of an evaluation stands in a slice of objects: its labels, what matched them, and its own that found none.

    As the heading says; all else neither counts nor ranks. Slices and gates both count by it.
    """
    own = members.own_predictions(len(found.counted))
    if members.labels is None:
        return matches, replace(
            found, counted=found.counted & own, matched_label=np.where(own, found.matched_label, -1)
        )
    counted = found.counted & (own | (found.matched_label >= 0))
    found = replace(found, counted=counted, label_counts=found.label_counts & members.labels)
    return replace(matches, ignored=matches.ignored | ~members.labels), found


def inside(matched: Matched, members: Members) -> BoolArray:
    """Predictions that stand in the slice, at the chosen IoU and confidence: where their label is, else by themselves.

    bool[predictions]; those that match no label are in no slice whose condition says nothing of predictions.
    """
    tables, label = matched.tables, matched.outcomes.matched_label
    if members.whole:
        on_images: BoolArray = members.images[tables.values("prediction", "image_row")]
        return on_images
    own = members.own_predictions(len(label))
    if members.labels is None:
        return own
    return np.where(label >= 0, np.append(members.labels, False)[label], own)


def images_with(model: Weighable, members: Members, images: int) -> BoolArray:
    """Images that speak of a slice: its own, or those that hold anything of it that counts or ranks."""
    return members.images if members.whole else _speaking(model, images, None)


def _speaking(model: Weighable, images: int, category: int | None) -> BoolArray:
    """Images that hold anything that counts or ranks, of a category or of any: bool[images]."""
    there = np.zeros(images, bool)
    lanes = (runs for lane in model.lanes for runs in (lane.hits, lane.shift))
    for runs in (model.labels, model.ranked, model.false, *lanes):
        there[_images_of(runs, category)] = True
    return there


def _images_of(runs: Runs, category: int | None) -> npt.NDArray[np.intp]:
    return runs.image if category is None else runs.image[runs.start[category] : runs.start[category + 1]]


def category_of(tables: Tables, members: Members) -> int | None:
    """The row of the one category whose labels and predictions are a slice's members, all of them and no others."""
    if members.whole or members.labels is None or members.predictions is None:
        return None
    masks = (members.labels, members.predictions)
    rows = [tables.values(level, "category_row") for level in ("label", "prediction")]
    there = np.concatenate([own[mask][:1] for own, mask in zip(rows, masks, strict=True)])
    whole = len(there) and all(np.array_equal(own == there[0], mask) for own, mask in zip(rows, masks, strict=True))
    return int(there[0]) if whole else None


def only_images(model: Weighable, images: BoolArray) -> Weighable:
    """The evaluation of some images alone: bool[images]."""
    ranked = _cut(model.ranked, images)
    before = np.append(0, np.cumsum(images[model.ranked.image]))
    lanes = []
    for lane in model.lanes:
        hits, shifts = images[lane.hits.image], images[lane.shift.image]
        shifted = np.append(0, np.cumsum(shifts))
        lanes.append(
            RankedLane(
                _cut(lane.hits, images),
                before[lane.before[hits]],
                _cut(lane.shift, images),
                lane.sign[shifts],
                shifted[lane.shifted[hits]],
            )
        )
    counted = (_cut(runs, images) for runs in (model.labels, model.hit, model.false, model.missed))
    return Weighable(ranked, tuple(lanes), model.thresholds, *counted)


def _cut(runs: Runs, images: BoolArray) -> Runs:
    kept = images[runs.image]
    return Runs(runs.image[kept], np.append(0, np.cumsum(kept))[runs.start])


def slice_numbers(
    matched: Matched, slices: Sequence[Members], unit: RowArray, resamples: int, seed: int
) -> tuple[Sliced, list[Sliced]]:
    """The numbers of all, and of each slice beside all, with intervals from halves of the units that all share.

    unit: what is drawn, per image: its own row, or its cluster's. A slice that is one category is a column of the whole
    evaluation's numbers by category, so 80 of them are counted, and drawn anew, as one.
    """
    whole = matched.weighable()
    images = len(unit)
    ones = np.ones(images, np.int32)
    categories = [category_of(matched.tables, one) for one in slices]
    others = [restricted(whole, matched, one) for one, row in zip(slices, categories, strict=True) if row is None]
    own, drawn = weighted_numbers(whole, ones), replicates([whole], unit, resamples, seed)[0]
    alone = iter(zip(others, overall_replicates(others, unit, resamples, seed), strict=True))
    everything = Members(True, np.ones(images, bool), None, None)
    told = _Told(own.overall, drawn.overall, unit)
    found = []
    for one, row in zip(slices, categories, strict=True):
        if row is None:
            model, values = next(alone)
            found.append(told.sliced(model, one, None, weighted_numbers(model, ones).overall, values))
        else:
            found.append(told.sliced(whole, one, row, own.category[:, row], drawn.category[:, :, row]))
    return told.sliced(whole, everything, None, own.overall, drawn.overall), found


class _Told(Struct, frozen=True):
    """Of all: values, float64[metrics]; drawn, float64[resamples, metrics]; unit: what is drawn, per image."""

    values: FloatArray
    drawn: FloatArray
    unit: RowArray

    def sliced(
        self, model: Weighable, members: Members, category: int | None, own: FloatArray, drawn: FloatArray
    ) -> Sliced:
        """category: the row of that one of the model which the slice is; None for all that the model holds."""
        images = len(self.unit)
        there = members.images if members.whole else _speaking(model, images, category)
        units = len(np.unique(self.unit[there]))
        undefined = np.array([name not in members.defined for name in METRICS])
        own, drawn = np.where(undefined, np.nan, own), np.where(undefined, np.nan, drawn)
        numbers = set_numbers(own, drawn, self.values, self.drawn, units)
        labels, hit, false, missed = (
            len(_images_of(runs, category)) for runs in (model.labels, model.hit, model.false, model.missed)
        )
        counts = Counts(*(np.array([count]) for count in (hit, false, missed)))
        return Sliced(**asdict(numbers), images=int(there.sum()), labels=labels, predictions=hit + false, counts=counts)
