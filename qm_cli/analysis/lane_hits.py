"""True positives of several lanes, ranked among the same predictions: what AP at several IoUs is drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.straight_lines import area_under_lines
from qm_cli.kernels.weighted import Runs, run_totals, running_totals, runs_by_group
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


class LaneHits(Struct, frozen=True):
    """A group is a category in a lane, one lane after another; a lane ranks all predictions but those it ignores.

    ranked: every prediction by (category, rank); labels: those that count, by category. hits, ignored: true positives
    and ignored predictions, by (group, rank). before: predictions at or before each hit, int64[hits]; ignored_before:
    ignored ones at or before each hit, in all groups, int64[hits]. lanes: how many there are.
    """

    ranked: Runs
    labels: Runs
    hits: Runs
    ignored: Runs
    before: RowArray
    ignored_before: RowArray
    lanes: int

    def areas(self, kept: BoolArray, recalls: FloatArray) -> FloatArray:
        """`area_under_lines` of the images under a mask, bool[images]: float64[lanes, categories]."""
        totals, skipped = running_totals(kept, self.ranked), running_totals(kept, self.ignored)
        first, last = (
            np.tile(totals.take(part), self.lanes) for part in (self.ranked.start[:-1], self.ranked.start[1:])
        )
        ignored = skipped.take(self.ignored.start)
        there = kept.take(self.hits.image)
        start = running_totals(kept, self.hits).take(self.hits.start)
        rank = (totals.take(self.before) - skipped.take(self.ignored_before))[there]
        rank -= np.repeat(first - ignored[:-1], np.diff(start))
        labels = run_totals(kept, self.labels)
        total = last - first - np.diff(ignored)
        areas = area_under_lines(rank, start, total, np.tile(labels, self.lanes), recalls)
        return areas.reshape(self.lanes, len(labels))


def lane_hits(tables: Tables, order: RowArray, matched: Sequence[RowArray], counts: BoolArray) -> LaneHits:
    """matched: in each lane the label each prediction takes, −1 for none, int64[predictions] each.

    order: prediction rows as `matching.score_order` gives them; counts: labels that count, bool[labels].
    """
    groups = tables.count("category")
    image, category = (tables.values("prediction", f"{name}_row")[order] for name in ("image", "category"))
    hits, ignored = [], []
    for label in matched:
        taken = label[order]
        counting = np.append(counts, False)[taken]
        hits.append(np.flatnonzero(counting))
        ignored.append(np.flatnonzero((taken >= 0) & ~counting))

    def runs(places: Sequence[RowArray]) -> tuple[Runs, RowArray]:
        every = np.concatenate(places)
        lane = np.repeat(np.arange(len(places)), [len(one) for one in places])
        found = runs_by_group(image[every], lane * groups + category[every], len(places) * groups)
        return found, lane * (len(order) + 1) + every

    own, turn = runs(hits)
    skipped, skipped_turn = runs(ignored)
    label_image, label_category = (tables.values("label", f"{name}_row")[counts] for name in ("image", "category"))
    return LaneHits(
        runs_by_group(image, category, groups),
        runs_by_group(label_image, label_category, groups),
        own,
        skipped,
        np.concatenate(hits) + 1,
        np.searchsorted(skipped_turn, turn, side="right"),
        len(matched),
    )
