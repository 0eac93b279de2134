"""Label issues of classes: equal to what cleanlab said, and to cleanlab itself where it is installed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qm_cli.kernels.confident_learning import (
    calibrated_joint,
    find_label_issues,
    normalized_margin,
    own_and_other,
    self_confidence,
)
from tests.oracles import record_cleanlab

RECORDED = json.loads(record_cleanlab.PLACE.read_text())["classes"]


def issues(case: record_cleanlab.Case) -> list[bool]:
    found: list[bool] = find_label_issues(np.array(case[0]), np.array(case[1])).tolist()
    return found


@pytest.mark.parametrize("seed", record_cleanlab.CLASS_SEEDS)
def test_equal_to_what_cleanlab_said(seed: int) -> None:
    assert issues(record_cleanlab.class_case(seed)) == RECORDED[str(seed)]


def test_some_are_found() -> None:
    assert sum(map(sum, RECORDED.values())) > 50


def test_equal_to_cleanlab_where_it_is_installed() -> None:
    pytest.importorskip("cleanlab")
    for seed in range(2000, 2010):
        case = record_cleanlab.class_case(seed)
        assert issues(case) == record_cleanlab.class_issues(*case)


def test_the_joint_keeps_the_labels_of_each_class() -> None:
    labels, rows = record_cleanlab.class_case(5)
    joint = calibrated_joint(np.array(labels), np.array(rows))
    assert joint.sum(axis=1).tolist() == np.bincount(labels).tolist()


def test_self_confidence_and_margin() -> None:
    own, other = own_and_other(np.array([0, 1]), np.array([[0.2, 0.8], [0.1, 0.9]]))
    assert self_confidence(own).tolist() == [0.2, 0.9]
    assert normalized_margin(own, other).tolist() == pytest.approx([0.2, 0.9])


def test_nothing() -> None:
    assert find_label_issues(np.zeros(0, int), np.zeros((0, 3))).tolist() == []
    assert find_label_issues(np.zeros(4, int), np.ones((4, 1))).tolist() == [False] * 4
