from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metric import listening
from qm_cli.metrics import image_embeddings
from tests.metrics.examples import Example, check, complete

NAN = float("nan")
FOUR = np.array([[1, 0], [0.6, 0.8], [1, 0], [NAN, NAN]], np.float32)
NAMES = np.array(["cat", "dog"], object)
LABELS = {
    "label_offsets": [0, 1, 2, 4, 4],
    "label_category_row": [0, 0, 1, 0],
    "label_whole_image": [True, True, True, False],
    "category_name": NAMES,
}

EXAMPLES = [
    Example(
        image_embeddings.singularity,
        {"id": [5, 6, 7, 8], "embedding": FOUR},
        ([np.float64(1 - np.float64(np.float32(0.6))).item(), 0.3999999761581421, 0.0, None], [6, 5, 5, None]),
    ),
    Example(image_embeddings.singularity, {"id": [5], "embedding": FOUR[:1]}, ([1.0], [None])),
    Example(
        image_embeddings.diversity,
        {"embedding": FOUR, "category_row_count": 2},
        [1.0, 3.0, 2.0, None],
    ),
    Example(
        image_embeddings.neighbour_agreement,
        {"embedding": FOUR, **LABELS},
        ([0.5, 0.5, 0.0, None], [None, None, "cat", None]),
    ),
]


@pytest.mark.parametrize("example", EXAMPLES[1:2] + EXAMPLES[3:], ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_examples_to_single_precision() -> None:
    found = image_embeddings.singularity(np.array([5, 6, 7, 8]), FOUR)
    np.testing.assert_allclose(found.singularity, [0.4, 0.4, 0, NAN], atol=1e-6)
    assert found.nearest_id.tolist() == [6, 5, 5, None]
    assert image_embeddings.diversity(FOUR, 2)[:3].tolist() in ([1, 3, 2], [1, 2, 3])


def test_every_metric_has_an_example() -> None:
    assert complete(image_embeddings, EXAMPLES)


def test_ten_clusters_where_there_are_no_categories() -> None:
    kind = np.repeat(np.arange(10), 4)
    vectors = (np.eye(10)[kind] + np.random.default_rng(0).normal(size=(40, 10)) / 50).astype(np.float32)
    place = image_embeddings.diversity(vectors, 0)
    assert sorted(place.tolist()) == list(range(1, 41))
    assert len(set(kind[place <= 10].tolist())) == 10


def test_distances_are_cut_at_one() -> None:
    opposite = np.array([[1, 0], [-1, 0]], np.float32)
    assert image_embeddings.singularity(np.array([1, 2]), opposite).singularity.tolist() == [1.0, 1.0]


def test_nothing_is_told_of_an_exact_search() -> None:
    with listening() as notes:
        image_embeddings.singularity(np.arange(3), FOUR[:3])
    assert notes == []
