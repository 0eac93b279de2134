"""pycocotools itself, run silently on a labels dict and a predictions list."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

STAT_NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
KEYPOINT_NAMES = ["AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_comparable(labels: dict[str, Any], predictions: list[dict[str, Any]]) -> bool:
    """Whether pycocotools must agree with the pinned convention on this set.

    True if all ids are integers, label ids are unique and none is 0 (it counts as unmatched there), every label has
    ``area`` and ``iscrowd``, and every prediction names a known image.
    """
    images = [image["id"] for image in labels["images"]]
    annotations = labels["annotations"]
    label_ids = [annotation["id"] for annotation in annotations]
    ids = [*images, *label_ids, *(category["id"] for category in labels["categories"])]
    for row in [*annotations, *predictions]:
        ids += [row["image_id"], row["category_id"]]
    return (
        all(_is_integer(identifier) for identifier in ids)
        and 0 not in label_ids
        and len(set(label_ids)) == len(label_ids)
        and all("area" in annotation and "iscrowd" in annotation for annotation in annotations)
        and all(prediction["image_id"] in images for prediction in predictions)
    )


def with_pycocotools(labels: dict[str, Any], predictions: list[dict[str, Any]], task: str = "bbox") -> dict[str, Any]:
    """Twelve stats (ten of keypoints) by name (-1 → None) and the raw arrays ``precision`` [T,R,K,A,M],
    ``recall`` [T,K,A,M] and ``scores``.

    ``loadRes`` cannot take an empty list; for one, an empty result set is handed to COCOeval instead.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(labels)
        truth.createIndex()
        if predictions:
            results = truth.loadRes(copy.deepcopy(predictions))
        else:
            results = COCO()
            results.dataset = {**copy.deepcopy(labels), "annotations": []}
            results.createIndex()
        evaluation = COCOeval(truth, results, task)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = KEYPOINT_NAMES if task == "keypoints" else STAT_NAMES
    stats = {name: _or_none(value) for name, value in zip(names, evaluation.stats, strict=True)}
    return {**stats, **{name: evaluation.eval[name] for name in ("precision", "recall", "scores")}}


def _or_none(value: Any) -> float | None:
    return None if value == -1 else float(value)
