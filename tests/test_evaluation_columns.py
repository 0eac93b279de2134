"""The columns an evaluation adds: all that are promised can be given, and only those that are read are made."""

from __future__ import annotations

import numpy as np

from qm_cli import catalog
from qm_cli.evaluation import evaluate_tables
from qm_cli.evaluation_columns import COLUMNS, WITH_PROBABILITIES, evaluation_columns, promised
from qm_cli.schema import EVALUATED, PROBABLE
from qm_cli.scoring import Resources, plan_for, selection
from qm_cli.settings import Settings
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction

LABELS = document(
    [label(1, 1, CAT, [0, 0, 20, 20]), label(2, 1, CAT, [60, 50, 20, 20]), label(3, 2, DOG, [0, 0, 9, 9])]
)
PREDICTIONS = [
    prediction(1, CAT, [0, 0, 20, 16], 0.8, probs=[0.8, 0.2]),
    prediction(1, DOG, [60, 50, 20, 20], 0.9, probs=[0.1, 0.9]),
]


def test_names_are_those_that_columns_knows() -> None:
    every = {**COLUMNS, **WITH_PROBABILITIES}
    assert set(every) == {(level, name) for level, names in EVALUATED.items() for name in names}
    assert {name for _, name in WITH_PROBABILITIES} == set(PROBABLE)


def test_what_is_promised_is_given() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    evaluation = evaluate_tables(tables, Settings())
    offered = promised(tables)
    plan = plan_for(tables, selection(["image.*,label.*,prediction.*"], ["label", "model"]), offered, Resources())
    given = evaluation_columns(evaluation, plan)
    assert given.keys() == offered.keys()
    for (level, _), values in given.items():
        assert len(values) == tables.count(level)


def test_nothing_is_made_that_is_not_read() -> None:
    tables = builders.tables(LABELS, PREDICTIONS)
    plan = plan_for(tables, selection(["label.area_absolute"]), promised(tables), Resources())
    assert evaluation_columns(evaluate_tables(tables, Settings()), plan) == {}


def test_the_prediction_on_a_label() -> None:
    evaluation = evaluate_tables(builders.tables(LABELS, PREDICTIONS), Settings())
    every = {**COLUMNS, **WITH_PROBABILITIES}
    columns = {name: every["label", name](evaluation) for level, name in every if level == "label"}
    np.testing.assert_allclose(columns["witness_score"], [0.8, 0.9, np.nan])
    np.testing.assert_allclose(columns["witness_iou"], [0.8, 1.0, np.nan])
    assert columns["witness_agrees"].tolist() == [True, False, False]
    np.testing.assert_allclose(columns["own_probability"], [0.8, 0.1, np.nan])
    np.testing.assert_allclose(columns["other_probability"], [0.2, 0.9, np.nan])


def test_no_probabilities_no_columns_of_them() -> None:
    rows = [{key: value for key, value in row.items() if key != "probs"} for row in PREDICTIONS]
    assert not promised(builders.tables(LABELS, rows)).keys() & WITH_PROBABILITIES.keys()
    assert catalog.load(entry_points=False)["label.self_confidence"].inputs


def test_reasons_of_false_positives_are_the_conventions_own() -> None:
    """The second of two on one label overlaps it too little: Encord says that the label was taken, as in its report."""
    rows = [prediction(1, CAT, [0, 0, 20, 20], 0.9), prediction(1, CAT, [0, 0, 20, 12], 0.8)]
    tables = builders.tables(LABELS, rows)
    column, names = COLUMNS["prediction", "reason_code"], ("coco", "encord", "voc12", "labelbox", "ultralytics")
    reasons = {name: column(evaluate_tables(tables, Settings(convention=name, iou=0.75))).tolist() for name in names}
    none = [-1, -1]
    assert reasons == {"coco": [-1, 1], "encord": [-1, 2], "voc12": none, "labelbox": none, "ultralytics": none}
