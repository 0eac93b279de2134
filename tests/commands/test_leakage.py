"""qm leakage from the shell: a table, an object, ids for a pipe."""

import json
from pathlib import Path

import pytest

from qm_cli import main
from tests.photo_sets import photo_set


def test_table_json_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, validation = photo_set(tmp_path / "a", 4), photo_set(tmp_path / "b", 4)
    assert main.run(["leakage", str(train), str(validation), "-q"]) == 0
    assert "4 of 4 images (100.0 %)" in capsys.readouterr().out
    assert main.run(["leakage", str(train), str(validation), "-q", "--json"]) == 0
    assert [row["kind"] for row in json.loads(capsys.readouterr().out)["images"]] == ["exact"] * 4
    assert main.run(["leakage", str(train), str(validation), "-q", "--lines"]) == 0
    assert capsys.readouterr().out == "0\n1\n2\n3\n"
