"""How the values of a measure are spread: quartiles, mean and histogram, side by side for groups of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.samples import Measure

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
BARS = 20
REACH = 3.0
VALUES_TOLD = 20


def quartiles(values: FloatArray) -> dict[str, Any]:
    """Minimum, quartiles, maximum, mean and standard deviation of the finite values; None where there is none."""
    names = ("min", "q1", "median", "q3", "max", "mean", "std")
    there = values[np.isfinite(values)]
    if len(there) == 0:
        return dict.fromkeys(names)
    scale = float(np.abs(there).max()) or 1.0
    scaled = there / scale
    five = (float(one) for one in np.quantile(there, [0, 0.25, 0.5, 0.75, 1]))
    return dict(zip(names, (*five, float(scaled.mean()) * scale, float(scaled.std()) * scale), strict=True))


def histogram_edges(values: FloatArray) -> list[float]:
    """Ends of the bars: the whole range, cut at 3 IQR outside the quartiles so that a far value does not flatten it."""
    facts = quartiles(values)
    if facts["min"] is None:
        return []
    reach = REACH * (facts["q3"] - facts["q1"])
    low, high = facts["min"], facts["max"]
    if reach > 0:
        low, high = max(low, facts["q1"] - reach), min(high, facts["q3"] + reach)
    return [float(edge) for edge in np.linspace(low, high, (BARS if high > low else 1) + 1)]


def histogram(values: FloatArray, edges: Sequence[float]) -> list[int]:
    """Values per bar; what lies outside counts in the first and the last.

    >>> histogram(np.array([0.0, 1.0, 9.0, np.nan]), [0.0, 0.5, 1.0])
    [1, 2]
    """
    if not edges:
        return []
    there = values[np.isfinite(values)]
    place = np.searchsorted(np.array(edges[1:-1]), there, "right")
    return [int(one) for one in np.bincount(place, minlength=len(edges) - 1)]


def distributions(measures: Sequence[Measure], groups: dict[str, RowArray]) -> list[dict[str, Any]]:
    """One entry per measure, with one entry for each group of its level's rows."""
    return [_distribution(measure, groups) for measure in measures]


def _distribution(measure: Measure, groups: dict[str, RowArray]) -> dict[str, Any]:
    everything = np.concatenate([measure.values[rows] for rows in groups.values()]) if groups else np.zeros(0)
    facts = {
        "metric": measure.id,
        "level": measure.level,
        "kind": measure.kind,
        "unit": measure.unit,
        "better": measure.better,
    }
    if measure.names is not None:
        told = _commonest(everything, measure.names)
        coded = [
            {
                "group": name,
                **_counts(measure.values[rows]),
                "values": _values(measure.values[rows], told, measure.names),
            }
            for name, rows in groups.items()
        ]
        return {**facts, "coded": True, "edges": [], "groups": coded}
    edges = histogram_edges(everything)
    parts = [
        {
            "group": name,
            **_counts(measure.values[rows]),
            **quartiles(measure.values[rows]),
            "histogram": histogram(measure.values[rows], edges),
        }
        for name, rows in groups.items()
    ]
    return {**facts, "coded": False, "edges": edges, "groups": parts}


def _counts(values: FloatArray) -> dict[str, int]:
    return {"rows": len(values), "nulls": int(np.count_nonzero(~np.isfinite(values)))}


def _commonest(values: FloatArray, names: tuple[str, ...]) -> list[int]:
    counts = np.bincount(values[np.isfinite(values)].astype(np.int64), minlength=len(names))
    return [int(code) for code in np.argsort(-counts, kind="stable")[:VALUES_TOLD] if counts[code]]


def _values(values: FloatArray, told: Sequence[int], names: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(values[np.isfinite(values)].astype(np.int64), minlength=len(names))
    return {names[code]: int(counts[code]) for code in told}
