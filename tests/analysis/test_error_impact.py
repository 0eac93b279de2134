"""What kinds of error cost: worked by hand; tests of error_kinds hold them against tidecv."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.error_impact import ErrorImpact, error_impact
from qm_cli.analysis.error_kinds import error_kinds
from qm_cli.error_names import BACKGROUND, CLASSIFICATION, KINDS, MISSED
from qm_cli.pairs import overlapping_pairs
from tests import builders
from tests.boxes import CAT, DOG, document, label, prediction


def impact(labels: list[dict], predictions: list[dict]) -> ErrorImpact:
    tables = builders.tables(document(labels), predictions)
    return error_impact(tables, error_kinds(tables, overlapping_pairs(tables)))


def test_one_right_one_of_the_wrong_category_one_missed() -> None:
    """Cat 1 of 2 found and cat 2 missed; a dog called cat: AP(cat) = 51/101 as 1 / 2 recall, AP(dog) = 0."""
    labels = [label(1, 1, CAT, [0, 0, 10, 10]), label(2, 1, CAT, [50, 50, 10, 10]), label(3, 1, DOG, [80, 80, 10, 10])]
    found = impact(labels, [prediction(1, CAT, [0, 0, 10, 10], 0.9), prediction(1, CAT, [80, 80, 10, 10], 0.8)])
    assert found.precision.tolist() == pytest.approx([51 / 101, 0.0])
    assert found.gains[CLASSIFICATION] == pytest.approx(0.5)  # the dog is found with precision 1
    assert found.category_gains[CLASSIFICATION].tolist() == pytest.approx([0.0, 1.0])
    assert found.category_gains[MISSED].tolist() == pytest.approx([50 / 101, 0.0])


def test_a_category_of_false_positives_alone_counts_as_zero_until_they_go() -> None:
    found = impact(
        [label(1, 1, CAT, [0, 0, 10, 10])], [prediction(1, CAT, [0, 0, 10, 10]), prediction(1, DOG, [60, 60, 9, 9])]
    )
    assert found.mean == 0.5
    assert found.gains[BACKGROUND] == 0.5
    assert np.isnan(found.category_gains[BACKGROUND][1])


def test_nothing_at_all_is_undefined() -> None:
    found = impact([], [])
    assert np.isnan(found.mean)
    assert np.isnan(found.gains).all()
    assert found.mended.shape == (len(KINDS), 2)
