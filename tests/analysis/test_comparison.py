"""Paired comparison: the same model twice, a better one, units of categories."""

from __future__ import annotations

import numpy as np

from qm_cli.analysis.bootstrap import METRICS, Numbers, Weighable, weighable
from qm_cli.analysis.comparison import NumbersOf, compared_sets, comparison, units_with
from qm_cli.evaluation import evaluate_tables
from qm_cli.kernels.weighted import Runs
from qm_cli.settings import Settings
from tests.simulated_sets import simulated_sets


def models(seed: int, images: int, skills: tuple[float, ...]) -> list[Weighable]:
    sets = simulated_sets(np.random.default_rng(seed), images, 2, skills)
    return [
        weighable(one.tables, one.matches, one.outcomes, one.settings)
        for one in (evaluate_tables(tables, Settings()) for tables in sets)
    ]


def test_the_same_model_twice_differs_in_nothing() -> None:
    (model,) = models(0, 40, (1.0,))
    found = comparison(model, model, np.arange(40), 40, 0)
    assert not (found.overall.second - found.overall.first).any()
    assert (found.overall.p == 1).all()
    assert (found.overall.smallest == 0).all()
    assert (found.category.p == 1).all()


def test_a_better_model_is_told_and_pairing_helps() -> None:
    worse, better = models(1, 150, (0.5, 1.5))
    found = comparison(worse, better, np.arange(150), 200, 0)
    assert (found.overall.p < 0.01).all()
    assert (found.overall.difference.low > 0).all()
    recall = METRICS.index("recall")
    alone = np.hypot(found.overall.first_interval.error, found.overall.second_interval.error)
    assert found.overall.difference.error[recall] < 0.9 * alone[recall]


def test_clusters_are_the_units() -> None:
    worse, better = models(2, 60, (1.0, 1.2))
    found = comparison(worse, better, np.arange(60) // 5, 40, 0)
    assert found.units == 12
    few = comparison(worse, better, np.arange(60) // 30, 40, 0)
    assert np.isnan(few.overall.p).all()
    assert np.isfinite(few.overall.first).all()


def test_units_that_hold_a_category() -> None:
    runs = Runs(np.array([0, 1, 2, 2], np.intp), np.array([0, 2, 4, 4]))
    assert units_with(runs, np.array([0, 0, 1])).tolist() == [1, 1, 0]


def test_numbers_on_sets_of_images_are_those_of_their_weights() -> None:
    """A set's number is the whole's with the weights of all other images 0; its units are those with an image in it."""
    values, unit = np.arange(12.0), np.arange(12) // 2

    def mean(shift: float) -> NumbersOf:
        return lambda weights: Numbers(
            np.array([(weights @ (values + shift)) / max(weights.sum(), 1)]), np.zeros((1, 0))
        )

    part = values < 5
    [(found, units)] = compared_sets([part], (mean(0.0), mean(1.0)), unit, 100, 0)
    assert (found.first.tolist(), found.second.tolist(), units) == ([2.0], [3.0], 3)
    assert compared_sets([], (mean(0.0), mean(1.0)), unit, 100, 0) == []
