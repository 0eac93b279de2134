from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.kernels.keypoint_similarity import keypoint_similarity


def similarity_loop(
    label: list[float], box: list[float], area: float, prediction: list[float], sigmas: list[float]
) -> float:
    """One pair, keypoint by keypoint."""
    visible = [place for place in range(len(sigmas)) if label[3 * place + 2] > 0]
    x0, y0, width, height = box
    total, count = 0.0, 0
    for place in visible or range(len(sigmas)):
        x, y = prediction[3 * place], prediction[3 * place + 1]
        if visible:
            dx, dy = x - label[3 * place], y - label[3 * place + 1]
        else:
            dx = max(0.0, x0 - width - x) + max(0.0, x - (x0 + 2 * width))
            dy = max(0.0, y0 - height - y) + max(0.0, y - (y0 + 2 * height))
        total += math.exp(-(dx * dx + dy * dy) / (2 * sigmas[place]) ** 2 / (area + np.spacing(1)) / 2)
        count += 1
    return total / count


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 17))
def test_as_a_loop(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    sigmas = random.uniform(0.02, 0.2, count)
    labels, predictions = (random.uniform(0, 60, (rows, 3 * count)) for rows in (4, 5))
    labels[:, 2::3] = random.integers(0, 3, (4, count)) * random.integers(0, 2, (4, 1))
    predictions[:4] = labels[: min(4, 5)] + random.normal(0, 2, (4, 3 * count))
    boxes, areas = random.uniform(1, 30, (4, 4)), random.choice([0.0, 100.0, 5000.0], 4)
    label, prediction = np.tile(np.arange(4), 5), np.repeat(np.arange(5), 4)
    found = keypoint_similarity(labels, boxes, areas, predictions, label, prediction, sigmas)
    expected = [
        similarity_loop(labels[a].tolist(), boxes[a].tolist(), areas[a], predictions[b].tolist(), sigmas.tolist())
        for a, b in zip(label, prediction, strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)
    bounded = keypoint_similarity(labels, boxes, areas, predictions, label, prediction, sigmas, 0.5)
    assert np.where(bounded >= 0.5, bounded, 0).tolist() == np.where(found >= 0.5, found, 0).tolist()
