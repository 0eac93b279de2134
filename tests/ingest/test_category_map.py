"""A mapping file as JSON or CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import category_map
from tests.input_files import write


@pytest.mark.parametrize(
    "content", ['{"0": 1, "1": "dog"}', "0,1\n1,dog\n", "prediction_id,label\n0, 1\n\n1,dog", '[[0, 1], ["1", "dog"]]']
)
def test_read(tmp_path: Path, content: str) -> None:
    assert category_map.read(write(tmp_path / "map", content)) == {"0": "1", "1": "dog"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the mapping is empty"),
        ("{", "not valid JSON"),
        ('{"0": [1]}', "expected ids and names, got"),
        ("[3]", "expected ids and names, got"),
        ('{"0": 1, "0": 2}', "'0' is mapped twice"),
        ("0,1,2", "line 1: expected 2 values, got 3"),
        (b"\xff\xfe0", "not UTF-8 text"),
    ],
    ids=["empty", "cut off", "list", "number", "twice", "three", "bytes"],
)
def test_refused(tmp_path: Path, content: str | bytes, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        category_map.read(write(tmp_path / "map", content))
    with pytest.raises(InputError, match="cannot be read"):
        category_map.read(tmp_path / "none")
