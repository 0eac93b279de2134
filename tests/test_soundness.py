"""Which files a check looks at, and that findings stand with the file they are about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.dataset import DatasetFiles
from qm_cli.errors import UsageError
from qm_cli.soundness import check_files, files_to_check

SAMPLE = Path(__file__).parents[1] / "sample_data"
LABELS, BETTER = SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json"


def test_folder_or_files() -> None:
    assert set(files_to_check(SAMPLE, None, [], None).predictions) == {"better", "worse"}
    files = files_to_check(LABELS, None, [BETTER], None)
    assert (files.labels, files.predictions, files.images) == (LABELS, {"better": BETTER}, None)
    with pytest.raises(UsageError, match="both label files"):
        files_to_check(LABELS, LABELS, [], None)


def test_label_findings_stand_once_whatever_the_models() -> None:
    report = check_files(files_to_check(SAMPLE, None, [], None))
    codes = [finding["code"] for finding in report["findings"]["data"]]
    assert sorted(codes) == sorted(set(codes))
    assert report["counts"] == {"error": 0, "warning": 1, "info": 1}
    assert report["mended"] == []


def test_mending_needs_labels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--fix"):
        check_files(DatasetFiles(SAMPLE, None, {"better": BETTER}, None), tmp_path / "x")


def test_mended_folder_points_to_the_images(tmp_path: Path) -> None:
    report = check_files(files_to_check(SAMPLE, None, [], None), tmp_path / "mended")
    assert {entry["code"] for entry in report["mended"]} == {"label-outside-image"}
    again = check_files(files_to_check(tmp_path / "mended", None, [], None))
    assert again["counts"]["error"] == 0
    assert "label-outside-image" not in json.dumps(again["findings"])
