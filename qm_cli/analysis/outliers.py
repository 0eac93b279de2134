"""Values far outside the quartiles, and samples that lie there in many measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.samples import Measure

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int8]
MODERATE, SEVERE = 1.5, 2.5
NEEDED = 20
ODD_ENDS = {"higher": "low", "lower": "high", "neither": "both"}
"""Which side is odd: what is worse, or both where neither end is better."""
WORDS = {1: "moderate", 2: "severe"}


class Fences(Struct, frozen=True):
    """Quartiles of a group and the ends of what is usual; None for a side that is not looked at."""

    q1: float
    q3: float
    low: tuple[float, float] | None
    high: tuple[float, float] | None

    def degrees(self, values: FloatArray) -> CodeArray:
        """0 usual, 1 moderate, 2 severe; 0 for what has no value."""
        degree = np.zeros(len(values), np.int8)
        for place in (0, 1):
            with np.errstate(invalid="ignore"):
                if self.low is not None:
                    degree += values < self.low[place]
                if self.high is not None:
                    degree += values > self.high[place]
        return degree

    def as_dict(self) -> dict[str, Any]:
        low, high = self.low or (None, None), self.high or (None, None)
        ends = {"moderate_low": low[0], "moderate_high": high[0], "severe_low": low[1], "severe_high": high[1]}
        return {"q1": self.q1, "q3": self.q3, "iqr": self.q3 - self.q1, **ends}


def fences(values: FloatArray, better: str) -> Fences | None:
    """Outside Q1 − 1.5 IQR .. Q3 + 1.5 IQR is moderate, 2.5 IQR severe; None for fewer than 20 values.

    >>> fences(np.arange(21.0), "higher").low
    (-10.0, -20.0)
    """
    there = values[np.isfinite(values)]
    if len(there) < NEEDED:
        return None
    q1, q3 = (float(one) for one in np.quantile(there, [0.25, 0.75]))
    side, iqr = ODD_ENDS.get(better, "both"), q3 - q1
    low = (q1 - MODERATE * iqr, q1 - SEVERE * iqr) if side != "high" else None
    high = (q3 + MODERATE * iqr, q3 + SEVERE * iqr) if side != "low" else None
    return Fences(q1, q3, low, high)


def outliers(measures: Sequence[Measure], groups: dict[str, RowArray], count: int) -> tuple[list[dict[str, Any]], Any]:
    """Per measure its fences and counts by group, and how far out each row is: int8[measures, count].

    A row that is in no group is no outlier.
    """
    degrees = np.zeros((len(measures), count), np.int8)
    found = []
    for place, measure in enumerate(measures):
        parts = []
        for name, rows in groups.items():
            values = measure.values[rows]
            own = fences(values, measure.better)
            if own is not None:
                degrees[place, rows] = own.degrees(values)
            parts.append({"group": name, **_facts(values, own, degrees[place, rows])})
        defined = any(part["reason"] is None for part in parts)
        found.append(
            {
                "metric": measure.id,
                "level": measure.level,
                "unit": measure.unit,
                "better": measure.better,
                "side": ODD_ENDS.get(measure.better, "both"),
                "moderate": int((degrees[place] == 1).sum()) if defined else None,
                "severe": int((degrees[place] == 2).sum()) if defined else None,
                "groups": parts,
            }
        )
    return found, degrees


def _facts(values: FloatArray, own: Fences | None, degree: CodeArray) -> dict[str, Any]:
    number = int(np.isfinite(values).sum())
    if own is None:
        reason = f"{NEEDED} values are needed, there are {number}"
        none = dict.fromkeys(("q1", "q3", "iqr", "moderate_low", "moderate_high", "severe_low", "severe_high"))
        return {"values": number, **none, "moderate": None, "severe": None, "reason": reason}
    counts = {"moderate": int((degree == 1).sum()), "severe": int((degree == 2).sum())}
    return {"values": number, **own.as_dict(), **counts, "reason": None}


def furthest(measure: Measure, degree: CodeArray, facts: dict[str, Any], rows: RowArray) -> RowArray:
    """The outlying ones among `rows`, the furthest beyond its quartile first, ties by row."""
    odd = rows[degree[rows] > 0]
    values = measure.values[odd]
    beyond = np.maximum(facts["q1"] - values, values - facts["q3"]) if len(odd) else values
    return odd[np.lexsort((odd, -beyond, -degree[odd]))]


def odd_in_many(degrees: npt.NDArray[np.int8]) -> RowArray:
    """Rows that are outliers in two measures or more: most measures first, then most severe ones, then by row."""
    many, severe = (degrees > 0).sum(0), (degrees == 2).sum(0)
    rows = np.flatnonzero(many >= 2)
    return rows[np.lexsort((rows, -severe[rows], -many[rows]))]
