"""Where to cut: the confidence that reaches a precision or recall, or makes F-beta or the cost of errors best.

A curve has a point for every score that occurs: what is kept from there up. Keeping nothing is a point too, with a
confidence just above every score.
"""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.counts import f_beta, ratio
from qm_cli.errors import UsageError

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PRECISION, RECALL, F_BETA, COST = "precision", "recall", "f_beta", "cost"
F_NAME = re.compile(r"f(\d+(?:\.\d+)?)")
COST_TEXT = re.compile(r"cost=(FP|FN):([^,]+),(?!\1)(FP|FN):([^,]+)")


class Target(Struct, frozen=True):
    """What a threshold is to reach. text: as given; value: the precision or recall wanted, or beta.

    cost: of a false positive and of a false negative.
    """

    text: str
    kind: str
    value: float = 1.0
    cost: tuple[float, float] = (1.0, 1.0)


def parsed_target(text: str) -> Target:
    """`precision=0.9`, `recall=0.8`, `f1`, `f0.5` or `cost=FP:1,FN:5`.

    >>> parsed_target("f0.5")
    Target(text='f0.5', kind='f_beta', value=0.5, cost=(1.0, 1.0))
    """
    plain = text.strip().replace(" ", "")
    name, _, value = plain.partition("=")
    if name in (PRECISION, RECALL) and 0 < number_of(value) <= 1:
        return Target(plain, name, float(value))
    if (match := F_NAME.fullmatch(plain)) and float(match[1]) > 0:
        return Target(plain, F_BETA, float(match[1]))
    if match := COST_TEXT.fullmatch(plain):
        costs = {match[1]: number_of(match[2]), match[3]: number_of(match[4])}
        if all(0 <= one < math.inf for one in costs.values()) and any(costs.values()):
            return Target(plain, COST, cost=(costs["FP"], costs["FN"]))
    raise UsageError(
        f"--thresholds {text!r}: is nothing to reach", "write precision=0.9, recall=0.8, f1, f0.5 or cost=FP:1,FN:5"
    )


def number_of(text: str) -> float:
    """The number, NaN for anything else."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class Curve(Struct, frozen=True):
    """Points by falling confidence, the first keeps nothing. labels: how many there are to find, at all or each point.

    confidence: float64[points]; true_positives, false_positives: of what is kept from there up, int64[points].
    """

    confidence: FloatArray
    true_positives: CountArray
    false_positives: CountArray
    labels: int | CountArray


def curve_of(
    score: FloatArray,
    true: BoolArray | CountArray,
    labels: int,
    counted: CountArray | None = None,
    sought: CountArray | None = None,
) -> Curve:
    """The curve of predictions that count. score: falling, float64[n]; true: which found a label, bool[n].

    true and counted may be changes as well, of what is found and of what is kept at a score: int64[n]; counted: one
    prediction each by default; sought: labels that are to be found from a score down, beside those that always are.
    """
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    found: CountArray = np.cumsum(true, dtype=np.int64)[last]
    kept: CountArray = last + 1 if counted is None else np.cumsum(counted, dtype=np.int64)[last]
    nothing = np.nextafter(score[0], np.inf) if len(score) else np.inf
    wanted = labels if sought is None else labels + np.append(0, np.cumsum(sought, dtype=np.int64)[last])
    return Curve(np.append(nothing, score[last]), np.append(0, found), np.append(0, kept - found), wanted)


def operating_point(curve: Curve, target: Target) -> int | None:
    """The point of the curve that serves the target, None where none does; of equal ones the highest confidence.

    precision: the most true positives that still have it. recall: the highest confidence that has it. F-beta, cost: the
    best.
    """
    found, false = curve.true_positives, curve.false_positives
    missed = curve.labels - found
    if target.kind == COST:
        spurious_cost, missed_cost = target.cost
        return int(np.argmin(spurious_cost * false + missed_cost * missed))
    if target.kind == F_BETA:
        values = np.nan_to_num(f_beta(found, false, missed, target.value))
        best = int(np.argmax(values))
        return best if values[best] > 0 else None
    if target.kind == RECALL:
        reached = ratio(found, found + missed) >= target.value
        return int(np.argmax(reached)) if reached.any() else None
    reached = ratio(found, found + false) >= target.value
    return int(np.argmax(found == found[reached].max())) if reached.any() else None
