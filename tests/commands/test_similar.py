"""qm similar from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.main import run
from qm_cli.run import score
from tests.pictures import write_pictures

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_pictures(tmp_path_factory.mktemp("pictures") / "set")
    return str(score(folder, metrics=("image.embedding",)).path)


def test_table_and_json(place: str, tmp_path: Path, capsys: Captured) -> None:
    assert run(["similar", place, "--to", "10", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "images most like 10, by descriptor; distance: 1 − cosine, 0 is alike"
    assert lines[2].split() == ["1", "14", "14.png", "0.00000"]
    assert run(["similar", place, "--to", "10", "--top", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [item["id"] for item in report["items"]] == [14, 15]
    assert run(["similar", place, "--to", "10", "--top", "2", "-o", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == report


def test_refusals(place: str, capsys: Captured) -> None:
    assert run(["similar", place, "--to", "nobody"]) == 2
    assert "neither one of the run's images nor a file" in capsys.readouterr().err
    assert run(["similar", place, "--to", "3", "--level", "label"]) == 2
    assert "holds no embeddings of labels" in capsys.readouterr().err
