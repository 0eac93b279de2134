from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from qm_cli.kernels.rasters import is_polygon, painted
from tests.shape_sets import polygons


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_as_pycocotools(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes = [polygons(random) for _ in range(5)]
    sizes = random.choice([30, 45], (5, 2))
    expected = [
        mask.merge(mask.frPyObjects(shape, height, width))["counts"]
        for shape, (height, width) in zip(shapes, sizes.tolist(), strict=True)
    ]
    assert painted(shapes, sizes) == expected


@pytest.mark.parametrize(
    ("part", "good"),
    [([0, 0, 1, 0, 1, 1], True), ([0, 0, 1, 1], False), ([0, 0, 1, 0, 1, 1, 2], False), ([0, 0, 1e9, 0, 1, 1], False)],
)
def test_is_polygon(part: list[float], good: bool) -> None:
    assert is_polygon(part) is good
