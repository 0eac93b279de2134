from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from qm_cli.errors import UsageError
from qm_cli.settings import COCO_SIGMAS, Measure
from qm_cli.tasks import measure_from, refuse_idle, refuse_unknown, sigmas_from


def test_parameters() -> None:
    assert measure_from() == Measure()
    assert measure_from("0.1,0.2", 5, True, "radians") == Measure(
        sigmas=(0.1, 0.2), buffer=5, pycocotools_area=True, angle="radians"
    )
    assert sigmas_from("coco") == COCO_SIGMAS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigmas": "a"}, "--sigmas"),
        ({"sigmas": "0.1,0"}, "--sigmas"),
        ({"sigmas": ""}, "--sigmas"),
        ({"sigmas": "inf"}, "--sigmas"),
        ({"buffer": 0}, "--buffer"),
        ({"buffer": float("nan")}, "--buffer"),
        ({"angle": "turns"}, "--angle"),
    ],
)
def test_bad_parameters(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measure_from(**options)


def test_unknown_task() -> None:
    refuse_unknown(None)
    with pytest.raises(UsageError, match="'sgm' is no task") as caught:
        refuse_unknown("sgm")
    assert caught.value.hint == "did you mean segm?"


def test_parameters_of_another_task_are_refused() -> None:
    given = Measure(task="segm", pycocotools_area=True)
    refuse_idle(given)
    others: list[tuple[str, Any]] = [("sigmas", (0.1,)), ("buffer", 3.0), ("angle", "radians")]
    for parameter, value in others:
        with pytest.raises(UsageError, match=f"--{parameter}: not for segm"):
            refuse_idle(replace(given, **{parameter: value}))
    with pytest.raises(UsageError, match="--pycocotools-area: not for bbox"):
        refuse_idle(replace(given, task="bbox"))
