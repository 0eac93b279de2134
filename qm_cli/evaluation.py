"""The evaluation of one model: matches, average precision, outcomes and confusion, each computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision, average_precision
from qm_cli.analysis.confusion import confusion_matrix
from qm_cli.analysis.counts import Outcomes, outcomes
from qm_cli.matching import Matches, match_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation is summarised from."""

    tables: Tables
    settings: Settings
    matches: Matches
    average_precision: AveragePrecision
    outcomes: Outcomes
    confusion: npt.NDArray[np.int64]


def evaluate_tables(tables: Tables, settings: Settings) -> Evaluation:
    """Match once, then read everything off the matches; what is compared is the tables' word."""
    settings = settings.of(tables.measure)
    matches = match_tables(tables, settings)
    curves = average_precision(tables, matches, settings)
    found = outcomes(tables, matches, settings)
    return Evaluation(tables, settings, matches, curves, found, confusion_matrix(tables, found, settings))
