"""Weights against the evaluation itself, and against data sets whose images are physically repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.bootstrap import METRICS, Weighable, replicates, weighable, weighted_numbers
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings
from tests import builders
from tests.simulated_sets import simulated_sets
from tests.strategies import DetectionSet, detection_sets

IN_CATEGORIES = ("AP", "AP50", "AP75", "AR100", "precision", "recall", "f1")


def ready(evaluation: Evaluation) -> Weighable:
    return weighable(evaluation.tables, evaluation.matches, evaluation.outcomes, evaluation.settings)


def hold_against_report(model: Weighable, weights: np.ndarray[Any, Any], report: dict[str, Any]) -> None:
    numbers = weighted_numbers(model, weights.astype(np.int32))
    expected = [np.nan if (value := report["metrics"][name]) is None else value for name in METRICS]
    assert numbers.overall.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    for place, name in enumerate(IN_CATEGORIES):
        own = [np.nan if (value := row[name]) is None else value for row in report["categories"]]
        assert numbers.category[place].tolist() == pytest.approx(own, abs=1e-12, nan_ok=True)


@settings(deadline=None)
@given(detection_sets())
def test_weights_of_one_give_the_evaluations_own_numbers(made: DetectionSet) -> None:
    tables = builders.tables(*made)
    evaluation = evaluate_tables(tables, Settings(confidence=0.25))
    hold_against_report(ready(evaluation), np.ones(tables.count("image")), evaluation_report(evaluation))


def repeated(labels: dict[str, Any], predictions: list[dict[str, Any]], times: dict[Any, int]) -> DetectionSet:
    """Each image as often as asked, copies side by side in the order of ids."""
    place = {identifier: row for row, identifier in enumerate(sorted(times))}
    copies = {one: [1000 * place[one] + number for number in range(times[one])] for one in times}
    images = [{**one, "id": copy} for one in labels["images"] for copy in copies[one["id"]]]
    annotations = [{**one, "image_id": copy} for one in labels["annotations"] for copy in copies[one["image_id"]]]
    annotations = [{**one, "id": number} for number, one in enumerate(annotations, 1)]
    more = [{**one, "image_id": copy} for one in predictions for copy in copies[one["image_id"]]]
    return {**labels, "images": images, "annotations": annotations}, more


def untied(predictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """No two of one image with the same score: copies of one detection would then rank beside each other or not."""
    seen: dict[Any, int] = {}
    result = []
    for one in predictions:
        number = seen[one["image_id"]] = seen.get(one["image_id"], 0) + 1
        result.append({**one, "score": round(one["score"] * 0.9 + 0.09 - number * 1e-4, 6)})
    return result


@settings(max_examples=150, deadline=None)
@given(detection_sets(comparable=True), st.data())
def test_weights_are_repeated_images(made: DetectionSet, data: st.DataObject) -> None:
    labels, predictions = made[0], untied(made[1])
    ids = [one["id"] for one in labels["images"]]
    times = {one: data.draw(st.integers(0, 3)) for one in ids}
    times[ids[0]] += 1 if not any(times.values()) else 0
    chosen = Settings(confidence=0.25, iou=0.6)
    whole = evaluate_tables(builders.tables(labels, predictions), chosen)
    rows = whole.tables.image["id"].to_pylist()
    many = evaluate_tables(builders.tables(*repeated(labels, predictions, times)), chosen)
    hold_against_report(ready(whole), np.array([times[one] for one in rows]), evaluation_report(many))


def test_replicates_are_those_of_the_halves_whatever_the_company() -> None:
    sets = simulated_sets(np.random.default_rng(0), 31, 3, (1.0, 1.5))
    models = [ready(evaluate_tables(tables, Settings())) for tables in sets]
    both = replicates(models, np.arange(31), 10, 7)
    alone = replicates(models[1:], np.arange(31), 10, 7)[0]
    assert np.array_equal(both[1].overall, alone.overall, equal_nan=True)
    assert np.array_equal(both[1].category, alone.category, equal_nan=True)
    assert both[0].overall.shape == (10, len(METRICS))
    other = replicates(models[1:], np.arange(31), 10, 8)[0]
    assert not np.array_equal(other.overall, alone.overall)
