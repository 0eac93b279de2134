"""Who matches whom under any setting of the conventions' parameters; overlaps are computed once for all of them.

One loop serves every rule: pairs are tried in an order, and one is taken if both its ends are still free. By falling
score, then overlap, that is COCO's; with each prediction's best pair alone VOC's and Encord's; by falling overlap
Labelbox's; by falling overlap with each prediction's best pair alone that of Ultralytics' confusion matrix.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.confidence_rules import ABOVE as ABOVE_CONFIDENCE
from qm_cli.convention_rules import (
    ABOVE,
    ALIKE,
    ANY_AREA,
    BEST,
    BOUNDED,
    BY_SCORE,
    CELL,
    FILLED_AREA,
    LABEL_FIRST,
    LATER,
    ONE_EACH,
    Rules,
)
from qm_cli.conventions import lvis, voc
from qm_cli.kernels.assignment import greedy_one_to_one
from qm_cli.kernels.greedy import match_bound
from qm_cli.label_flags import label_flag
from qm_cli.matching import score_order, within_max_detections
from qm_cli.overlap import overlap, prediction_areas
from qm_cli.pairs import in_stretches, of_one_category
from qm_cli.settings import AREA_RANGES
from qm_cli.tables import Tables

BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class Overlaps(Struct, frozen=True):
    """Pairs of an image that overlap enough by one of three measures, by (prediction row, label row): int64[n] each.

    same: of one category, bool[n]. plain: IoU; covered: with crowd labels the intersection over the prediction's area;
    pixel: IoU of boxes that hold their last pixel, plain for other shapes: float64[n] each.
    """

    prediction: RowArray
    label: RowArray
    same: BoolArray
    plain: FloatArray
    covered: FloatArray
    pixel: FloatArray


class Part(Struct, frozen=True):
    """What takes part under some rules. label, prediction: bool of each. counts: labels that count, bool[labels].

    excused: predictions that are ignored when they match nothing, bool[predictions].
    """

    label: BoolArray
    prediction: BoolArray
    counts: BoolArray
    excused: BoolArray


class Comparison(Struct, frozen=True, dict=True):
    """One set of tables, to be matched under many rules. lowest: no rule has a lower IoU threshold."""

    tables: Tables
    task: str
    lowest: float

    @cached_property
    def overlaps(self) -> Overlaps:
        return _overlaps(self.tables, self.task, self.lowest)

    @cached_property
    def order(self) -> RowArray:
        """Prediction rows by (category, −score, image id, input order)."""
        return score_order(self.tables)

    @cached_property
    def rank(self) -> RowArray:
        """Place of each prediction by falling score, then input order: int64[predictions]."""
        score = self.tables.values("prediction", "score")
        rank = np.empty(len(score), np.int64)
        rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
        return rank

    def part(self, rules: Rules) -> Part:
        """Labels and predictions that take part. Raises InputError where LVIS's lists are asked for and missing."""
        tables, area = self.tables, self.tables.values("label", "area")
        label = area > 0 if rules.area == FILLED_AREA else np.ones(len(area), bool)
        counts = label & ~self._skipped(rules)
        if rules.area != ANY_AREA:
            counts &= (area >= AREA_RANGES[0].low) & (area <= AREA_RANGES[0].high)
        prediction = self._among_most(rules) & self._scored(rules)
        if rules.area == FILLED_AREA:
            prediction &= prediction_areas(tables) > 0
        excused = np.zeros(len(prediction), bool)
        if rules.judged:
            prediction &= lvis.in_judged_categories(tables, label)
            excused = lvis.in_open_categories(tables)
        return Part(label, prediction, counts, excused)

    def _skipped(self, rules: Rules) -> BoolArray:
        flags = [label_flag(self.tables, name) for name in rules.uncounted]
        return np.asarray(np.any([np.zeros(self.tables.count("label"), bool), *flags], axis=0))

    def _among_most(self, rules: Rules) -> BoolArray:
        limit, unit = rules.most
        everything = np.ones(self.tables.count("prediction"), bool)
        if not limit:
            return everything
        if unit == CELL:
            kept = within_max_detections(self.tables, self.order, limit)
            return everything if kept is None else kept.copy()
        return lvis.best_of_image(self.tables, limit)

    def _scored(self, rules: Rules) -> BoolArray:
        score = self.tables.values("prediction", "score")
        if rules.minimum is None:
            return np.ones(len(score), bool)
        sign, least = rules.minimum
        return np.asarray(score > least if sign == ABOVE_CONFIDENCE else score >= least)

    def matched(self, rules: Rules, part: Part) -> list[RowArray]:
        """The label of its category that each prediction takes at each threshold, −1 for none: int64[predictions]."""
        pairs = self.overlaps
        there = part.label[pairs.label] & part.prediction[pairs.prediction]
        counting, own = part.counts[pairs.label], pairs.same
        crowd = label_flag(self.tables, "iscrowd") & ("iscrowd" in rules.uncounted)
        shared = ~part.counts & crowd if rules.ignoring == ONE_EACH else ~part.counts
        value = pairs.pixel if rules.pixel else pairs.plain
        beside = value if rules.pixel or rules.ignoring == ALIKE else np.where(crowd[pairs.label], pairs.covered, value)
        tried = there & (own | (counting & rules.crossing))
        excusing = np.zeros(0, np.int64)
        if rules.ignoring != ALIKE:
            excusing = self._by_turn(np.flatnonzero(there & own & ~counting), beside, rules, by_score=True)
            tried &= counting
        turns = self._by_turn(np.flatnonzero(tried), value, rules, by_score=rules.order == BY_SCORE)
        found = []
        for threshold in rules.thresholds:
            passing = turns[_reaches(value[turns], threshold, rules.reach)]
            matched = self._taken(passing, shared, only_best=rules.tries == BEST)
            late = excusing[_reaches(beside[excusing], threshold, rules.reach)]
            late = late[matched[pairs.prediction[late]] < 0]
            matched = np.maximum(matched, self._taken(late, shared, only_best=False))
            found.append(np.where(self._of_own_category(matched), matched, -1))
        return found

    def _by_turn(self, rows: RowArray, value: FloatArray, rules: Rules, *, by_score: bool) -> RowArray:
        """Pairs in the order in which they are tried."""
        pairs = self.overlaps
        prediction, label, less = pairs.prediction[rows], pairs.label[rows], -value[rows]
        rank, side = self.rank[prediction], -label if rules.ties == LATER else label
        if by_score:
            return rows[np.lexsort((side, less, rank))]
        return rows[np.lexsort((prediction, label, less) if rules.ties == LABEL_FIRST else (side, rank, less))]

    def _taken(self, turns: RowArray, shared: BoolArray, *, only_best: bool) -> RowArray:
        """What each prediction takes when pairs are tried in turn: label rows, −1 for none.

        shared: labels that any number may take. only_best: a prediction tries its first pair alone.
        """
        prediction = self.overlaps.prediction[turns]
        if only_best:
            first = np.sort(np.unique(prediction, return_index=True)[1])
            turns, prediction = turns[first], prediction[first]
        label = self.overlaps.label[turns]
        end = np.where(shared[label], len(shared) + np.arange(len(turns)), label)
        taken = greedy_one_to_one(prediction, end)
        matched = np.full(self.tables.count("prediction"), -1, np.int64)
        matched[prediction[taken]] = label[taken]
        return matched

    def _of_own_category(self, matched: RowArray) -> BoolArray:
        category = np.append(self.tables.values("label", "category_row"), -1)[matched]
        same: BoolArray = category == self.tables.values("prediction", "category_row")
        return same


def _reaches(value: FloatArray, threshold: float, reach: str) -> BoolArray:
    if reach == ABOVE:
        return value > threshold
    least = match_bound(threshold) if reach == BOUNDED else threshold
    return (value >= least) & (value > 0)


def _overlaps(tables: Tables, task: str, lowest: float) -> Overlaps:
    crowd, measure = tables.values("label", "iscrowd"), voc.pixel_overlap(tables) if task == "bbox" else None

    def near(label: RowArray, prediction: RowArray) -> Overlaps:
        plain = overlap(tables, task, label, prediction, lowest=lowest)
        covered = plain.copy()
        on_crowd = np.flatnonzero(crowd[label])
        everywhere = np.ones(len(on_crowd), bool)
        covered[on_crowd] = overlap(tables, task, label[on_crowd], prediction[on_crowd], everywhere, lowest)
        pixel = plain if measure is None else measure(label, prediction)
        most = np.maximum(np.maximum(plain, covered), pixel)
        kept = np.flatnonzero((most >= min(lowest, match_bound(1.0))) & (most > 0))
        same = of_one_category(tables, label[kept], prediction[kept])
        return Overlaps(prediction[kept], label[kept], same, plain[kept], covered[kept], pixel[kept])

    parts = in_stretches(tables, near)
    columns = ("prediction", "label", "same", "plain", "covered", "pixel")
    return Overlaps(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))
