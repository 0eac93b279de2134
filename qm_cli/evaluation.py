"""The evaluation of one model: matches, average precision, outcomes and confusion, each computed once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision, average_precision
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import Outcomes, matched_iou, outcomes
from qm_cli.analysis.error_kinds import BACKGROUND_IOU, ErrorKinds, error_kinds
from qm_cli.analysis.label_errors import Evidence, corresponding, evidence
from qm_cli.matching import Matches, match_tables
from qm_cli.pairs import Pairs, overlapping_pairs
from qm_cli.settings import Settings
from qm_cli.tables import Tables


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation is summarised from; what not every summary needs is computed when first asked for."""

    tables: Tables
    settings: Settings
    matches: Matches
    average_precision: AveragePrecision
    outcomes: Outcomes
    confusion: npt.NDArray[np.int64]

    @cached_property
    def pairs(self) -> Pairs:
        """Every pair of an image with IoU ≥ .1, whatever the categories."""
        return overlapping_pairs(self.tables, self.settings.task)

    @cached_property
    def every_outcome(self) -> Outcomes:
        """The outcomes at any confidence: every prediction counts."""
        return outcomes(self.tables, self.matches, replace(self.settings, confidence=-math.inf))

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
        """The kind of every error; None at an IoU that background already has."""
        if self.settings.iou <= BACKGROUND_IOU:
            return None
        return error_kinds(self.tables, self.pairs, self.settings.iou)


def evaluate_tables(tables: Tables, settings: Settings) -> Evaluation:
    """Match once, then read everything off the matches."""
    matches = match_tables(tables, settings)
    curves = average_precision(tables, matches, settings)
    found = outcomes(tables, matches, settings)
    return Evaluation(tables, settings, matches, curves, found, confusion_matrix(tables, found, settings))
