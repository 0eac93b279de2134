from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask

from qm_cli.kernels.mask_iou import mask_iou
from tests.kernels.test_runs import runs_of
from tests.shape_sets import bitmap, compressed


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_as_pycocotools_to_the_last_bit(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, predictions = ([compressed(bitmap(random)) for _ in range(count)] for count in (5, 7))
    crowd = random.random(5) < 0.3
    expected = mask.iou(predictions, labels, crowd.tolist()).ravel()
    label, prediction = np.tile(np.arange(5), 7), np.repeat(np.arange(7), 5)
    order = random.permutation(35)
    pairs = (label[order], prediction[order], crowd[label[order]])
    found = mask_iou(runs_of(labels), runs_of(predictions), *pairs)
    assert found.tolist() == expected[order].tolist()
    bounded = mask_iou(runs_of(labels), runs_of(predictions), *pairs, lowest=0.5)
    assert np.where(bounded >= 0.5, bounded, 0).tolist() == np.where(found >= 0.5, found, 0).tolist()


def test_masks_of_other_sizes_do_not_overlap() -> None:
    one, other = (runs_of([compressed(np.ones(shape, np.uint8))]) for shape in ((4, 5), (5, 4)))
    assert mask_iou(one, other, np.array([0]), np.array([0]), np.array([False])).tolist() == [0.0]


def test_no_pairs() -> None:
    one = runs_of([compressed(np.ones((4, 5), np.uint8))])
    none = np.zeros(0, np.int64)
    assert mask_iou(one, one, none, none, none.astype(bool)).tolist() == []
