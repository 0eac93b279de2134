"""Counts under weights, against a plain loop; how often the interval of an accuracy difference holds the truth."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from qm_cli.analysis.comparison import comparison_by
from qm_cli.analysis.weighted_counts import OVERALL, Countable, mean_rates, rates
from qm_cli.kernels.weighted import runs_by_group


def random_countable(random: np.random.Generator, images: int = 12, categories: int = 3) -> Countable:
    parts = []
    for _ in range(3):
        count = int(random.integers(0, 25))
        parts.append(
            runs_by_group(random.integers(0, images, count), random.integers(0, categories, count), categories)
        )
    judged = random.integers(0, 3, images)
    return Countable(parts[0], parts[1], parts[2], np.minimum(judged, random.integers(0, 3, images)), judged)


@pytest.mark.parametrize("seed", range(20))
def test_rates_are_those_of_the_repeated_images(seed: int) -> None:
    random = np.random.default_rng(seed)
    model, weights = random_countable(random), random.integers(0, 3, 12).astype(np.int32)
    sums = np.zeros((3, 3), int)
    for part, runs in enumerate((model.hit, model.false, model.missed)):
        for category in range(3):
            for image in runs.image[runs.start[category] : runs.start[category + 1]]:
                sums[part, category] += weights[image]

    def three(hit: int, false: int, missed: int) -> list[float]:
        wholes = (hit + false, hit + missed, 2 * hit + false + missed)
        return [part / whole if whole else np.nan for part, whole in zip((hit, hit, 2 * hit), wholes, strict=True)]

    own = [three(*sums[:, category]) for category in range(3)]
    macro = [
        np.mean([one[n] for one in own if not np.isnan(one[n])])
        if not np.isnan([one[n] for one in own]).all()
        else np.nan
        for n in range(3)
    ]
    assert model.right is not None and model.judged is not None
    judged = sum(int(w) * int(j) for w, j in zip(weights, model.judged, strict=True))
    right = sum(int(w) * int(r) for w, r in zip(weights, model.right, strict=True))
    accuracy = right / judged if judged else np.nan
    found = rates(model, weights)
    assert found.overall == pytest.approx(np.array([accuracy, *three(*sums.sum(1)), *macro]), abs=1e-12, nan_ok=True)
    assert found.category == pytest.approx(np.array(own).T, abs=1e-12, nan_ok=True)


def test_several_questions_are_averaged() -> None:
    random = np.random.default_rng(1)
    first, second = random_countable(random), random_countable(random)
    nothing = runs_by_group(np.zeros(0, int), np.zeros(0, int), 0)
    text = Countable(nothing, nothing, nothing, np.ones(12, int), np.ones(12, int))
    weights = np.ones(12, np.int32)
    mean = mean_rates([first, second, text], weights).overall
    parts = [rates(one, weights).overall for one in (first, second)]
    assert mean[0] == pytest.approx((parts[0][0] + parts[1][0] + 1) / 3)
    assert mean[1:] == pytest.approx(np.mean(parts, 0)[1:])
    assert len(mean) == len(OVERALL)


def classifier(true: np.ndarray, predicted: np.ndarray, categories: int) -> Countable:
    rows, right = np.arange(len(true)), true == predicted
    return Countable(
        runs_by_group(rows[right], true[right], categories),
        runs_by_group(rows[~right], predicted[~right], categories),
        runs_by_group(rows[~right], true[~right], categories),
        right.astype(np.int64),
        np.ones(len(true), np.int64),
    )


def predicted(random: np.random.Generator, true: np.ndarray, ease: np.ndarray, skill: float) -> np.ndarray:
    found = random.random(len(true)) < 1 / (1 + np.exp(-(skill + ease)))
    return np.where(found, true, random.integers(0, 4, len(true)))


def test_intervals_of_differences_hold_the_truth() -> None:
    """200 sets of 120 rows, hard ones hard for both models; the truth from 200,000 rows of the same process."""
    random = np.random.default_rng(5)

    def process(rows: int) -> tuple[Countable, Countable]:
        true, ease = random.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05]), random.normal(0, 1.5, rows)
        first, second = (classifier(true, predicted(random, true, ease, skill), 4) for skill in (0.4, 0.9))
        return first, second

    def on(pair: tuple[Countable, Countable], resamples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        unit = np.arange(len(pair[0].judged))  # type: ignore[arg-type]
        found = comparison_by(
            (partial(rates, pair[0]), partial(rates, pair[1])), unit, np.full(4, len(unit)), resamples, 0
        )
        return found.overall.second - found.overall.first, found.overall.difference.low, found.overall.difference.high

    truth = on(process(200_000), 2)[0]
    held = np.zeros(len(truth))
    for _ in range(200):
        _, low, high = on(process(120), 60)
        held += (low <= truth) & (truth <= high)
    share = dict(zip(OVERALL, held / 200, strict=True))
    assert all(0.9 <= share[name] <= 0.99 for name in ("accuracy", "precision", "recall", "f1")), share
    assert all(0.89 <= share[f"{name}_macro"] <= 0.995 for name in ("precision", "recall", "f1")), share
