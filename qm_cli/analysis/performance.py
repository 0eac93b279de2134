"""How the model does where a measure is low and where it is high."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.samples import Judged, Measure
from qm_cli.kernels.quantile_bins import Bins, code_bins, equal_width_bins, quantile_bins

FloatArray = npt.NDArray[np.float64]
NORMAL_975 = 1.959963984540054
QUANTILE, EQUAL_WIDTH = "quantile", "equal-width"


def wilson(hits: int, total: int) -> tuple[float | None, float | None]:
    """The 95 % interval of a share; undefined where nothing is counted.

    Reference: Wilson, Probable inference, the law of succession, and statistical inference, 1927.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    if total == 0:
        return None, None
    z2 = NORMAL_975**2
    share, scale = hits / total, 1 + z2 / total
    middle = (share + z2 / (2 * total)) / scale
    reach = NORMAL_975 / scale * float(np.sqrt(share * (1 - share) / total + z2 / (4 * total * total)))
    return (0.0 if hits == 0 else max(0.0, middle - reach)), (1.0 if hits == total else min(1.0, middle + reach))


def rate(hits: int, total: int) -> dict[str, Any]:
    """A share with its interval and what it is a share of."""
    low, high = wilson(hits, total)
    return {"rate": hits / total if total else None, "low": low, "high": high, "count": total}


def performance(sides: dict[str, tuple[Judged, Measure]], count: int, equal_width: bool) -> dict[str, Any]:
    """Rates by bins of one measure.

    sides: rate name → the rows whose share it is and their measure; the bins are those of all their values.
    """
    values = {name: judged.row_values(measure) for name, (judged, measure) in sides.items()}
    measure = next(iter(sides.values()))[1]
    bins = _bins(np.concatenate(list(values.values())), measure, count, equal_width)
    codes = dict(zip(values, np.split(bins.codes, np.cumsum([len(one) for one in values.values()])[:-1]), strict=True))
    counts = {name: _counts(sides[name][0], codes[name], bins.count) for name in sides}
    rows = [
        {**_bin(bins, place, measure), **{name: rate(*map(int, counts[name][:, place])) for name in sides}}
        for place in range(bins.count)
    ]
    everything = {name: rate(*map(int, counts[name].sum(1))) for name in sides}
    return {
        "metric": measure.id,
        "level": measure.level,
        "unit": measure.unit,
        "binning": None if measure.coded else EQUAL_WIDTH if equal_width else QUANTILE,
        "bins": rows,
        "overall": everything,
    }


def _bins(values: FloatArray, measure: Measure, count: int, equal_width: bool) -> Bins:
    if measure.coded:
        return code_bins(values, least=1)
    return equal_width_bins(values, count) if equal_width else quantile_bins(values, count, 1)


def _bin(bins: Bins, place: int, measure: Measure) -> dict[str, Any]:
    """What a bin holds: from its lowest value up to the next bin's; or a code; or what is missing."""
    missing = place >= bins.present
    if measure.names is not None:
        named = None if missing else _name(bins, place, measure.names)
        return {"value": named, "missing": missing}
    ends = (None, None) if missing else (float(bins.edges[place]), float(bins.edges[place + 1]))
    return {"low_edge": ends[0], "high_edge": ends[1], "missing": missing}


def _name(bins: Bins, place: int, names: tuple[str, ...]) -> str:
    """The code of a bin; what rare ones share has none."""
    return "others" if place >= len(bins.kept) else names[bins.kept[place]]


def _counts(judged: Judged, codes: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.int64]:
    """Hits and rows of each bin: int64[2, bins]."""
    return np.stack([np.bincount(codes[judged.hit], minlength=count), np.bincount(codes, minlength=count)])
