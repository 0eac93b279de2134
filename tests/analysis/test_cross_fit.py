"""Thresholds and what they reach on held-out images: against loops over folds, and how often intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from qm_cli.analysis.cross_fit import FOLDS, Choice, Ranked, choices, fold_numbers, ranked_groups
from qm_cli.analysis.operating_points import Target, parsed_target
from qm_cli.evaluation import evaluate_tables
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.oracles import counts_loop
from tests.simulated_sets import simulated_sets
from tests.strategies import DetectionSet, detection_sets

TARGETS = [parsed_target(text) for text in ("precision=0.7", "recall=0.6", "f1", "f0.5", "cost=FP:1,FN:5")]


def groups(tables: Tables) -> tuple[Ranked, list[Ranked]]:
    return ranked_groups(evaluate_tables(tables, Settings()).arrivals, tables.count("category"))


@given(detection_sets())
@settings(max_examples=30, deadline=None)
def test_groups_hold_what_counts(data: DetectionSet) -> None:
    overall, apart = groups(builders.tables(*data))
    judged, labels = counts_loop.judge(*data, confidence=0.0)
    own = [category["id"] for category in data[0]["categories"]]
    for ranked, ids in [(overall, own), *((group, [one]) for group, one in zip(apart, own, strict=True))]:
        expected = sorted(
            (-row["score"], verdict["outcome"] == "TP")
            for row, verdict in zip(data[1], judged, strict=True)
            if row["category_id"] in ids and verdict["outcome"] in ("TP", "FP")
        )
        assert sorted(zip((-ranked.score).tolist(), ranked.found.tolist(), strict=True)) == expected
        assert (np.diff(ranked.score) <= 0).all()
        counted = [
            one
            for one, verdict in zip(data[0]["annotations"], labels, strict=True)
            if one["category_id"] in ids and verdict["outcome"] != "ignored"
        ]
        assert len(ranked.label_image) == len(counted)


def test_held_out_numbers_are_those_of_a_loop_over_folds() -> None:
    [tables] = simulated_sets(np.random.default_rng(2), 60, 1, [0.8])
    ranked, _ = groups(tables)
    folds = fold_numbers(60, 7)
    for target, choice in zip(TARGETS, choices(ranked, TARGETS, folds), strict=True):
        found = false = missed = 0
        for fold in range(FOLDS):
            inside = folds[ranked.image] == fold
            labels = ranked.label_image[folds[ranked.label_image] != fold]
            others = Ranked(
                ranked.score[~inside], ranked.found[~inside], ranked.kept[~inside], ranked.image[~inside], labels
            )
            [alone] = choices(others, [target], folds)
            assert alone.confidence == choice.folds[fold]
            kept = ranked.found[inside & (ranked.score >= choice.folds[fold])] > 0
            found, false = found + kept.sum(), false + (~kept).sum()
            missed += np.count_nonzero(folds[ranked.label_image] == fold) - kept.sum()
        assert choice.held_out["precision"].value == pytest.approx(found / (found + false))
        assert choice.held_out["recall"].value == pytest.approx(found / (found + missed))
        assert choice.held_out["f1"].value == pytest.approx(2 * found / (2 * found + false + missed))
        if target.kind == "cost":
            assert choice.held_out["cost"].value == pytest.approx((false + 5 * missed) / 60)
        if target.text == "f0.5":
            assert choice.held_out["f_beta"].value == pytest.approx(1.25 * found / (1.25 * found + false + missed / 4))


def test_numbers_are_those_of_the_whole_set_at_the_chosen_confidence() -> None:
    [tables] = simulated_sets(np.random.default_rng(4), 50, 1, [1.0])
    ranked, _ = groups(tables)
    for choice in choices(ranked, TARGETS, fold_numbers(50, 0)):
        assert choice.confidence is not None
        kept = ranked.found[ranked.score >= choice.confidence] > 0
        counts = int(kept.sum()), int((~kept).sum()), len(ranked.label_image) - int(kept.sum())
        assert choice.counts == counts
        assert choice.numbers["precision"] == pytest.approx(counts[0] / (counts[0] + counts[1]))


def test_folds_are_even_and_follow_the_seed() -> None:
    folds = fold_numbers(23, 1)
    assert sorted(np.bincount(folds).tolist()) == [4, 4, 5, 5, 5]
    assert folds.tolist() == fold_numbers(23, 1).tolist() != fold_numbers(23, 2).tolist()


def test_what_cannot_be_reached_is_none() -> None:
    none, one = np.array([0, 0]), np.array([1, 1])
    ranked = Ranked(np.array([0.9, 0.8]), none, one, np.array([0, 1]), np.array([0, 1, 2]))
    nothing = Choice(None, None, {}, {}, (None,) * FOLDS)
    assert choices(ranked, [Target("p", "precision", 0.5)], fold_numbers(10, 0)) == [nothing]
    empty = Ranked(np.zeros(0), *np.zeros((4, 0), np.int64))
    assert choices(empty, TARGETS, fold_numbers(0, 0)) == [nothing] * len(TARGETS)


def test_intervals_cover_what_the_threshold_reaches_on_new_images() -> None:
    """150 sets of 150 images: the precision of the chosen threshold on 3,000 others lies within 95 % of the time."""
    [large] = simulated_sets(np.random.default_rng(0), 3000, 1, [1.0])
    truth, _ = groups(large)
    covered, tried = 0, 150
    targets = [parsed_target("precision=0.8")]
    for seed in range(tried):
        [tables] = simulated_sets(np.random.default_rng(seed + 1), 150, 1, [1.0])
        [choice] = choices(groups(tables)[0], targets, fold_numbers(150, seed))
        assert choice.confidence is not None
        reached = truth.found[truth.score >= choice.confidence].mean()
        covered += choice.held_out["precision"].low <= reached <= choice.held_out["precision"].high
    assert covered / tried >= 0.88
