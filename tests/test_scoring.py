"""Which metrics run with which options, and when there is something to evaluate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.errors import MetricError
from qm_cli.load import load_tables
from qm_cli.scoring import Resources, can_evaluate, planned, score_tables, selection
from qm_cli.settings import Settings
from tests import builders

SAMPLE = Path(__file__).parents[1] / "sample_data"
LABELS, BETTER = SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json"


def test_the_seed_reaches_every_metric_that_takes_one() -> None:
    assert selection(seed=7).options["random"] == {"seed": 7}
    assert selection(settings=["random.seed=3"], seed=7).options["random"] == {"seed": 3}


def test_selection_without_what_is_done() -> None:
    chosen = selection(["image.area,image.blur"])
    assert list(chosen.without({"image.area"}).chosen) == ["image.blur"]
    with pytest.raises(MetricError, match="entropy"):
        selection(["image.entropi"])


def test_there_is_something_to_evaluate_only_with_boxes_on_both_sides() -> None:
    assert can_evaluate(load_tables(LABELS, BETTER))
    assert not can_evaluate(load_tables(LABELS, None))
    assert not can_evaluate(load_tables(None, BETTER))


def test_plan_and_run_name_the_same_metrics() -> None:
    tables, chosen = load_tables(LABELS, BETTER), selection(["prediction.*", "!*.brightness"], ["model"])
    plan = planned(tables, chosen, Resources())
    scored = score_tables(tables, chosen, Settings(), Resources())
    assert [step.metric.id for step in plan.steps] == [step.metric.id for step in scored.plan.steps]
    assert plan.skipped == scored.plan.skipped


def test_outcomes_of_the_evaluation_reach_the_metrics() -> None:
    tables = load_tables(LABELS, BETTER)
    scored = score_tables(
        tables, selection(["prediction.outcome,prediction.iou,label.outcome"]), Settings(), Resources()
    )
    assert scored.evaluation is not None
    outcome = np.asarray(scored.scores.columns["prediction"]["outcome"])
    assert (outcome == "TP").sum() == scored.evaluation.outcomes.true_positive.sum()
    assert (
        np.asarray(scored.scores.columns["label"]["outcome"]) == "FN"
    ).sum() == scored.evaluation.outcomes.false_negative.sum()
    assert (scored.scores.columns["prediction"]["iou"][outcome == "TP"] >= 0.5).all()
    assert np.isnan(scored.scores.columns["prediction"]["iou"]).sum() <= len(outcome)


def test_what_is_of_classes_of_whole_images_is_there_where_such_are() -> None:
    """Not there, and not told of, where every label has a box, unless it is named."""
    name, boxes = "image.neighbour_agreement", load_tables(LABELS, BETTER)
    every = planned(boxes, selection(), Resources(SAMPLE / "images"))
    assert name not in {step.metric.id for step in every.steps} | {one.metric for one in every.skipped}
    named = planned(boxes, selection([f"image.area,{name}"]), Resources(SAMPLE / "images"))
    assert [(one.metric, one.reason.partition(",")[0]) for one in named.skipped] == [
        (name, "needs image.label_whole_image")
    ]
    whole = {"id": 1, "image_id": 1, "category_id": 1}
    images = [{"id": 1, "file_name": "toys_0003.jpg"}]
    tables = builders.tables({"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": [whole]}, [])
    there = planned(tables, selection(), Resources(SAMPLE / "images"))
    assert name in {step.metric.id for step in there.steps}
