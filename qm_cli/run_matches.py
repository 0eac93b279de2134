"""The labels and predictions of a run matched again, at its own thresholds or at others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from qm_cli.analysis.slices import Matched
from qm_cli.arrays import to_numpy
from qm_cli.errors import InputError
from qm_cli.evaluation import evaluate_tables
from qm_cli.run_folder import Run
from qm_cli.run_tables import OBJECTS, settings_of_run, tables_of_run
from qm_cli.scoring import can_evaluate
from qm_cli.settings import Settings

OutcomeArray = npt.NDArray[np.str_]


def settings_at(run: Run, iou: float | None, confidence: float | None) -> Settings:
    """The run's settings, at the thresholds asked for."""
    settings = settings_of_run(run)
    settings = settings if iou is None else replace(settings, iou=iou)
    return settings if confidence is None else replace(settings, confidence=confidence)


def matched_run(run: Run, iou: float | None, confidence: float | None) -> Matched:
    """Matches and outcomes of a run of one model. Raises InputError where there is nothing to match."""
    for level in OBJECTS:
        if level not in run.table_names():
            raise InputError(f"{run.path}: has no {level}s", "score a dataset with labels and predictions")
    tables = tables_of_run(run)
    if not can_evaluate(tables):
        raise InputError(f"{run.path}: has labels or predictions without a box", "use a run of detections")
    found = evaluate_tables(tables, settings_at(run, iou, confidence))
    return Matched(found.tables, found.matches, found.outcomes, found.settings)


def changed_outcomes(run: Run, iou: float | None, confidence: float | None) -> dict[str, OutcomeArray] | None:
    """`outcomes_at` the thresholds asked for; None where they are the run's own."""
    own, wanted = settings_at(run, None, None), settings_at(run, iou, confidence)
    if (wanted.iou, wanted.confidence) == (own.iou, own.confidence):
        return None
    return outcomes_at(run, iou, confidence)


def outcomes_at(run: Run, iou: float | None, confidence: float | None) -> dict[str, OutcomeArray]:
    """What the outcome columns of labels and predictions would be at other thresholds, in the run's row order.

    TP, FN and FP; empty for what is ignored or below the confidence.
    """
    found = matched_run(run, iou, confidence).outcomes
    hit = found.matched_prediction >= 0
    by_image = {
        "label": np.where(found.label_counts, np.where(hit, "TP", "FN"), ""),
        "prediction": np.where(found.true_positive, "TP", np.where(found.false_positive, "FP", "")),
    }
    outcomes = {}
    for level, values in by_image.items():
        order = np.argsort(to_numpy(run.table(level, ["image_row"])["image_row"]), kind="stable")
        outcomes[level] = np.empty_like(values)
        outcomes[level][order] = values
    return outcomes
