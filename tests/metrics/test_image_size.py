from __future__ import annotations

import numpy as np
import pytest

from qm_cli.metrics import image_size
from tests.metrics.examples import Example, check, complete

NAN = float("nan")
SIDES = {"width": [10.0, 20, 30, 40, 90, NAN], "height": [10.0, 20, 30, 40, 90, 9]}

EXAMPLES = [
    Example(image_size.area, {"width": [640.0, NAN], "height": [480.0, 1]}, [307200.0, None]),
    Example(
        image_size.area,
        {"width": [4.0, 4, NAN], "height": [3.0, 3, 1], "file_width": [5.0, NAN, NAN], "file_height": [2.0, NAN, NAN]},
        [10.0, 12.0, None],
    ),
    Example(
        image_size.aspect_ratio,
        {"width": [4.0, 4], "height": [2.0, 2], "file_width": [2.0, NAN], "file_height": [4.0, NAN]},
        [0.5, 2.0],
    ),
    Example(
        image_size.size_oddity,
        {
            "width": [1.0] * 5,
            "height": [1.0] * 5,
            "file_width": [*SIDES["width"][:5]],
            "file_height": [*SIDES["height"][:5]],
        },
        [0.5, 0.0, 0.0, 0.0, 2.5],
    ),
    Example(image_size.aspect_ratio, {"width": [640.0, 5, NAN], "height": [320.0, 0, 1]}, [2.0, None, None]),
    Example(image_size.size_oddity, SIDES, [0.5, 0.0, 0.0, 0.0, 2.5, None]),
    Example(image_size.size_oddity, {"width": [4.0] * 4 + [9], "height": [4.0] * 4 + [4]}, [0.0] * 4 + [0.5]),
    Example(image_size.size_oddity, {"width": [NAN], "height": [4.0]}, [None]),
    Example(image_size.random, {"id": [1, 2]}, [0.8242198252979852, 0.8304632507842628]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(image_size, EXAMPLES)


def test_random_is_uniform_seeded_and_knows_text() -> None:
    numbers = np.arange(20_000)
    for ids in (numbers, numbers.astype(str).astype(object)):
        values = image_size.random(ids)
        counts = np.histogram(values, 20, (0, 1))[0]
        assert ((counts - 1000) ** 2 / 1000).sum() < 45  # χ², 19 degrees of freedom
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03
        assert abs(np.corrcoef(values, image_size.random(ids, seed=1))[0, 1]) < 0.03
        assert np.array_equal(image_size.random(ids[7:9]), values[7:9])
