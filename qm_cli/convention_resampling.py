"""A convention's own numbers and its counts under weights of images, 0 or 1 each: what `qm compare` resamples.

Matches are of one image, so half of the images keeps its matches and nothing is matched again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from qm_cli import evaluated
from qm_cli.analysis.bootstrap import (
    PRECISIONS,
    Numbers,
    Weighable,
    inside_range,
    metric_names,
    weighable,
    weighted_numbers,
)
from qm_cli.analysis.counts import mean_of_defined, outcomes_of
from qm_cli.analysis.weighted_counts import RATES, Countable, rates
from qm_cli.conventions.lvis import FREQUENCIES, frequencies
from qm_cli.evaluated import Evaluation, RankedPart
from qm_cli.kernels.weighted import Runs, runs_by_group
from qm_cli.settings import Settings

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
OwnNumbers = Callable[[BoolArray], evaluated.Numbers]
FIRST_RATE = 1
"""Where precision, recall and F1 begin among `weighted_counts.OVERALL`."""


class Resampled:
    """What is counted of one model. names, category_names: what `numbers` are called, over all and of each category."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.own = _own_numbers(evaluation)
        self.counts = _countable(evaluation)
        everything = np.ones(evaluation.tables.count("image"), bool)
        found = self.own(everything) if self.own else evaluated.Numbers()
        self.own_names, self.own_category = tuple(found.overall), tuple(found.category)
        self.names, self.category_names = (*self.own_names, *RATES), (*self.own_category, *RATES)

    def numbers(self, weights: npt.NDArray[np.int32]) -> Numbers:
        """The numbers of the images of weight 1: float64[names] and float64[category names, categories]."""
        counted = rates(self.counts, weights)
        own = self.own(weights > 0) if self.own else evaluated.Numbers()
        overall = [*_values(own.overall, self.own_names), *counted.overall[FIRST_RATE : FIRST_RATE + len(RATES)]]
        category = [np.asarray(own.category[name], np.float64) for name in self.own_category]
        return Numbers(np.array(overall, np.float64), np.stack([*category, *counted.category]))


def labels_of(evaluation: Evaluation) -> Runs:
    """The labels that count, by category."""
    image, category = (evaluation.tables.values("label", f"{name}_row") for name in ("image", "category"))
    counts = evaluation.outcomes.label_counts
    return runs_by_group(image[counts], category[counts], evaluation.tables.count("category"))


def _values(found: Mapping[str, float | int | None], names: tuple[str, ...]) -> list[float]:
    given = [found[name] for name in names]
    return [np.nan if value is None else float(value) for value in given]


def _countable(evaluation: Evaluation) -> Countable:
    tables, found = evaluation.tables, evaluation.outcomes
    groups = tables.count("category")

    def runs(level: str, mask: BoolArray) -> Runs:
        image, category = (tables.values(level, f"{name}_row") for name in ("image", "category"))
        return runs_by_group(image[mask], category[mask], groups)

    return Countable(
        runs("prediction", found.true_positive),
        runs("prediction", found.false_positive),
        runs("label", found.false_negative),
    )


def _own_numbers(evaluation: Evaluation) -> OwnNumbers | None:
    if evaluation.ranked_part is None:
        return evaluation.of_images
    settings = evaluation.settings
    weighed = _weighed(evaluation.ranked_part, settings)
    frequency = frequencies(evaluation.tables)
    return lambda kept: _by_frequency(weighted_numbers(weighed, kept.astype(np.int32)), settings, frequency)


def _weighed(part: RankedPart, settings: Settings) -> Weighable:
    """Of the outcomes it takes the labels that count alone."""
    nothing = np.full(part.tables.count("prediction"), -1, np.int64)
    found = outcomes_of(nothing, nothing >= 0, ~part.matches.ignored[0])
    inside = inside_range(part.tables, settings.area_ranges[0]) & ~part.excused
    return weighable(part.tables, part.matches, found, settings, inside)


def _by_frequency(values: Numbers, settings: Settings, frequency: npt.NDArray[np.object_]) -> evaluated.Numbers:
    """AP, AP50, AP75 and AR, and AP of rare, common and frequent categories."""
    names = metric_names(settings)[: len(PRECISIONS) + 1]
    overall: dict[str, float | int | None] = dict(zip(names, values.overall.tolist(), strict=False))
    category = dict(zip(names, values.category, strict=False))
    overall |= {f"AP{letter}": mean_of_defined(category["AP"][frequency == letter]) for letter in FREQUENCIES}
    return evaluated.Numbers(overall, category)
