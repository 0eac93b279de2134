"""Values of a gate file: taken as what their key asks for, or refused with the place."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli import gate_values as kinds
from qm_cli.analysis.gate_checks import Ceiling
from qm_cli.errors import InputError
from qm_cli.gate_values import Kind, values
from qm_cli.settings import AreaRange


@pytest.mark.parametrize(
    ("kind", "value", "taken"),
    [
        (kinds.TEXT, " run ", "run"),
        (kinds.NAMES, 3, ["3"]),
        (kinds.NAMES, ["cat", 3], ["cat", "3"]),
        (kinds.NUMBER, 1, 1),
        (kinds.SIZES, "small", ["small"]),
        (kinds.SIZES, [0, 400], [AreaRange("area 0–400", 0.0, 400.0)]),
        (kinds.SIZES, ["small", [1, 2.5]], ["small", AreaRange("area 1–2.5", 1.0, 2.5)]),
        (kinds.IOUS, [0.5, 1], [0.5, 1.0]),
        (kinds.LEVEL, 0.95, 0.95),
        (kinds.CEILING, 0, Ceiling(0)),
        (kinds.CEILING, 0.01, Ceiling(share=0.01)),
        (kinds.CEILING, 0.0, Ceiling(share=0.0)),
        (kinds.CEILING, {"max_share": 1}, Ceiling(share=1.0)),
        (kinds.CEILING, {"max": 3}, Ceiling(3)),
        (kinds.choice("a", "b"), "b", "b"),
        (kinds.at_least(100), 100, 100),
    ],
)
def test_taken(kind: Kind, value: Any, taken: Any) -> None:
    assert values({"key": value}, {"key": kind}, "gate.toml") == {"key": taken}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (kinds.TEXT, 3),
        (kinds.TEXT, " "),
        (kinds.NAMES, []),
        (kinds.NAMES, True),
        (kinds.NUMBER, True),
        (kinds.NUMBER, "0.5"),
        (kinds.NUMBER, float("nan")),
        (kinds.NUMBER, float("inf")),
        (kinds.SHARE, 1.5),
        (kinds.SIZES, [400, 0]),
        (kinds.SIZES, [0, 1, 2]),
        (kinds.SIZES, 5),
        (kinds.IOU, 0),
        (kinds.CONFIDENCES, [0.5, 2]),
        (kinds.LEVEL, 1),
        (kinds.LEVEL, 95),
        (kinds.COUNT, -1),
        (kinds.COUNT, 1.0),
        (kinds.CEILING, {"max": 1, "max_share": 0.5}),
        (kinds.CEILING, {"min": 1}),
        (kinds.CEILING, -1),
        (kinds.choice("a", "b"), "c"),
        (kinds.choice("a", "b"), ["a"]),
        (kinds.at_least(100), 99),
        (kinds.TABLE, 1),
        (kinds.TABLES, "x"),
    ],
)
def test_refused_with_the_place_and_what_goes(kind: Kind, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        values({"key": value}, {"key": kind}, "gate.toml: check 2")
    assert caught.value.message.startswith("gate.toml: check 2: key: ")
    assert caught.value.hint == f"write {kind.words}"


def test_unknown_keys_are_refused_with_the_nearest() -> None:
    known = {"metric": kinds.TEXT, "min_support": kinds.COUNT}
    with pytest.raises(InputError, match=r"no key 'min_suport' \(did you mean min_support\?\)"):
        values({"min_suport": 1}, known, "gate.toml")
    with pytest.raises(InputError, match="there are metric, min_support"):
        values({"zzz": 1}, known, "gate.toml")
