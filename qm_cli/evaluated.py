"""What every convention returns: who matched whom, what is confused with what, and the numbers it defines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli.analysis.arrivals import Arrivals, settled, sides_of
from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.analysis.confusion import confused_pairs
from qm_cli.analysis.counts import Outcomes, matched_iou, outcomes
from qm_cli.analysis.error_kinds import BACKGROUND_IOU, ErrorKinds, error_kinds
from qm_cli.analysis.label_errors import Evidence, corresponding, evidence
from qm_cli.analysis.overlap_lanes import OverlapLanes
from qm_cli.errors import UsageError
from qm_cli.matching import Matches, score_order
from qm_cli.pairs import Pairs, overlapping_pairs
from qm_cli.settings import Settings
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Numbers(Struct, frozen=True):
    """The numbers a convention defines beside the counts, under the names it gives them.

    overall: None is undefined. category: float64 or int64[categories] each, NaN is undefined. definitions: name → what
    it is, with every parameter; a name may be overall, per category or both.
    """

    overall: Mapping[str, float | int | None] = field(default_factory=dict)
    category: Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)


class RankedPart(Struct, frozen=True):
    """The part of the tables that AP is computed of, its matches, and predictions that count only where they match."""

    tables: Tables
    matches: Matches
    excused: BoolArray


class Evaluation(Struct, frozen=True, dict=True):
    """Everything an evaluation is summarised from; what not every summary needs is computed when first asked for.

    confusion: int64[categories + 1, categories + 1], rows true, columns predicted, None last. counted_at: at which IoU
    and confidence outcomes and confusion are, in words. coco: COCO's matches in all lanes, of these tables; None under
    every other convention. curves: precision and recall arrays, where they are COCO's (LVIS has them too).
    max_detections: how many predictions of an image, or of an image and category, AP and AR take; none: all.
    overlap_lanes: Labelbox's matches, at every confidence and IoU of the grid too; None under every other convention.
    confused: prediction and label rows of the pairs of different categories in the confusion matrix; None where what is
    left over is matched by falling IoU. at_any_confidence: the outcomes if every prediction counts; None: those of
    COCO's matches. changes: how the outcomes change with the confidence; None: lower scores change nothing.
    of_images: the convention's own numbers, shares alone, of the images under a mask (bool[images]), nothing matched
    again; None where there are counts alone, and where AP is COCO's: of `coco` or of `ranked_part`, LVIS's.
    reasons: why its false positives are, as places in REASONS, −1 elsewhere: int8[predictions]; None where it
    has none of its own.
    """

    tables: Tables
    settings: Settings
    outcomes: Outcomes
    confusion: npt.NDArray[np.int64]
    numbers: Numbers
    counted_at: str
    coco: Matches | None = None
    curves: AveragePrecision | None = None
    max_detections: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    overlap_lanes: OverlapLanes | None = None
    confused: tuple[RowArray, RowArray] | None = None
    at_any_confidence: Callable[[], Outcomes] | None = None
    changes: Callable[[], Arrivals] | None = None
    of_images: Callable[[BoolArray], Numbers] | None = None
    ranked_part: RankedPart | None = None
    reasons: npt.NDArray[np.int8] | None = None

    @property
    def matches(self) -> Matches:
        """COCO's matches. Raises UsageError under another convention."""
        if self.coco is None:
            raise self._missing("matches")
        return self.coco

    @property
    def lanes(self) -> OverlapLanes:
        """Labelbox's matches. Raises UsageError under another convention."""
        if self.overlap_lanes is None:
            raise UsageError(f"convention {self.settings.convention} has no such lanes", "use --convention labelbox")
        return self.overlap_lanes

    @property
    def average_precision(self) -> AveragePrecision:
        """COCO's arrays. Raises UsageError where the convention has none."""
        if self.curves is None:
            raise self._missing("curves")
        return self.curves

    @cached_property
    def pairs(self) -> Pairs:
        """Every pair of an image with IoU ≥ .1, whatever the categories."""
        return overlapping_pairs(self.tables, self.settings.task)

    @cached_property
    def every_outcome(self) -> Outcomes:
        """The outcomes at any confidence: every prediction counts."""
        if self.at_any_confidence is not None:
            return self.at_any_confidence()
        return outcomes(self.tables, self.matches, replace(self.settings, confidence=-math.inf))

    @cached_property
    def arrivals(self) -> Arrivals:
        """What is kept and found at each confidence."""
        if self.changes is not None:
            return self.changes()
        return settled(sides_of(self.tables), self.every_outcome, self.order)

    @cached_property
    def order(self) -> RowArray:
        """Prediction rows by (category, −score, image id, input order): int64[predictions]."""
        return score_order(self.tables) if self.coco is None else self.coco.order

    @property
    def confused_pairs(self) -> tuple[RowArray, RowArray]:
        """Prediction and label rows of the pairs off the confusion matrix's diagonal."""
        return confused_pairs(self.tables, self.outcomes, self.settings) if self.confused is None else self.confused

    @cached_property
    def every_iou(self) -> npt.NDArray[np.float64]:
        """IoU of each prediction with the label it took at any confidence, NaN where none: float64[predictions]."""
        return matched_iou(self.tables, self.settings.task, self.every_outcome)

    @cached_property
    def evidence(self) -> Evidence:
        """What the predictions say about the labels."""
        return evidence(self.tables, self.settings.task)

    @cached_property
    def corresponding(self) -> npt.NDArray[np.int64]:
        """The prediction that sits on each label, of its category or of another: row or −1, int64[labels]."""
        return corresponding(self.tables, self.outcomes, self.settings)

    @cached_property
    def error_kinds(self) -> ErrorKinds | None:
        """The kind of every error; None without COCO's matches, and at an IoU that background already has."""
        if self.coco is None or self.settings.iou <= BACKGROUND_IOU:
            return None
        return error_kinds(self.tables, self.pairs, self.settings.iou)

    def _missing(self, what: str) -> UsageError:
        return UsageError(f"convention {self.settings.convention} has no COCO {what}", "use --convention coco")
