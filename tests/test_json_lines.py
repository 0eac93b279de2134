"""JSON lines are told from one document, and joined to the list they are; what no line ends is no seam."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.json_lines import as_list, first_object, starts_a_second
from tests.input_files import write

VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ROWS = st.lists(st.dictionaries(st.text(), VALUES), min_size=1, max_size=6)


@given(ROWS, st.sampled_from(["\n", "\r\n", "\n\n", " \n\t"]), st.booleans())
def test_rows_come_back(rows: list[dict[str, Any]], end: str, ascii_alone: bool) -> None:
    content = end.join(json.dumps(row, ensure_ascii=ascii_alone) for row in rows).encode() + end.encode()
    assert json.loads(as_list(content)) == rows


@given(ROWS)
def test_pretty_printed_objects_may_follow_each_other(rows: list[dict[str, Any]]) -> None:
    assert json.loads(as_list("\n".join(json.dumps(row, indent=1) for row in rows).encode())) == rows


@pytest.mark.parametrize(
    "content", ['{"a": 1}\n5', '{"a": 1\n"b": 2}', '{"a": 1},\n{"b": 2},', '{"a": 1} {"b": 2}', '{"a"']
)
def test_what_is_no_object_a_line_stays_broken(content: str) -> None:
    with pytest.raises(ValueError, match="line"):
        json.loads(as_list(content.encode()))


@pytest.mark.parametrize(
    ("content", "second", "first"),
    [
        ('{"a": 1}\n{"a": 2}\n', True, {"a": 1}),
        ('\ufeff{"a": 1}\n', False, {"a": 1}),
        ('\n\n{"a": 1}', False, {"a": 1}),
        ('{"a": {}\n}', False, {}),
        ("[1]\n{}", False, {}),
        ("", False, {}),
        ("[" * 10**5, False, {}),
    ],
)
def test_the_beginning(tmp_path: Path, content: str, second: bool, first: dict[str, Any]) -> None:
    path = write(tmp_path / "p", content)
    assert (starts_a_second(path), first_object(path)) == (second, first)
