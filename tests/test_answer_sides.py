"""Sides that cannot be compared are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.answer_sides import Asked, sides_of_files, sides_of_runs
from qm_cli.answer_writing import text_to_folder
from qm_cli.dataset import DatasetFiles
from qm_cli.errors import InputError
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.settings import Settings
from tests.input_files import write


def scored(folder: Path, labels: str, predictions: str = "id,category,score\n1,a,.5\n2,b,.5\n") -> tuple[Run, str]:
    folder.mkdir()
    write(folder / "labels.csv", labels)
    write(folder / "predictions.csv", predictions)
    return open_run(score(folder).path), "predictions"


def test_runs_of_other_labels(tmp_path: Path) -> None:
    one = scored(tmp_path / "one", "id,category\n1,a\n2,b\n")
    same, other = (
        scored(tmp_path / "same", "id,category\n1,a\n2,b\n"),
        scored(tmp_path / "other", "id,category\n1,b\n2,b\n"),
    )
    fewer = scored(tmp_path / "fewer", "id,category\n1,a\n")
    a, b = sides_of_runs([one, same], Asked())
    assert (a.name, b.answers.rows) == ("predictions", 2)
    with pytest.raises(InputError, match="not of the same labels"):
        sides_of_runs([one, other], Asked())
    with pytest.raises(InputError, match="not of the same data rows: 2 and 1"):
        sides_of_runs([one, fewer], Asked())


def test_a_run_of_text_holds_results_alone(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,answer\n1,yes\n")
    files = DatasetFiles(tmp_path, labels, {"p": labels}, None)
    text_to_folder(files, tmp_path / "run", Settings(), {})
    with pytest.raises(InputError, match="holds the results of answers"):
        sides_of_runs([(open_run(tmp_path / "run"), "p")] * 2, Asked())


def test_models_are_called_as_their_files(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,category\n1,a\n")
    a, b = sides_of_files(labels, (write(tmp_path / "old.v1.csv", "id,category\n1,a\n"), labels), Asked(), {})
    assert (a.name, b.name) == ("old.v1", "l")
