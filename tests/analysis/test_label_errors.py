"""The evidence against labels: ObjectLab's scores equal to what cleanlab said; crowds and pairs by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from qm_cli import pairs
from qm_cli.analysis import label_errors
from qm_cli.analysis.label_errors import corresponding, evidence
from qm_cli.evaluation import evaluate_tables
from qm_cli.kernels.object_lab import located_score, overlooked_score, pooled, softmin, swapped_score
from qm_cli.settings import Settings
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction
from tests.oracles import record_cleanlab

RECORDED = json.loads(record_cleanlab.PLACE.read_text())["boxes"]


def scores(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """As `record_cleanlab.box_scores`."""
    tables = builders.tables(labels, predictions)
    found = evidence(tables)
    overlooked = overlooked_score(found.overlooked, tables.values("prediction", "score"), found.least)
    located, swapped = located_score(found.located), swapped_score(found.swapped, found.conflicting, found.least)
    kinds = ((overlooked, "prediction"), (located, "label"), (swapped, "label"))
    quality = pooled(*(softmin(values, tables.offsets(level)) for values, level in kinds))
    back = np.argsort(tables.values("prediction", "source_row"))
    overlooked_list = [None if np.isnan(value) else value for value in overlooked[back].tolist()]
    named = {"badly_located": located, "swapped": swapped, "label_quality": quality}
    return {"overlooked": overlooked_list, **{name: values.tolist() for name, values in named.items()}}


def agree(found: dict[str, list[Any]], expected: dict[str, list[Any]]) -> None:
    for name, values in ((name, values) for name, values in expected.items() if name in found):
        plain = [float("nan") if value is None else value for value in values]
        mine = [float("nan") if value is None else value for value in found[name]]
        assert mine == pytest.approx(plain, rel=0, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("seed", record_cleanlab.BOX_SEEDS)
def test_equal_to_what_cleanlab_said(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pairs, label_errors):
        monkeypatch.setattr(module, "PAIRS_AT_ONCE", (1, 7, 1 << 16)[seed % 3])
    agree(scores(*record_cleanlab.box_case(seed)), RECORDED[str(seed)])


def test_equal_to_cleanlab_where_it_is_installed() -> None:
    pytest.importorskip("cleanlab")
    for seed in range(3000, 3010):
        agree(scores(*record_cleanlab.box_case(seed)), record_cleanlab.box_scores(*record_cleanlab.box_case(seed)))


def test_a_crowd_hides_what_is_below_and_has_no_score_of_its_own() -> None:
    crowd = [label(1, 1, CAT, [0, 0, 50, 50], iscrowd=1)]
    tables = builders.tables(document(crowd), [prediction(1, DOG, [10, 10, 20, 20], 0.99)])
    found = evidence(tables)
    assert np.isnan(found.overlooked).all()
    assert np.isnan(found.swapped).all()
    assert found.swapped_by.tolist() == [-1]


def test_the_prediction_that_says_so() -> None:
    labels = [label(1, 1, CAT, [0, 0, 20, 20]), label(2, 1, CAT, [60, 50, 20, 20])]
    predictions = [
        prediction(1, DOG, [0, 0, 20, 20], 0.97),
        prediction(1, DOG, [0, 0, 20, 19], 0.99),
        prediction(1, CAT, [64, 50, 20, 20], 0.6),
    ]
    tables = builders.tables(document(labels), predictions)
    found = evidence(tables)
    assert found.swapped_by.tolist()[0] == 0
    assert found.located_by.tolist() == [-1, 2]
    evaluation = evaluate_tables(tables, Settings())
    assert corresponding(tables, evaluation.outcomes, evaluation.settings).tolist() == [0, 2]


def test_nothing() -> None:
    found = evidence(builders.tables(document([]), []))
    assert found.least == 1.0
    assert len(found.located) == len(found.overlooked) == 0
