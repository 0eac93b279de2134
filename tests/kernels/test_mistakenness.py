"""Mistakenness by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qm_cli.kernels.mistakenness import category_mistakenness, place_mistakenness


def test_a_sure_model_decides_and_an_unsure_one_does_not() -> None:
    found = category_mistakenness(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, True, False]))
    assert found.tolist() == [0.0, 1.0, 0.5, 0.5]


def test_place_between_iou_a_half_and_one() -> None:
    found = place_mistakenness(np.array([1.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.5, 0.0, 0.5]))
    assert found.tolist() == pytest.approx([0.0, 1.0, 1.0, 0.5])
