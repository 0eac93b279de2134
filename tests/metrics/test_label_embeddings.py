from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metrics import label_embeddings
from tests.metrics.examples import Example, check, complete

NAN = float("nan")
NINE = np.array([[1, n / 100] for n in range(10)] + [[NAN, NAN]], np.float32)
CATEGORY = [1, *[0] * 9, 0]

EXAMPLES = [
    Example(
        label_embeddings.neighbour_agreement,
        {
            "embedding": NINE,
            "category_row": CATEGORY,
            "category_name": np.array([("cat", "dog")[row] for row in CATEGORY], object),
        },
        ([0.0, *[8 / 9] * 9, None], ["cat", *[None] * 10]),
    ),
    Example(
        label_embeddings.neighbour_agreement,
        {"embedding": NINE[:1], "category_row": [0], "category_name": np.array(["cat"], object)},
        ([None], [None]),
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_embeddings, EXAMPLES)
