"""The planted label errors lead the queue of sample_data, each with the right suggestion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.load import load_tables
from qm_cli.report import report_of
from qm_cli.reviewing import review_queue, write_patch
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.settings import Settings

SAMPLE = Path(__file__).parent.parent / "sample_data"
FAULTS = {fault["fault"]: fault for fault in json.loads((SAMPLE / "planted.json").read_text("utf-8"))["faults"]}
CATEGORIES = {row["id"]: row["name"] for row in json.loads((SAMPLE / "labels.json").read_text())["categories"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", metrics=("image.area",)).path


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return open_run(place, "better")


def iou(one: list[float], other: list[float]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    inter = max(width, 0) * max(height, 0)
    return inter / (one[2] * one[3] + other[2] * other[3] - inter)


def test_planted_errors_lead_the_queue(run: Run) -> None:
    """All of them come before anything else, however little suspicion is asked for."""
    queue = review_queue(run, least=0.05, top=None).report["queue"]
    planted = {("overlooked", key) for key in FAULTS["missing_label"]["ids"]}
    planted |= {("wrong category", key) for key in FAULTS["wrong_category"]["ids"]}
    planted |= {("badly located", key) for key in FAULTS["shifted_box"]["ids"]}
    planted |= {("labelled twice", key) for key in FAULTS["duplicate_label"]["copies"]}
    named = [(row["reason"], row["prediction_id" if row["reason"] == "overlooked" else "label_id"]) for row in queue]
    assert set(named[: len(planted)]) == planted
    assert len(named) > len(planted)


def test_suggestions_are_what_was_true(run: Run) -> None:
    rows: dict[str, dict[Any, dict[str, Any]]] = {}
    for row in review_queue(run).report["queue"]:
        rows.setdefault(row["reason"], {})[row["prediction_id" if row["label_id"] is None else "label_id"]] = row
    fault = FAULTS["wrong_category"]
    for key, category in zip(fault["ids"], fault["true_category_ids"], strict=True):
        assert rows["wrong category"][key]["suggested_category"] == CATEGORIES[category]
    fault = FAULTS["shifted_box"]
    for key, box in zip(fault["ids"], fault["true_boxes"], strict=True):
        assert iou(rows["badly located"][key]["suggested_bbox"], box) > 0.85
    fault = FAULTS["missing_label"]
    for key, image, box, category in zip(
        *(fault[n] for n in ("ids", "image_ids", "boxes", "category_ids")), strict=True
    ):
        row = rows["overlooked"][key]
        assert (row["image_id"], row["suggested_category"]) == (image, CATEGORIES[category])
        assert iou(row["suggested_bbox"], box) > 0.8
    assert all(row["delta_AP"] > 0 for reason in rows.values() for row in reason.values())


def test_where_may_ask_about_the_queue_and_the_images(run: Run) -> None:
    every = review_queue(run).report
    some = review_queue(run, where="reason = 'overlooked' AND weather = 'fog' AND score > 0.9").report
    assert 0 < some["found"] < every["reasons"]["overlooked"]
    assert some["reasons"]["wrong category"] == 0
    assert [row for row in every["queue"] if row in some["queue"]] == some["queue"]


def test_top_cuts_and_tells_how_many_there_are(run: Run) -> None:
    report = review_queue(run, top=3).report
    assert (len(report["queue"]), report["found"]) == (3, 22)


def test_patch_raises_ap_and_leaves_the_original_alone(run: Run, tmp_path: Path) -> None:
    before = (SAMPLE / "labels.json").read_bytes()
    queue = review_queue(run)
    done = write_patch(run, queue, None, tmp_path / "patched.json")
    assert (SAMPLE / "labels.json").read_bytes() == before
    assert (done["accepted"], done["add label"], done["remove label"]) == (22, 6, 4)
    predictions = SAMPLE / "predictions" / "better.json"
    after = report_of(load_tables(tmp_path / "patched.json", predictions), Settings())["metrics"]["AP"]
    assert after > queue.report["AP"] + 0.03
    one = queue.report["queue"][0]
    write_patch(run, queue, [one["id"]], tmp_path / "one.json")
    alone = report_of(load_tables(tmp_path / "one.json", predictions), Settings())["metrics"]["AP"]
    assert alone - queue.report["AP"] == pytest.approx(one["delta_AP"], abs=1e-12)


def test_refusals(place: Path, run: Run, tmp_path: Path) -> None:
    queue = review_queue(run, top=3)
    with pytest.raises(UsageError, match="not in the queue"):
        write_patch(run, queue, ["overlooked:0"], tmp_path / "patched.json")
    with pytest.raises(UsageError, match="the label file itself"):
        write_patch(run, queue, None, SAMPLE / "labels.json")
    with pytest.raises(UsageError, match="better, worse"):
        review_queue(open_run(place))
    assert list(tmp_path.iterdir()) == []


def test_labels_that_have_changed_are_refused(tmp_path: Path) -> None:
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text((SAMPLE / "labels.json").read_text())
    predictions.write_text((SAMPLE / "predictions" / "better.json").read_text())
    run = score(tmp_path, metrics=("label.area_absolute",), labels=labels, predictions=(predictions,))
    queue = review_queue(run, top=1)
    labels.write_text(labels.read_text() + " ")
    with pytest.raises(InputError, match="has changed since the run"):
        write_patch(run, queue, None, tmp_path / "patched.json")
    labels.unlink()
    with pytest.raises(InputError, match="not there any more"):
        write_patch(run, queue, None, tmp_path / "patched.json")


def test_what_is_no_run_of_boxes_is_refused(tmp_path: Path) -> None:
    """Suggestions are boxes: of masks and keypoints the label file would be left without them."""
    outline = [[10, 10, 50, 10, 50, 50, 10, 50]]
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "segmentation": outline}
    labels = {"images": [{"id": 1, "width": 99, "height": 99}], "categories": [{"id": 1, "name": "a"}]}
    (tmp_path / "labels.json").write_text(json.dumps({**labels, "annotations": [box]}))
    found = {"image_id": 1, "category_id": 1, "score": 0.9, "segmentation": outline}
    (tmp_path / "predictions.json").write_text(json.dumps([found]))
    run = open_run(score(tmp_path, tmp_path / "run").path)
    with pytest.raises(InputError, match="is of task segm, a review suggests boxes"):
        review_queue(run)
