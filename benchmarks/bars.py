"""A bar: a limit on what one command may cost beside others; and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from timing import Sample

Samples = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True)
class Bar:
    """`of` may cost at most `limit` times (or seconds above) the cheapest of `against`."""

    name: str
    of: str
    against: tuple[str, ...]
    limit: float
    aim: float | None = None
    measure: Literal["wall", "peak"] = "wall"
    kind: Literal["ratio", "difference"] = "ratio"


@dataclass(frozen=True)
class Verdict:
    """What was measured for a bar. It is met when both figures keep to the limit."""

    bar: str
    of: str
    against: str
    of_medians: float | None  # the ratio (or difference) of the two medians; none where a command failed
    of_pairs: float | None  # the median of the ratios (or differences) round by round
    limit: float
    aim: float | None
    unit: str
    met: bool


def figures(samples: Sequence[Sample], measure: str) -> list[float]:
    """One measure of every sample."""
    return [getattr(sample, measure) for sample in samples]


def judge(bar: Bar, samples: Samples) -> Verdict:
    """Compare a command with the cheapest (by median) of those it stands against."""
    unit = "x" if bar.kind == "ratio" else " s"
    candidates = {name: figures(samples[name], bar.measure) for name in bar.against if name in samples}
    if bar.of not in samples or not candidates:
        return Verdict(bar.name, bar.of, " or ".join(bar.against), None, None, bar.limit, bar.aim, unit, False)
    against = min(candidates, key=lambda name: median(candidates[name]))
    ours, theirs = figures(samples[bar.of], bar.measure), candidates[against]
    pairs = zip(ours, theirs, strict=False)  # a command run once pairs with the first round only
    if bar.kind == "ratio":
        of_medians, of_pairs = median(ours) / median(theirs), median(a / b for a, b in pairs)
    else:
        of_medians, of_pairs = median(ours) - median(theirs), median(a - b for a, b in pairs)
    met = max(of_medians, of_pairs) <= bar.limit
    return Verdict(bar.name, bar.of, against, of_medians, of_pairs, bar.limit, bar.aim, unit, met)
