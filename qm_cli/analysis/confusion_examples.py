"""The samples of one cell of the confusion matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import Outcomes
from qm_cli.overlap import overlap
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]


class CellSamples(Struct, frozen=True):
    """Prediction and label rows of each sample, −1 for none; iou is NaN where there is none: [samples] each."""

    prediction: RowArray
    label: RowArray
    iou: npt.NDArray[np.float64]


def confusion_samples(tables: Tables, found: Outcomes, pairs: tuple[RowArray, RowArray], task: str) -> CellSamples:
    """Every sample of the whole matrix: matches, matches across categories, spurious predictions, missed labels.

    pairs: prediction and label rows of the matches across categories.
    """
    hits = np.flatnonzero(found.true_positive)
    confused, mistaken = pairs
    spurious, missed = found.false_positive.copy(), found.false_negative.copy()
    spurious[confused] = False
    missed[mistaken] = False
    alone, lost = np.flatnonzero(spurious), np.flatnonzero(missed)
    prediction = np.concatenate([hits, confused, alone, np.full(len(lost), -1)])
    label = np.concatenate([found.matched_label[hits], mistaken, np.full(len(alone), -1), lost])
    iou = np.full(len(label), np.nan)
    both = len(hits) + len(confused)
    iou[:both] = overlap(tables, task, label[:both], prediction[:both])
    return CellSamples(prediction, label, iou)


def samples_of(tables: Tables, samples: CellSamples, predicted: int | None, true: int | None) -> CellSamples:
    """Those of one cell by category row, None for none; by falling score, then by input order."""
    chosen = np.flatnonzero(
        _is(tables, "prediction", samples.prediction, predicted) & _is(tables, "label", samples.label, true)
    )
    prediction, label = samples.prediction[chosen], samples.label[chosen]
    score = np.append(tables.values("prediction", "score"), np.nan)[prediction]
    order = np.lexsort((label, prediction, -score))
    return CellSamples(prediction[order], label[order], samples.iou[chosen][order])


def _is(tables: Tables, level: str, rows: RowArray, category: int | None) -> npt.NDArray[np.bool_]:
    if category is None:
        return rows < 0
    of = np.append(tables.values(level, "category_row"), -1)[rows]
    return np.asarray(of == category)
