"""Numbers of slices against evaluations of the part itself and against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.bootstrap import METRICS, overall_replicates, weighted_numbers
from qm_cli.analysis.intervals import share_interval
from qm_cli.analysis.slices import Matched, Members, category_of, images_with, restricted, slice_numbers
from qm_cli.evaluation import evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.simulated_sets import simulated_sets
from tests.strategies import DetectionSet, detection_sets

AT = Settings(confidence=0.25)


def matched(tables: Tables) -> Matched:
    found = evaluate_tables(tables, AT)
    return Matched(found.tables, found.matches, found.outcomes, AT)


def numbers(of: Matched, members: Members) -> np.ndarray[Any, Any]:
    model = restricted(of.weighable(), of, members)
    return weighted_numbers(model, np.ones(of.tables.count("image"), np.int32)).overall


def everything(tables: Tables) -> dict[str, np.ndarray[Any, Any]]:
    return {level: np.ones(tables.count(level), bool) for level in ("label", "prediction")}


def reported(tables: Tables) -> list[float]:
    metrics = evaluation_report(evaluate_tables(tables, AT))["metrics"]
    return [np.nan if metrics[name] is None else metrics[name] for name in METRICS]


@settings(deadline=None, max_examples=30)
@given(detection_sets(comparable=True), st.data())
def test_images_are_an_evaluation_of_those_images(made: DetectionSet, data: st.DataObject) -> None:
    labels, predictions = made
    ids = [one["id"] for one in labels["images"]]
    kept = data.draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
    names = {one for one, keep in zip(ids, kept, strict=True) if keep}
    tables = builders.tables(labels, predictions)
    found = numbers(matched(tables), Members(True, np.isin(tables.values("image", "id"), list(names)), None, None))
    part = {
        **labels,
        "images": [one for one in labels["images"] if one["id"] in names],
        "annotations": [one for one in labels["annotations"] if one["image_id"] in names],
    }
    if not names:
        assert np.isnan(found).all()
        return
    own = reported(builders.tables(part, [one for one in predictions if one["image_id"] in names]))
    assert found.tolist() == pytest.approx(own, abs=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(detection_sets())
def test_all_objects_are_the_evaluation(made: DetectionSet) -> None:
    tables = builders.tables(*made)
    whole = everything(tables)
    members = Members(False, np.ones(tables.count("image"), bool), whole["label"], whole["prediction"])
    assert numbers(matched(tables), members).tolist() == pytest.approx(reported(tables), abs=1e-12, nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(detection_sets())
def test_objects_of_a_category_have_its_numbers(made: DetectionSet) -> None:
    tables = builders.tables(*made)
    of = matched(tables)
    for row, own in enumerate(evaluation_report(evaluate_tables(tables, AT))["categories"]):
        masks = [tables.values(level, "category_row") == row for level in ("label", "prediction")]
        found = numbers(of, Members(False, np.ones(tables.count("image"), bool), *masks))
        expected = [np.nan if own[name] is None else own[name] for name in METRICS]
        assert found.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)


def average_precision_loop(tables: Tables, of: Matched, threshold: float, inside: Any, own: Any) -> float:
    """COCO's average precision over 101 recalls of the objects inside, in plain loops over the matches."""
    lane = of.matches.lane(threshold)
    took = dict(zip(of.matches.row.tolist(), of.matches.label[lane].tolist(), strict=True))
    categories = tables.values("prediction", "category_row")
    values = []
    for category in range(tables.count("category")):
        positives = int((inside & (tables.values("label", "category_row") == category)).sum())
        if positives == 0:
            continue
        hits, curve, rank = 0, [], 0
        for row in of.matches.order.tolist():
            label = took.get(row, -1)
            if categories[row] != category or not (inside[label] if label >= 0 else own[row]):
                continue
            rank += 1
            hits += label >= 0
            curve.append((hits / positives, hits / (rank + np.spacing(1))))
        precisions = [max((p for r, p in curve if r >= point), default=0.0) for point in np.linspace(0, 1, 101)]
        values.append(float(np.mean(precisions)))
    return float(np.mean(values))


def test_objects_of_a_size_are_counted_where_their_label_is() -> None:
    (tables,) = simulated_sets(np.random.default_rng(5), 40, 3, (1.0,))
    of = matched(tables)
    inside = tables.values("label", "area") < 1100
    boxes = tables.values("prediction", "bbox")
    own = boxes[:, 2] * boxes[:, 3] < 1100
    found = dict(zip(METRICS, numbers(of, Members(False, np.ones(40, bool), inside, own)), strict=True))
    for name, threshold in (("AP50", 0.5), ("AP75", 0.75)):
        assert found[name] == pytest.approx(average_precision_loop(tables, of, threshold, inside, own), abs=1e-12)
    hits = wrong = 0
    for row, (label, counted) in enumerate(zip(of.outcomes.matched_label, of.outcomes.counted, strict=True)):
        hits += bool(label >= 0 and inside[label])
        wrong += bool(counted and label < 0 and own[row])
    assert found["precision"] == hits / (hits + wrong)
    assert found["recall"] == hits / int(inside.sum())


def test_what_a_condition_says_nothing_of_is_undefined() -> None:
    (tables,) = simulated_sets(np.random.default_rng(6), 60, 2, (1.0,))
    of = matched(tables)
    images, score = np.ones(60, bool), tables.values("prediction", "score")
    labels_alone = Members(False, images, tables.values("label", "area") < 1100, None)
    predictions_alone = Members(False, images, None, score > 0.6)
    neither = Members(False, images, None, None)
    _, found = slice_numbers(of, [labels_alone, predictions_alone, neither], np.arange(60), 20, 0)
    defined = [[name for name, value in zip(METRICS, one.values, strict=True) if value == value] for one in found]
    assert defined == [["AR100", "recall"], ["precision"], []]
    true = of.outcomes.true_positive & (score > 0.6)
    false = of.outcomes.false_positive & (score > 0.6)
    assert found[1].values[METRICS.index("precision")] == true.sum() / (true.sum() + false.sum())
    for one in found:
        assert np.array_equal(np.isnan(one.p), np.isnan(one.values))


def test_intervals_and_differences() -> None:
    (tables,) = simulated_sets(np.random.default_rng(8), 300, 2, (1.0,))
    of = matched(tables)
    chosen = np.arange(300) % 3 == 0
    whole, (third, few, none) = slice_numbers(
        of,
        [Members(True, images, None, None) for images in (chosen, np.arange(300) < 5, np.zeros(300, bool))],
        np.arange(300),
        60,
        1,
    )
    assert (whole.units, third.units, few.units, none.units) == (300, 100, 5, 0)
    assert third.difference.tolist() == (third.values - whole.values).tolist()
    assert (third.interval.low < third.values).all()
    assert (third.values < third.interval.high).all()
    assert (third.interval.error > whole.interval.error).all()
    assert (third.p > 1e-4).all()
    assert np.isnan(few.interval.low).all()
    assert not np.isnan(few.values).all()
    assert np.isnan(none.values).all()
    again = slice_numbers(of, [Members(True, chosen, None, None)], np.arange(300), 60, 1)[1][0]
    assert again.interval.low.tolist() == third.interval.low.tolist()
    clustered = slice_numbers(of, [Members(True, chosen, None, None)], np.arange(300) // 30, 60, 1)[1][0]
    assert clustered.units == 10


def test_a_category_is_a_column_of_the_whole_evaluation() -> None:
    """Values, replicates, counts and images are those of its objects drawn alone, among slices of other kinds too."""
    (tables,) = simulated_sets(np.random.default_rng(9), 120, 3, (1.0,))
    of, unit = matched(tables), np.arange(120) // 2
    rows = [tables.values(level, "category_row") for level in ("label", "prediction")]
    images = np.ones(120, bool)
    members = [Members(False, images, *(row == place for row in rows)) for place in range(3)]
    part = Members(False, images, rows[0] == 1, (rows[1] == 1) & (tables.values("prediction", "score") > 0.5))
    several = Members(False, images, *(row != 1 for row in rows))
    some = Members(True, np.arange(120) < 60, None, None)
    asked = [members[2], part, members[0], some, several, members[1]]
    assert [category_of(tables, one) for one in asked] == [2, None, 0, None, None, 1]
    found = slice_numbers(of, asked, unit, 40, 3)[1]
    whole = of.weighable()
    for one, own in zip(asked, found, strict=True):
        model = restricted(whole, of, one)
        values = weighted_numbers(model, np.ones(120, np.int32)).overall
        assert own.values.tolist() == pytest.approx(values.tolist(), abs=1e-12)
        drawn = overall_replicates([model], unit, 40, 3)[0]
        there = images_with(model, one, 120)
        expected = share_interval(values, drawn, len(np.unique(unit[there])))
        assert own.interval.low.tolist() == pytest.approx(expected.low.tolist(), abs=1e-12, nan_ok=True)
        assert own.interval.high.tolist() == pytest.approx(expected.high.tolist(), abs=1e-12, nan_ok=True)
        assert (own.images, own.labels) == (there.sum(), len(model.labels.image))
        counts = (own.counts.true_positives, own.counts.false_positives, own.counts.false_negatives)
        assert [int(count[0]) for count in counts] == [
            len(runs.image) for runs in (model.hit, model.false, model.missed)
        ]


def test_intervals_of_a_slice_cover_its_own_truth() -> None:
    """Recall of a third of the images against that of a set 60 times as large, over 40 sets."""
    (large,) = simulated_sets(np.random.default_rng(99), 6000, 2, (1.0,))
    truth = dict(zip(METRICS, reported(large), strict=True))["recall"]
    place, inside = METRICS.index("recall"), 0
    for seed in range(40):
        (tables,) = simulated_sets(np.random.default_rng(seed), 90, 2, (1.0,))
        chosen = Members(True, np.arange(90) % 3 == 0, None, None)
        found = slice_numbers(matched(tables), [chosen], np.arange(90), 40, seed)[1][0].interval
        inside += found.low[place] <= truth <= found.high[place]
    assert 34 <= inside <= 40
