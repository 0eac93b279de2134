"""Which files a check looks at, and that findings stand with the file they are about."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from qm_cli import dataset
from qm_cli.dataset import DatasetFiles
from qm_cli.errors import UsageError
from qm_cli.soundness import check_files, files_to_check
from tests.input_files import document, prediction, write

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
    with pytest.raises(UsageError, match="the folder holds"):
        check_files(files_to_check(SAMPLE, None, [], None), SAMPLE / "predictions")
    again = check_files(files_to_check(tmp_path / "mended", None, [], None))
    assert again["counts"]["error"] == 0
    assert "label-outside-image" not in json.dumps(again["findings"])


def test_a_mended_folder_is_checked_as_far_as_its_original(tmp_path: Path) -> None:
    """Labels checked without images do not miss them in the mended folder; those of a folder are looked for again."""
    files = files_to_check(SAMPLE / "labels.json", None, [BETTER], None)
    first = check_files(files, tmp_path / "alone")
    again = check_files(files_to_check(tmp_path / "alone", None, [], None))
    assert (first["images"], again["images"]) == (None, None)
    gone = {"label-outside-image"}
    codes = [{one["code"] for group in report["findings"].values() for one in group} for report in (first, again)]
    assert codes[0] - gone == codes[1]
    write(tmp_path / "set" / "labels.json", (SAMPLE / "labels.json").read_text())
    first = check_files(files_to_check(tmp_path / "set", None, [], None), tmp_path / "mended")
    again = check_files(files_to_check(tmp_path / "mended", None, [], None))
    missing = [next(one for one in report["findings"]["data"] if "missing" in one["code"]) for report in (first, again)]
    assert missing[0]["count"] == missing[1]["count"] == 96


def test_the_order_of_probabilities_goes_along(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "set", ignore=shutil.ignore_patterns("*.py", "qm-run*", "__pycache__"))
    names = [one["name"] for one in json.loads((tmp_path / "set" / "labels.json").read_text())["categories"]]
    write(tmp_path / "set" / "qm.toml", f"prob_categories = {json.dumps(names)}")
    check_files(files_to_check(tmp_path / "set", None, [], None), tmp_path / "mended")
    assert dataset.find(tmp_path / "mended").prob_categories == tuple(names)


def test_what_is_about_a_prediction_file_stands_with_it(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document())
    rows = [prediction(image_id="1", bbox=[0.1, 0.1, 0.5, 0.5]), prediction(image_id="2", bbox=[0.2, 0.1, 0.5, 0.5])]
    report = check_files(files_to_check(labels, None, [write(tmp_path / "p.json", rows)], None))
    codes = {name: {one["code"] for one in found} for name, found in report["findings"].items()}
    assert codes == {"data": set(), "p": {"boxes-normalised", "ids-differ-in-type"}}
    assert report["rows"] == {"image": 2, "category": 2, "label": 2, "prediction": 2}


def test_answers_given_twice_are_found(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,category\n1,a\n2,b\n")
    predictions = write(tmp_path / "p.csv", "id,category,score\n1,a,.5\n1,a,.25\n2,b,.5\n")
    report = check_files(files_to_check(labels, None, [predictions], None))
    assert [found["code"] for found in report["findings"]["p"]] == ["prediction-duplicate-answer"]


def test_classes_without_images_miss_none(tmp_path: Path) -> None:
    """Names of image files in a table do not say that the images are here; those that are here are looked at."""
    folder = tmp_path / "set"
    write(folder / "labels.csv", "id,category\n1.jpg,a\n2.jpg,b\nthree,b\n")
    write(folder / "predictions" / "m.csv", "id,category,score\n1.jpg,a,.5\n2.jpg,a,.25\nthree,b,.5\n")
    report = check_files(files_to_check(folder, None, [], None))
    told = {one["code"]: (one["severity"], one["count"]) for one in report["findings"]["data"]}
    assert told["image-without-folder"] == ("info", 2)
    assert (report["counts"]["error"], "image-missing-file" in told) == (0, False)
    (tmp_path / "elsewhere").mkdir()
    named = check_files(files_to_check(folder, None, [], tmp_path / "elsewhere"))
    shutil.copy(next((SAMPLE / "images").glob("*.jpg")), folder / "1.jpg")
    for missed, report in ((2, named), (1, check_files(files_to_check(folder, None, [], None)))):
        told = {one["code"]: one["count"] for one in report["findings"]["data"]}
        assert told["image-missing-file"] == missed
        assert "image-without-folder" not in told
