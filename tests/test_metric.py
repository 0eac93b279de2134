"""What @metric says of a function."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from qm_cli.errors import MetricError
from qm_cli.metric import declared_in, described, metric

if TYPE_CHECKING:
    from nowhere import Unknown


class Pair(NamedTuple):
    first: Any
    second: Any


@metric(level=("label", "prediction"), kind="data", unit="px", range=(0, None), columns={"speed": "ego speed"})
def sides(bbox: Unknown, speed: Any = None, *, power: int = 2) -> Pair:
    """Two sides.

    More about them.

    >>> 1 + 1
    2
    """
    return Pair(bbox**power, speed)


def test_everything_is_read_from_the_function() -> None:
    got = described(sides, "label")
    assert (got.id, got.name, got.level) == ("label.sides", "sides", "label")
    assert got.inputs == {"bbox": "bbox", "speed": "ego speed"}
    assert got.optional == {"speed"}
    assert got.options == {"power": 2}
    assert got.outputs == ("first", "second"), "though another annotation cannot be looked up"
    assert (got.meaning, got.explanation) == ("Two sides.", "More about them.")
    assert not got.per_sample
    assert not got.built_in


def test_the_function_is_returned_itself() -> None:
    assert pickle.loads(pickle.dumps(sides)) is sides


def test_declared_in_takes_what_the_module_defines() -> None:
    module = ModuleType("plugin")
    vars(module).update(sides=sides, pickle=pickle)
    assert declared_in(module) == []
    module.__name__ = __name__
    assert [one.id for one in declared_in(module)] == ["label.sides", "prediction.sides"]


@pytest.mark.parametrize("facts", [{"level": "pixel"}, {"kind": "size"}, {"better": "more"}])
def test_wrong_facts(facts: dict[str, str]) -> None:
    with pytest.raises(MetricError, match="is not one of"):
        metric(**{"level": "image", "kind": "data", "unit": "px", **facts})  # type: ignore[arg-type]


def test_every_input_is_named_and_every_option_has_a_default() -> None:
    @metric(level="image", kind="data", unit="px")
    def anything(*columns: Any) -> None: ...

    @metric(level="image", kind="data", unit="px")
    def undecided(width: Any, *, power: int) -> None: ...

    with pytest.raises(MetricError, match="names no column"):
        described(anything, "image")
    with pytest.raises(MetricError, match="power has no default"):
        described(undecided, "image")


def test_what_a_run_compares_by_is_told_of_metrics_that_take_it() -> None:
    @metric(level="label", kind="label", unit="IoU")
    def fit(label_witness_iou: Any) -> Any:
        """IoU of the witness."""

    @metric(level="label", kind="label", unit="IoU")
    def copies(bbox: Any, label_duplicate_iou: Any) -> Any:
        """IoU of two boxes."""

    told = [described(one, "label").measured_by("OKS") for one in (fit, copies)]
    assert [one.unit for one in told] == ["OKS", "IoU"]
    assert [one.meaning for one in told] == ["OKS of the witness.", "IoU of two boxes."]
