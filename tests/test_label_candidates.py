"""Files that may be labels: where they are looked for, and by what they are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.label_candidates import json_files, names_annotations
from tests.input_files import write


def test_where_files_are_looked_for(tmp_path: Path) -> None:
    names = [
        "b.json",
        "a.JSON",
        "c.txt",
        ".d.json",
        "train/e.json",
        "images/f.json",
        ".cache/g.json",
        "train/deep/h.json",
    ]
    for name in names:
        write(tmp_path / name, "{}")
    found = [str(path.relative_to(tmp_path)) for path in json_files(tmp_path, ("images",))]
    assert found == ["a.JSON", "b.json", "train/e.json"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", False), (b"{}", False), (b'{"annotations": []}', True), (b" " * 100_000 + b'"annotations"', True)],
)
def test_by_what_they_are_known(tmp_path: Path, content: bytes, expected: bool) -> None:
    assert names_annotations(write(tmp_path / "file.json", content)) is expected


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert not names_annotations(tmp_path / "none.json")
