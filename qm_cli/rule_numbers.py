"""Average precision, precision, recall and F1 under any setting of the conventions' parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.counts import Counts, mean_of_defined
from qm_cli.analysis.ranked_hits import envelope, ranked_hits
from qm_cli.convention_rules import (
    ANY_AREA,
    COUNTED,
    ENCORD_POINTS,
    SEVEN_POINTS,
    TWELVE_POINTS,
    ULTRALYTICS_POINTS,
    Rules,
)
from qm_cli.conventions import encord, ultralytics, voc
from qm_cli.count_report import number
from qm_cli.overlap import prediction_areas
from qm_cli.rule_matching import Comparison
from qm_cli.settings import AREA_RANGES, RECALL_GRID

BoolArray = npt.NDArray[np.bool_]


def mean_average_precision(comparison: Comparison, rules: Rules) -> float | None:
    """Mean over categories (and thresholds) that have a label that counts; None when none has."""
    tables, part = comparison.tables, comparison.part(rules)
    excused = part.excused
    if rules.area != ANY_AREA:
        excused = excused | (prediction_areas(tables) > AREA_RANGES[0].high)
    order = comparison.order[part.prediction[comparison.order]]
    values = np.full((len(rules.thresholds), tables.count("category")), np.nan)
    for place, matched in enumerate(comparison.matched(rules, part)):
        ranked = ranked_hits(tables, order[~excused[order] | (matched[order] >= 0)], matched, part.counts)
        for category in np.flatnonzero(ranked.labels):
            hit, _, labels = ranked.of(int(category))
            values[place, category] = _area(rules.points, hit, labels)
    return mean_of_defined(values)


def counted_rates(comparison: Comparison, rules: Rules) -> Mapping[str, float | None]:
    """Precision, recall and F1 over all categories at the rules' one threshold; None is undefined."""
    part = comparison.part(rules)
    (matched,) = comparison.matched(rules, part)
    true = int(np.count_nonzero(np.append(part.counts, False)[matched]))
    false = int(np.count_nonzero(part.prediction & ~part.excused & (matched < 0)))
    missed = int(np.count_nonzero(part.counts)) - true
    counts = Counts(*(np.array([value]) for value in (true, false, missed)))
    return {name: number(getattr(counts, name)[0]) for name in COUNTED}


def _area(points: str, hit: BoolArray, labels: int) -> float:
    if points == ULTRALYTICS_POINTS:
        return ultralytics.trapezoid(hit, labels)
    if points == ENCORD_POINTS:
        return encord.at_one_iou(hit, labels)[0]
    found = np.cumsum(hit)
    precision, recall = found / (np.arange(1, len(hit) + 1) + np.spacing(1)), found / labels
    if points == SEVEN_POINTS:
        return voc.eleven_points(precision, recall)
    if points == TWELVE_POINTS:
        return voc.all_points(precision, recall)
    raised = np.append(envelope(precision), 0.0)
    return float(raised[np.searchsorted(recall, RECALL_GRID)].mean())
