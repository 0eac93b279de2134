"""Reading that has begun gives what reading afresh does, and stands aside where it cannot."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from qm_cli import json_lists
from qm_cli.errors import InputError
from qm_cli.ingest import predictions_json

ROWS = [{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4.5], "score": number / 7} for number in range(5)]
MASK = {"image_id": 1, "category_id": 2, "segmentation": {"size": [2, 2], "counts": "04"}, "score": 0.5}


def file_of(folder: Path, content: str) -> Path:
    path = folder / "p.json"
    path.write_text(content)
    return path


def test_begun_gives_the_same_columns(tmp_path: Path) -> None:
    path = file_of(tmp_path, json.dumps(ROWS))
    ahead = json_lists.begun(path, None)
    assert ahead is not None
    fresh, found = predictions_json.read(path, False), predictions_json.read(path, False, ahead=ahead)
    assert {name: column.to_pylist() for name, column in found.columns.items()} == {
        name: column.to_pylist() for name, column in fresh.columns.items()
    }
    assert ahead.table.done()


def test_another_question_is_read_afresh(tmp_path: Path) -> None:
    path = file_of(tmp_path, json.dumps([{**MASK, "bbox": [0, 0, 1, 1]}]))
    ahead = json_lists.begun(path, "bbox")
    found = predictions_json.read(path, False, fields=("segmentation",), ahead=ahead)
    assert found.columns["shape"].to_pylist() == [MASK["segmentation"]]


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1]", '{"a": 1}', '[{"image_id": 1}]', "PAR1", "[{"])
def test_what_is_no_list_of_predictions_is_not_begun(tmp_path: Path, content: str) -> None:
    assert json_lists.begun(file_of(tmp_path, content), None) is None


def test_what_is_no_plain_file_is_not_begun(tmp_path: Path) -> None:
    packed = tmp_path / "p.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(ROWS).encode()))
    for path in (packed, tmp_path, tmp_path / "nowhere.json", Path("-")):
        assert json_lists.begun(path, None) is None
    assert json_lists.begun(file_of(tmp_path, json.dumps(ROWS)), "classification") is None


def test_a_folder_may_be_called_by_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "~").mkdir()
    file_of(tmp_path / "~", json.dumps(ROWS))
    monkeypatch.chdir(tmp_path)
    assert predictions_json.read(Path("~/p.json"), False).count == len(ROWS)


def test_a_broken_file_is_told_as_if_it_had_not_been_begun(tmp_path: Path) -> None:
    path = file_of(tmp_path, json.dumps(ROWS)[:-1] + ", {]")
    ahead = json_lists.begun(path, None)
    assert ahead is not None
    with pytest.raises(InputError) as fresh:
        predictions_json.read(path, False)
    with pytest.raises(InputError) as found:
        predictions_json.read(path, False, ahead=ahead)
    assert str(found.value) == str(fresh.value)


def test_nothing_heavy_is_imported_for_it() -> None:
    code = "import sys, qm_cli.json_lists; print({'numpy', 'pyarrow', 'duckdb', 'msgspec'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
