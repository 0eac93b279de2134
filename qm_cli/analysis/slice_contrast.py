"""A slice's rate against that of the rest, where samples of one image, or of one cluster of images, are alike.

What varies are sums by image. The variance is the larger of two: that of the images' own sums, and that of samples
which share their image's luck as much as all do. The first alone is too small where a slice has hardly an image that
is right, the second where some images are far off.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.analysis.intervals import difference_p, student_quantile

FloatArray = npt.NDArray[np.float64]


class Sums(Struct, frozen=True):
    """Rows of each unit, and how many of them have the outcome: float64[units]. A unit is an image or a cluster."""

    rows: FloatArray
    hits: FloatArray


class Contrast(Struct, frozen=True):
    """A slice against the rest of some rows. effect: its rate less the rest's; error: its standard error.

    units: images or clusters with a member; z: effect over its error if there is none; p: one-sided, of a rate that is
    no lower than the rest's.
    """

    count: int
    units: int
    rate: float
    rest: float
    effect: float
    error: float
    z: float
    p: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, of the effect."""
        reach = float(student_quantile(self.units)) * self.error
        return max(-1.0, self.effect - reach), min(1.0, self.effect + reach)


def contrast(inside: Sums, everything: Sums) -> Contrast | None:
    """The slice's sums against those of all rows; None where the slice or the rest is empty."""
    own, total = inside.rows, everything.rows
    count, number = float(own.sum()), float(total.sum())
    if count in (0, number):
        return None
    units = int(np.count_nonzero(total))
    rate = float(inside.hits.sum()) / count
    rest = float((everything.hits - inside.hits).sum()) / (number - count)
    scale = count * (number - count) / number
    null = _null_variance(inside, everything, units)
    spread = (inside.hits - rate * own) / count
    spread -= ((everything.hits - inside.hits) - rest * (total - own)) / (number - count)
    variance = max(null / scale**2, float((spread**2).sum()) * units / max(units - 1, 1))
    effect, error, there = rate - rest, float(np.sqrt(variance)), int(np.count_nonzero(own))
    z = 0.0 if null <= 0 else float(effect * scale / np.sqrt(null))
    two_sided = float(difference_p(np.array(effect), np.array(error), there)) if error > 0 else 1.0
    p = two_sided / 2 if effect < 0 else 1 - two_sided / 2
    return Contrast(int(count), there, rate, rest, effect, error, z, p)


def _null_variance(inside: Sums, everything: Sums, units: int) -> float:
    """Variance of the slice's surplus of hits if its rate is that of all: the larger of the two in the heading."""
    own, total, right = inside.rows, everything.rows, everything.hits
    share, mean = float(own.sum() / total.sum()), float(right.sum() / total.sum())
    deviation = right - mean * total
    surplus = (inside.hits - mean * own) - share * deviation
    from_units = float((surplus**2).sum()) * units / max(units - 1, 1)
    alone = right * (1 - mean) ** 2 + (total - right) * mean**2
    pairs, single = float((total * (total - 1)).sum()), mean * (1 - mean)
    likeness = float((deviation**2 - alone).sum()) / pairs / single if pairs > 0 and single > 0 else 0.0
    weight, squares = own - share * total, own * (1 - 2 * share) + share**2 * total
    shared = squares + min(max(likeness, 0.0), 1.0) * (weight**2 - squares)
    return max(from_units, single * float(shared.sum()))
