"""Answers below boxes and masks are counted wherever objects are read, and nothing is said where there are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli import main
from qm_cli.load_dataset import load_tables
from qm_cli.unread_answers import unread_answers, unread_in
from tests.input_files import codes, document, label, prediction, write

BELOW = [{"name": "colour", "answer": {"name": "red", "classifications": []}}]
LABELS = document(labels=[label(7, classifications=BELOW), label(8, classifications=[]), label(9, image_id=2)])
PREDICTIONS = [prediction(), prediction(classifications=BELOW), prediction(classifications=None)]
TOLD = {"label-unread-answers": 1, "prediction-unread-answers": 1}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "l.json", LABELS), write(tmp_path / "p.json", PREDICTIONS)


def test_only_objects_with_answers_are_counted() -> None:
    assert unread_answers(json.dumps(LABELS).encode()) == ["7"]
    assert unread_answers(json.dumps(PREDICTIONS).encode()) == ["1"]


def test_findings_name_the_objects(files: tuple[Path, Path]) -> None:
    found = [(one.code, one.count, one.examples) for one in load_tables(*files).findings if "unread" in one.code]
    assert found == [("label-unread-answers", 1, ("7",)), ("prediction-unread-answers", 1, ("1",))]


@pytest.mark.parametrize("alike", [True, False])
def test_predictions_that_all_have_them(tmp_path: Path, alike: bool) -> None:
    rows = [prediction(classifications=BELOW), prediction(classifications=BELOW, **({} if alike else {"id": "x"}))]
    tables = load_tables(write(tmp_path / "l.json", document()), write(tmp_path / "p.json", rows))
    assert codes(tables)["prediction-unread-answers"] == 2


def test_packed_files_and_documents_of_predictions(tmp_path: Path) -> None:
    packed = write(tmp_path / "l.json.gz", gzip.compress(json.dumps(LABELS).encode()))
    wrapped = write(tmp_path / "p.json", {"predictions": PREDICTIONS})
    assert TOLD.items() <= codes(load_tables(packed, wrapped)).items()


def test_predictions_that_serve_as_labels(files: tuple[Path, Path]) -> None:
    assert TOLD.items() <= codes(load_tables(files[1], files[1])).items()


@pytest.mark.parametrize("content", ["", "[", '{"annotations": 3, "classifications": 1}', b'"classifications"\xff'])
def test_what_is_no_such_file_says_nothing(tmp_path: Path, content: Any) -> None:
    assert unread_in(write(tmp_path / "l.json", content)) == []


def test_ids_that_are_text(tmp_path: Path) -> None:
    rows = [label("a b", classifications=BELOW)]
    assert unread_in(write(tmp_path / "l.json", document(labels=rows))) == ["a b"]


def test_every_reader_of_objects_tells(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert TOLD.items() <= codes(load_tables(*files)).items()
    places = list(map(str, files))
    assert main.run(["check", *places, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = {one["code"]: one["count"] for rows in report["findings"].values() for one in rows}
    assert found == TOLD
    assert [one["code"] for one in report["findings"]["p"]] == ["prediction-unread-answers"]
    for command in (["evaluate", *places, "--json"], ["gate", *places, "--min", "AP=0", "--json"]):
        assert main.run(command) == 0
        notes = json.loads(capsys.readouterr().out)["notes"]
        assert sum("unread-answers: 1 × " in note for note in notes) == 2


def test_answers_of_whole_images_are_read_and_not_counted(tmp_path: Path) -> None:
    row = {"name": "sky", "answer": {"name": "rain", "classifications": BELOW}, "dataRow": {"globalKey": "a.jpg"}}
    labels = write(tmp_path / "l.ndjson", f"{json.dumps(row)}\n{json.dumps(row)}\n")
    tables = load_tables(labels, None)
    assert tables.count("label") and not any("unread" in code for code in codes(tables))
