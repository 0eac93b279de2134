"""The manifest says what went in: size and hash of every input, nothing for what is no file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from qm_cli import __version__, run_folder
from qm_cli.request import Request
from qm_cli.run import score_to_folder

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
