"""The counts at a confidence are the sums of the changes down to it, under every convention."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from qm_cli.analysis.counts import category_counts
from qm_cli.evaluation import evaluate_tables
from qm_cli.load import load_tables
from qm_cli.settings import CONVENTIONS, Settings
from qm_cli.tables import Tables
from tests import builders
from tests.conventions.comparing import loaded
from tests.oracles.random_sets import random_set
from tests.shape_sets import keypoint_set, mask_set
from tests.simulated_sets import simulated_sets
from tests.strategies import DetectionSet, detection_sets

NAMES = [name for name in CONVENTIONS if name not in ("lvis", "voc07")]


def compare(tables: Tables, convention: str, iou: float, most: int = 100) -> None:
    """Every confidence that occurs, or `most` of them."""
    chosen = Settings(convention=convention, iou=iou)
    found = evaluate_tables(tables, chosen).arrivals
    scores = np.unique(tables.values("prediction", "score"))
    for confidence in scores[:: max(len(scores) // most, 1)]:
        below = np.nextafter(confidence, -np.inf) if convention == "ultralytics" else confidence
        alone = evaluate_tables(tables, replace(chosen, confidence=float(below)))
        counts = category_counts(tables, alone.outcomes)
        there = found.score >= confidence
        groups = tables.count("category")
        hits, kept = (
            np.bincount(found.category[there], change[there], groups).astype(int).tolist()
            for change in (found.found, found.kept)
        )
        assert hits == counts.true_positives.tolist()
        assert kept == (counts.true_positives + counts.false_positives).tolist()
        labels = tables.values("label", "category_row")[alone.outcomes.label_counts]
        assert found.label_category.tolist() == labels.tolist()
    category, score = found.category, found.score
    assert (np.diff(category) >= 0).all()
    assert (np.diff(score)[category[1:] == category[:-1]] <= 0).all()


@pytest.mark.parametrize("convention", NAMES)
@given(data=detection_sets())
@settings(max_examples=8, deadline=None)
def test_small_sets(convention: str, data: DetectionSet) -> None:
    for iou in (0.1, 0.5):
        compare(builders.tables(*data), convention, iou)


@pytest.mark.parametrize("convention", ["labelbox", "labelbox-sdk", "ultralytics", "encord"])
def test_crowded_images(convention: str) -> None:
    """Many overlaps: predictions that take another's label away, and give it back in turn."""
    random = np.random.default_rng(5)
    images = [{"id": one, "file_name": f"{one}.jpg", "width": 100, "height": 100} for one in range(3)]
    labels = [
        {
            "id": 1 + place,
            "image_id": place % 3,
            "category_id": int(random.integers(1, 4)),
            "iscrowd": int(place % 9 == 0),
        }
        for place in range(45)
    ]
    for row in labels:
        row["bbox"] = [*random.integers(0, 12, 2).tolist(), *random.integers(10, 30, 2).tolist()]
        row["area"] = row["bbox"][2] * row["bbox"][3]
    predictions = [
        {
            "image_id": int(random.integers(0, 3)),
            "category_id": int(random.integers(1, 4)),
            "bbox": [*random.integers(0, 12, 2).tolist(), *random.integers(10, 30, 2).tolist()],
            "score": float(random.integers(1, 40)) / 40,
        }
        for _ in range(150)
    ]
    categories = [{"id": one, "name": str(one)} for one in (1, 2, 3)]
    document = {"images": images, "annotations": labels, "categories": categories}
    tables = builders.tables(document, predictions)
    compare(tables, convention, 0.4)
    taken_back = evaluate_tables(tables, Settings(convention=convention, iou=0.4)).arrivals.found.min()
    assert taken_back == (0 if convention == "encord" else -1)


@pytest.mark.parametrize("convention", ["coco", "labelbox", "labelbox-sdk", "encord", "ultralytics"])
def test_masks(convention: str, tmp_path: Path) -> None:
    for seed in range(3):
        files = builders.write(tmp_path, *mask_set(np.random.default_rng(seed)))
        compare(load_tables(*files, task="segm"), convention, 0.3)


def test_keypoints(tmp_path: Path) -> None:
    files = builders.write(tmp_path, *keypoint_set(np.random.default_rng(0)))
    compare(load_tables(*files, task="keypoints"), "coco", 0.5)


def test_what_lvis_leaves_out_is_never_kept() -> None:
    for seed in (3, 4):
        compare(loaded(*random_set(seed, images=12), "lvis"), "lvis", 0.5)


def test_simulated_sets() -> None:
    [tables] = simulated_sets(np.random.default_rng(1), 40, 3, [1.0])
    for convention in NAMES:
        compare(tables, convention, 0.5, most=12)
