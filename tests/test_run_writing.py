"""The manifest says what went in: size and hash of every input, nothing for what is no file; memory is given back."""

from __future__ import annotations

import gc
import hashlib
import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from qm_cli import __version__, run_folder
from qm_cli.insights import insights
from qm_cli.request import Request
from qm_cli.run import score_to_folder, scored_parts
from qm_cli.run_writing import write_run

SAMPLE = Path(__file__).parents[1] / "sample_data"
BETTER = SAMPLE / "predictions" / "better.json"


def test_inputs_are_named_with_size_and_hash(tmp_path: Path) -> None:
    request = Request(SAMPLE, predictions=(BETTER,), limit=2, metrics=("image.area",), seed=5)
    place, summary = score_to_folder(request, tmp_path / "run")
    manifest = run_folder.open_run(place).manifest
    entry = manifest["inputs"]["predictions better"]
    content = BETTER.read_bytes()
    assert (entry["path"], entry["bytes"]) == (str(BETTER), len(content))
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["qm"] == __version__
    assert manifest["seed"] == 5
    assert manifest["seconds"] > 0
    assert json.loads((place / "summary.json").read_text()) == summary


def test_rows_left_out_are_counted(tmp_path: Path) -> None:
    rows = json.loads(BETTER.read_text())
    (tmp_path / "p.json").write_text(json.dumps([*rows, {**rows[0], "image_id": 424242}]))
    request = Request(SAMPLE, predictions=(tmp_path / "p.json",), metrics=("image.area",))
    place, _ = score_to_folder(request, tmp_path / "run")
    assert run_folder.open_run(place).manifest["left_out"] == {"prediction-unknown-image": 1}


def test_vectors_are_let_go_once_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of images, labels and predictions, whoever had a view of them, before importances are computed."""
    request = Request(SAMPLE, predictions=(BETTER,), limit=4)
    parts = scored_parts(request, request.files())
    vectors = parts.data.scores.vectors
    assert {level for level, _ in vectors} >= {"image", "label"}
    owners = [weakref.ref(array if array.base is None else array.base) for array in vectors.values()]
    held: list[int] = []

    def watched(*given: Any) -> dict[str, Any]:
        gc.collect()
        held.append(sum(owner() is not None for owner in owners))
        return insights(*given)

    monkeypatch.setattr("qm_cli.run_writing.insights", watched)
    del vectors
    write_run(tmp_path / "run", parts, request.files(), request.settings, 0, 0.0)
    assert held == [0]
    assert run_folder.open_run(tmp_path / "run").table("embedding").num_rows == 4
