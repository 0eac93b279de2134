"""The table says what the data says."""

import pytest

from qm_cli.render.terminal_leakage import show_leakage


def test_all_parts(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"id": 3, "file_name": None, "train_id": 4, "train_file_name": "x.png", "bits": 2, "recording": None}
    numbers = {"images": 25, "AP": 0.5, "AP50": None, "precision": 0.25, "recall": 0.125, "f1": 0.75}
    report = {
        "train": {"target": "a", "images": 10},
        "validation": {"target": "b", "images": 25},
        "leaked": 25,
        "share": 1.0,
        "counts": {"exact": 0, "near": 25, "recording": 0},
        "images": [{**row, "kind": "near"}] * 25,
        "evaluation": {"all": numbers, "without_leaked": numbers},
        "notes": ["b: one"],
    }
    show_leakage(report)
    shown = capsys.readouterr().out
    for text in ("25 of 25 images (100.0 %) of b are in a too", "… and 5 more", "x.png", "without leaked", "b: one"):
        assert text in shown
