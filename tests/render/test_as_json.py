"""JSON text: parses back to the same data, and never holds what JSON does not know."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.render.as_json import as_json

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
DATA = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=10)


@given(DATA)
@settings(deadline=None)
def test_back_from_text(data: Any) -> None:
    text = as_json(data)
    assert text.endswith("\n")
    assert json.loads(text) == data


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(odd: float) -> None:
    for data in (odd, [0.5, odd], {"metrics": {"AP": odd}}):
        with pytest.raises(ValueError, match="not JSON compliant"):
            as_json(data)


def test_names_are_written_as_they_are() -> None:
    assert as_json({"name": "naïve 猫", "AP": None}) == '{\n  "name": "naïve 猫",\n  "AP": null\n}\n'


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"a": [], "b": {}},
        {"ü": [1e-300, 2**70, None, True, 'a "b", {c}: [d]\\\n😀']},
        3,
    ],
)
def test_text_is_what_the_standard_library_writes(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.render.as_json.LONG", 0)
    assert as_json(data) == json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@pytest.mark.parametrize("long", [0, 1 << 16])
def test_a_name_that_is_no_text_is_escaped(long: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.render.as_json.LONG", long)
    assert as_json({"path": "p\udcff.json ü"}) == '{\n  "path": "p\\udcff.json ü"\n}\n'
