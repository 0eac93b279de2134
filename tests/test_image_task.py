"""Parts of a task hold what the whole has of their images, and their results make up the whole's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qm_cli.image_task import PIXELS, Call, Function, Objects, ShardResult, Task


def given(*values: Any) -> Any:
    return values


def task() -> Task:
    calls = (
        Call("image.given", "image", Function(given), ("given",), (PIXELS, np.arange(3)), {}, True),
        Call("label.given", "label", Function(given), ("one", "two"), (np.arange(4), 7), {"x": 1}, True),
    )
    objects = Objects(np.array([0, 1, 1, 4]), np.arange(16.0).reshape(4, 4), ["a", "b", "c", "d"])
    return Task("folder", ["a", "b", "c"], np.arange(6.0).reshape(3, 2), calls, {"label": objects})


def test_a_part() -> None:
    part = task().part(1, 3)
    assert part.names == ["b", "c"]
    assert part.sizes.tolist() == [[2, 3], [4, 5]]
    assert part.objects["label"].offsets.tolist() == [0, 0, 3]
    assert part.objects["label"].boxes[:, 0].tolist() == [4, 8, 12]
    assert part.objects["label"].polygons == ["b", "c", "d"]
    assert part.calls[0].inputs[1].tolist() == [1, 2]
    assert part.calls[1].inputs[0].tolist() == [1, 2, 3]
    assert part.calls[1].inputs[1] == 7


def test_halves_hold_every_image_once() -> None:
    halves = task().halves()
    assert halves is not None
    assert [list(half.names) for half in halves] == [["a"], ["b", "c"]]
    assert halves[0].halves() is None


def test_joined() -> None:
    first = ShardResult({("image", "given"): [1]}, np.ones((1, 2)), [(0, "x", "")])
    second = ShardResult({("image", "given"): [2, 3]}, np.zeros((2, 2)), [(1, "y", "why")])
    whole = task().joined(first, second)
    assert whole.columns == {("image", "given"): [1, 2, 3]}
    assert whole.sizes.tolist() == [[1, 1], [0, 0], [0, 0]]
    assert whole.faults == [(0, "x", ""), (2, "y", "why")]


def test_given_up() -> None:
    result = task().part(2, 3).given_up()
    assert result.columns == {("image", "given"): [None], ("label", "one"): [None] * 3, ("label", "two"): [None] * 3}
    assert result.faults == [(0, "image-ends-worker", "")]
    assert np.isnan(result.sizes).all()


def test_a_function_that_is_gone() -> None:
    with pytest.raises(Exception, match="cannot be found in a worker process"):
        make, arguments = Function(given).__reduce__()
        make(arguments[0], "no_such_name", arguments[2])
