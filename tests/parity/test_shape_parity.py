"""pycocotools' numbers for masks and keypoints: whole precision and recall arrays, on random sets and on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli.analysis.average_precision import average_precision
from qm_cli.load import load_tables
from qm_cli.matching import match_tables
from qm_cli.report import report_of
from qm_cli.settings import Settings
from tests.builders import write
from tests.oracles.pycocotools_reference import with_pycocotools
from tests.shape_sets import keypoint_set, mask_set

SHARED = Path(__file__).parents[3] / "shared" / "data"
REAL = SHARED / "cocoapi_val2014_first100"
TINY = SHARED / "tiny_coco"
PUBLISHED = {
    **{"AP": 0.31955, "AP50": 0.56229, "AP75": 0.29893, "APs": 0.38737, "APm": 0.31018, "APl": 0.32693},
    **{"AR1": 0.26823, "AR10": 0.41545, "AR100": 0.41684, "ARs": 0.46945, "ARm": 0.37676, "ARl": 0.38147},
}


def assert_same(folder: Path, labels: dict[str, Any], predictions: list[dict[str, Any]], task: str, **how: Any) -> None:
    """Whole arrays and the summary, equal to 1e-12; categories by ascending id as pycocotools has them."""
    expected = with_pycocotools(labels, predictions, task)
    tables = load_tables(*write(folder, labels, predictions), task=task, **how)
    chosen = Settings().of(tables.measure)
    matches = match_tables(tables, chosen)
    found = average_precision(tables, matches, chosen)
    order = np.argsort(tables.values("category", "id"))
    for place in range(len(chosen.area_ranges)):
        lanes = np.flatnonzero(found.area == place)[:10]
        precision = np.nan_to_num(found.precision[lanes][:, :, order], nan=-1.0)
        assert precision == pytest.approx(expected["precision"][:, :, :, place, -1], abs=1e-12)
        for limit in range(len(chosen.max_detections)):
            recall = np.nan_to_num(found.recall[limit][lanes][:, order], nan=-1.0)
            assert recall == pytest.approx(expected["recall"][:, :, place, limit], abs=1e-12)
    metrics = report_of(tables, Settings())["metrics"]
    numbers = {name: value for name, value in expected.items() if name not in ("precision", "recall", "scores")}
    assert {name: metrics[name] for name in numbers} == pytest.approx(numbers, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_masks_as_pycocotools(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    labels, predictions = mask_set(np.random.default_rng(seed))
    assert_same(tmp_path_factory.mktemp("masks"), labels, predictions, "segm")


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_keypoints_as_pycocotools(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    labels, predictions = keypoint_set(np.random.default_rng(seed))
    assert_same(tmp_path_factory.mktemp("keypoints"), labels, predictions, "keypoints")


@pytest.mark.parametrize("boxed", [True, False])
def test_pycocotools_area(tmp_path: Path, boxed: bool) -> None:
    """With a box in the first result pycocotools goes by the boxes' areas; the option does so too."""
    from qm_cli.settings import Measure

    labels, predictions = mask_set(np.random.default_rng(5))
    for row in predictions if boxed else []:
        row["bbox"] = [0, 0, 40, 40]
    assert_same(tmp_path, labels, predictions, "segm", measure=Measure(pycocotools_area=True))


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared real data is not here")
def test_published_numbers_of_masks() -> None:
    tables = load_tables(REAL / "instances_val2014_100.json", REAL / "instances_val2014_fakesegm100_results.json")
    assert (tables.measure.task, tables.measure.found) == ("segm", "the predictions have a segmentation and no box")
    metrics = report_of(tables, Settings())["metrics"]
    assert {name: round(metrics[name], 5) for name in PUBLISHED} == PUBLISHED


@pytest.mark.skipif(not TINY.is_dir(), reason="the shared real data is not here")
@pytest.mark.parametrize(("task", "file"), [("keypoints", "person_keypoints"), ("segm", "instances")])
def test_real_labels(tmp_path: Path, task: str, file: str) -> None:
    """The labels' own shapes, moved a little, as predictions."""
    labels = json.loads((TINY / f"{file}_val2017.json").read_text())
    random = np.random.default_rng(0)
    predictions = []
    for row in labels["annotations"]:
        place = {"image_id": row["image_id"], "category_id": row["category_id"], "score": round(random.random(), 2)}
        if task == "keypoints":
            points = np.array(row["keypoints"], float).reshape(-1, 3)
            points[:, :2] += random.normal(0, 6, (17, 2))
            predictions.append({**place, "keypoints": points.ravel().tolist()})
        elif not row["iscrowd"]:
            moved = [(np.array(part) + random.normal(0, 3)).tolist() for part in row["segmentation"]]
            predictions.append({**place, "segmentation": moved})
    if task == "segm":
        from pycocotools import mask

        sizes = {image["id"]: (image["height"], image["width"]) for image in labels["images"]}
        for row in predictions:
            parts = mask.frPyObjects(row["segmentation"], *sizes[row["image_id"]])
            joined = mask.merge(parts)
            row["segmentation"] = {"size": joined["size"], "counts": joined["counts"].decode()}
    assert_same(tmp_path, labels, predictions, task)
