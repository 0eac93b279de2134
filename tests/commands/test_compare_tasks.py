"""qm compare from the shell for every task of objects and under every convention."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli import main
from tests.input_files import write

Captured = pytest.CaptureFixture[str]
FEW = ["--resamples", "100"]


def _keypoints(x: float, y: float) -> dict[str, Any]:
    points = [value for n in range(17) for value in (x + n % 4 * 5, y + n // 4 * 5, 2)]
    return {"keypoints": points}


def _square(x: float, y: float) -> dict[str, Any]:
    return {"segmentation": [[x, y, x + 20, y, x + 20, y + 20, x, y + 20]]}


SHAPES: dict[str, Callable[[float, float], dict[str, Any]]] = {
    "bbox": lambda x, y: {"bbox": [x, y, 20, 20]},
    "segm": _square,
    "keypoints": _keypoints,
    "obb": lambda x, y: {"rotated_box": [x, y, 20, 10, 30]},
    "polyline": lambda x, y: {"polyline": [x, y, x + 30, y + 5]},
    "point": lambda x, y: {"point": [x, y]},
}


def _files(folder: Path, task: str) -> list[str]:
    """20 images of two labels. A finds the first of each, B both; both find the same nothing far away, B one more."""
    shape, random = SHAPES[task], np.random.default_rng(0)
    images = [{"id": n, "width": 2000, "height": 2000, "neg_category_ids": [1, 2], "not_exhaustive_category_ids": []}
              for n in range(20)]  # fmt: skip
    labels, first, second = [], [], []
    for n in range(20):
        for place in (0, 1):
            x, y = 100.0 + 600 * place, 100.0
            box = (
                {"bbox": [x, y, 20.0, 20.0], "area": 400.0, "num_keypoints": 17}
                if task in ("segm", "keypoints")
                else {}
            )
            labels.append(
                {"id": 2 * n + place, "image_id": n, "category_id": 1 + place, "iscrowd": 0, **box, **shape(x, y)}
            )
            row = {
                "image_id": n,
                "category_id": 1 + place,
                "score": 0.5 + float(random.random()) / 2,
                **shape(x + 1, y),
            }
            second.append(row)
            first += [row] if place == 0 else []
        nothing = {"image_id": n, "category_id": 1, "score": 0.55}
        first.append({**nothing, **shape(1500.0, 1500.0)})
        second.append({**nothing, **shape(1501.0, 1500.0)})
        second.append({**nothing, **shape(100.0, 1500.0)})
    categories = [{"id": n, "name": f"c{n}", "frequency": "f"} for n in (1, 2)]
    document = {"images": images, "annotations": labels, "categories": categories}
    contents = {"l": document, "a": first, "b": second}
    return [str(write(folder / f"{name}.json", content)) for name, content in contents.items()]


@pytest.mark.parametrize("task", SHAPES)
def test_every_task(task: str, tmp_path: Path, capsys: Captured) -> None:
    files = _files(tmp_path, task)
    assert main.run(["compare", *files, *FEW, "--json"]) == 0, capsys.readouterr().err
    report = json.loads(capsys.readouterr().out)
    assert report["task"] == task
    assert report["changes"]["labels"]["total"] == {"still_found": 20, "fixed": 20, "broken": 0, "still_missed": 0}
    detections = {"kept": 60, "flipped_category": 0, "new_false_positive": 20, "gone_false_positive": 0}
    assert report["changes"]["detections"]["total"] == detections
    metrics = {row["metric"]: row for row in report["metrics"]}
    assert (metrics["recall"]["a"], metrics["recall"]["b"]) == (0.5, 1.0)
    assert main.run(["compare", *files, *FEW]) == 0
    assert "20 images" in capsys.readouterr().out


@pytest.mark.parametrize("convention", ["voc07", "voc12", "encord", "ultralytics", "lvis", "labelbox", "labelbox-sdk"])
def test_every_convention(convention: str, tmp_path: Path, capsys: Captured) -> None:
    files = _files(tmp_path, "bbox")
    assert main.run(["compare", *files, *FEW, "--convention", convention, "--json"]) == 0, capsys.readouterr().err
    report = json.loads(capsys.readouterr().out)
    metrics = {row["metric"]: row for row in report["metrics"]}
    assert (report["convention"], metrics["recall"]["difference"]) == (convention, 0.5)
    for side, path in zip("ab", files[1:], strict=True):
        assert main.run(["evaluate", files[0], path, "--convention", convention, "--json"]) == 0
        own = json.loads(capsys.readouterr().out)["metrics"]
        shared = [name for name in metrics if name in own]
        assert len(shared) >= 3
        for name in shared:
            assert metrics[name][side] == (None if own[name] is None else pytest.approx(own[name], abs=1e-12))
    assert any("no average precision" in note for note in report["notes"]) == convention.startswith("labelbox")
    assert main.run(["compare", *files, *FEW, "--convention", convention]) == 0
    assert f"convention {convention}" in capsys.readouterr().out


def test_a_convention_of_classes_is_none_of_objects(tmp_path: Path, capsys: Captured) -> None:
    assert main.run(["compare", *_files(tmp_path, "bbox"), *FEW, "--convention", "sklearn"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main.run(["compare", *_files(tmp_path, "keypoints"), *FEW, "--convention", "voc12"]) == 2
    assert "does not compare keypoints" in capsys.readouterr().err
    assert main.run(["compare", *_files(tmp_path, "bbox"), *FEW, "--convention", "voc12", "--slice", "score < 1"]) == 2
    assert "voc12 compares on whole images" in capsys.readouterr().err


def test_keypoints_have_no_iou(tmp_path: Path, capsys: Captured) -> None:
    """What the screen says of their similarity is called so by every command."""
    labels, first, second = _files(tmp_path, "keypoints")
    run = str(tmp_path / "run")
    assert main.run(["score", "--labels", labels, "--predictions", first, "-o", run, str(tmp_path)]) == 0
    shown = [capsys.readouterr().out]
    asked = ["--grid", "--at", "iou=0.6", "--thresholds", "f1", "--errors", "--calibration"]
    for arguments in (
        ["evaluate", labels, first],
        ["evaluate", labels, first, *asked],
        ["compare", labels, first, second, *FEW],
        ["slices", run, "--slice", "id < 5", *FEW],
        ["gate", run, "--min", "precision=0"],
    ):
        assert main.run(arguments) == 0, arguments
        shown.append(capsys.readouterr().out)
    for text in shown:
        assert "OKS 0.5" in text
        assert "IoU" not in text
