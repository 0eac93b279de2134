from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.errors import UsageError
from qm_cli.metrics import acquisition
from tests.metrics.examples import Example, check, complete, plain
from tests.oracles.acquisition_loop import acquisition as oracle
from tests.oracles.acquisition_loop import sigmoid_measure
from tests.strategies import probability_rows

NAN = float("nan")
TWO = {"prediction_score": [0.75, 0.5], "prediction_offsets": [0, 2, 2]}
PROBS = {**TWO, "prediction_probs": [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]}
LOGITS = {**TWO, "prediction_logits": [[0.0, 0.0], [1000.0, -1000.0]]}
BOXES = [[0.0, 0, 5, 5], [5, 5, 5, 5]]
MISSING = {"prediction_score": [0.5, 1.0], "prediction_offsets": [0, 2], "prediction_probs": [[NAN] * 3, [0, 0, 1.0]]}
MEASURES = (acquisition.entropy, acquisition.least_confidence, acquisition.margin, acquisition.variance)

EXAMPLES = [
    Example(acquisition.entropy, PROBS, [0.75, None]),
    Example(acquisition.entropy, PROBS, [1.5 / np.log2(3) / 2, None], {"normalise": True}),
    Example(acquisition.entropy, LOGITS, [0.5, None]),
    Example(acquisition.entropy, MISSING, [0.5]),
    Example(acquisition.least_confidence, TWO, [0.375, None]),
    Example(acquisition.least_confidence, PROBS, [0.25, None]),
    Example(acquisition.least_confidence, PROBS, [0.5, None], {"aggregate": "max"}),
    Example(acquisition.least_confidence, PROBS, [0.5, None], {"aggregate": "sum"}),
    Example(acquisition.least_confidence, PROBS, [0.5, None], {"min_confidence": 0.75}),
    Example(acquisition.least_confidence, LOGITS, [0.25, None], {"activation": "sigmoid"}),
    Example(acquisition.margin, TWO, [0.25, None]),
    Example(acquisition.margin, PROBS, [0.625, None]),
    Example(acquisition.margin, {**TWO, "prediction_probs": [[1.0], [0.4]]}, [None, None]),
    Example(acquisition.variance, TWO, [0.03125, None]),
    Example(acquisition.variance, PROBS, [(1 / 72 + 2 / 9) / 2, None]),
    Example(acquisition.mean_object_score, {**TWO, "prediction_bbox": BOXES}, [0.625, 0.0]),
    Example(acquisition.mean_object_score, {**PROBS, "prediction_bbox": BOXES}, [0.75, 0.0]),
    Example(acquisition.mean_object_score, {**TWO, "prediction_bbox": [[NAN] * 4] * 2}, [None, 0.0]),
    Example(acquisition.mean_object_score, {**TWO, "prediction_bbox": BOXES}, [0.0, 0.0], {"min_confidence": 0.8}),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(acquisition, EXAMPLES)


def columns(images: list[list[Any]]) -> dict[str, Any]:
    """Scores and offsets of each image's values; a row of probabilities has its largest as score."""
    flat = [value for image in images for value in image]
    scores = np.array([value if isinstance(value, float) else max(value) for value in flat], float)
    return {"prediction_score": scores, "prediction_offsets": np.cumsum([0, *map(len, images)])}


OPTIONS = {"aggregate": st.sampled_from(["mean", "max", "sum", "top3"]), "min_confidence": st.sampled_from([0, 0.5])}


@given(st.data(), st.fixed_dictionaries(OPTIONS), st.booleans())
def test_equals_the_loop(data: st.DataObject, options: dict[str, Any], normalise: bool) -> None:
    classes = data.draw(st.integers(2, 5))
    images = [_rows(data, classes) for _ in range(3)]
    inputs = columns(images)
    probs = np.array([row for image in images for row in image]).reshape(-1, classes)
    for metric in MEASURES:
        more = {"normalise": normalise} if metric is acquisition.entropy else {}
        found = metric(**inputs, prediction_probs=probs, **options, **more)
        expected = [oracle(metric.__name__, image, **options, **more) for image in images]
        assert plain(found) == [value if value is None else pytest.approx(value, abs=1e-12) for value in expected]
    boxes = np.zeros((len(probs), 4))
    found = acquisition.mean_object_score(**inputs, prediction_bbox=boxes, prediction_probs=probs, **options)
    assert plain(found) == [pytest.approx(oracle("mean_object_score", image, **options)) for image in images]


def _rows(data: st.DataObject, classes: int) -> list[list[float]]:
    """Rows of exactly `classes` probabilities: those of the shared strategy, cut or filled with zeros."""
    return [(row + [0.0] * classes)[:classes] for row in data.draw(probability_rows())]


@given(st.lists(st.lists(st.floats(0, 1), max_size=5), min_size=1, max_size=4), st.fixed_dictionaries(OPTIONS))
def test_scores_alone_equal_the_loop(images: list[list[float]], options: dict[str, Any]) -> None:
    inputs = columns(images)
    for metric in MEASURES:
        expected = [oracle(metric.__name__, image, **options) for image in images]
        assert plain(metric(**inputs, **options)) == [
            value if value is None else pytest.approx(value, abs=1e-12) for value in expected
        ]


@given(probability_rows())
def test_sigmoid_is_the_mean_of_the_binary_measures(rows: list[list[float]]) -> None:
    inputs = {"prediction_score": np.ones(len(rows)), "prediction_offsets": np.arange(len(rows) + 1)}
    probs = np.array(rows).reshape(len(rows), -1) if rows else np.zeros((0, 3))
    for metric in MEASURES:
        found = metric(**inputs, prediction_probs=probs, activation="sigmoid")
        expected = [pytest.approx(sigmoid_measure(metric.__name__, row), abs=1e-12) for row in rows]
        assert plain(found) == expected


def test_a_shard_gives_the_same_bits() -> None:
    random = np.random.default_rng(7)
    counts = random.integers(0, 30, 40)
    offsets = np.append(0, np.cumsum(counts))
    probs = random.dirichlet(np.ones(7), offsets[-1])
    for metric in MEASURES:
        for aggregate in ("mean", "sum", "top3"):
            whole = metric(probs.max(axis=1), offsets, probs, aggregate=aggregate)
            for image in range(40):
                part = probs[offsets[image] : offsets[image + 1]]
                alone = metric(part.max(axis=1), np.array([0, len(part)]), part, aggregate=aggregate)
                assert np.array_equal(alone, whole[image : image + 1], equal_nan=True)


def test_logits_far_from_zero() -> None:
    logits = np.array([[0.0, -1e4], [1e4, 1e4]])
    for activation in ("none", "softmax", "sigmoid"):
        found = acquisition.entropy(np.ones(2), np.arange(3), prediction_logits=logits, activation=activation)
        assert np.isfinite(found).all()


def test_negative_probability_has_no_entropy() -> None:
    probs = np.array([[-0.5, 1.5]])
    assert np.isnan(acquisition.entropy(np.ones(1), np.array([0, 1]), probs)).all()
    assert acquisition.margin(np.ones(1), np.array([0, 1]), probs).tolist() == [2.0]


@pytest.mark.parametrize("option", [{"aggregate": "maximum"}, {"activation": "soft"}])
def test_unknown_option_value(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not one of"):
        acquisition.entropy(np.ones(1), np.array([0, 1]), **option)
