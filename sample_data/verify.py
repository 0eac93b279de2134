"""Check that what planted.json says is so, by plain computations of their own: `python sample_data/verify.py`.

Needs pycocotools beside numpy and OpenCV. Prints one line a check and stops at the first that fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from drivers import importances
from matching import Row, box_iou, confusion, match, object_lab
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

HERE = Path(__file__).resolve().parent
MODELS = ("better", "worse")
NEAR, FAR = 4, 8  # pHash bits: copies differ by at most, other images by at least

Array = NDArray[Any]


def load(name: str) -> Any:
    """A JSON file of this folder."""
    return json.loads((HERE / name).read_text())


def said(text: str) -> None:
    """Tell that a check has passed."""
    print(f"ok  {text}")


def image_metrics(pixels: Array) -> dict[str, float]:
    """Metrics of an 8-bit RGB image."""
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    share = np.bincount(gray.ravel(), minlength=256) / gray.size
    return {
        "image.brightness": float(pixels.mean() / 255),
        "image.contrast": float(pixels.std() / 255),
        "image.sharpness": float(np.sqrt(cv2.Laplacian(pixels, cv2.CV_64F, ksize=1).var()) / 1020),
        "image.information": float(-(share[share > 0] * np.log2(share[share > 0])).sum() / 8),
        "image.area": float(pixels.shape[0] * pixels.shape[1]),
    }


def perceptual_hash(pixels: Array) -> Array:
    """64 bits: the low frequencies of the DCT above their median, which leaves the mean out."""
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float64))[:8, :8].ravel()
    return np.asarray(low > np.median(low[1:]))


def check_top(fault: Row, values: dict[int, float]) -> None:
    """The planted samples are exactly the top of their metric, with room to the next."""
    order = sorted(values, key=lambda key: values[key], reverse=fault["end"] == "high")
    count = len(fault["ids"])
    assert set(order[:count]) == set(fault["ids"]), (fault["fault"], order[: count + 2], fault["ids"])
    last, following = values[order[count - 1]], values[order[count]] if len(order) > count else float("nan")
    assert last != following, fault["fault"]
    said(f"{fault['fault']}: exactly the {count} {fault['end']}est of {fault['metric']} ({last:.4g} | {following:.4g})")


def check_hashes(faults: dict[str, Row], images: list[Row], pixels: dict[int, Array]) -> None:
    """The same bytes and the same pixels only in exact copies, pHashes near only in the planted groups."""
    for what, digest in (
        ("bytes", {row["id"]: (HERE / "images" / row["file_name"]).read_bytes() for row in images}),
        ("pixels", {key: value.tobytes() for key, value in pixels.items()}),
    ):
        groups = defaultdict(list)
        for key, content in digest.items():
            groups[hashlib.sha256(content).hexdigest()].append(key)
        found = sorted(group for group in groups.values() if len(group) > 1)
        assert found == faults["exact_duplicate"]["groups"], (what, found)
    hashes = {key: perceptual_hash(value) for key, value in pixels.items()}
    planted = {
        frozenset((a, b))
        for name in ("exact_duplicate", "near_duplicate")
        for group in faults[name]["groups"]
        for a in group
        for b in group
        if a != b
    }
    distances = {frozenset((a, b)): int((hashes[a] != hashes[b]).sum()) for a in hashes for b in hashes if a < b}
    inside = max(distances[pair] for pair in planted)
    outside = min(distance for pair, distance in distances.items() if pair not in planted)
    assert inside <= NEAR and outside >= FAR, (inside, outside)
    said(f"duplicates: groups exact; pHash at most {inside} bits within groups, at least {outside} between")


def label_metrics(labels: list[Row], sizes: dict[int, tuple[int, int]]) -> dict[str, dict[int, float]]:
    """Geometry metrics of the labels, from their boxes."""
    duplicate, border = {}, {}
    for row in labels:
        others = [other for other in labels if other["image_id"] == row["image_id"] and other is not row]
        same = [box_iou(row["bbox"], other["bbox"]) for other in others if other["category_id"] == row["category_id"]]
        duplicate[row["id"]] = max(same, default=0.0)
        (x, y, w, h), (width, height) = row["bbox"], sizes[row["image_id"]]
        border[row["id"]] = min(max(1 - x / width, 1 - y / height, (x + w) / width, (y + h) / height), 1.0)
    return {"label.duplicate_iou": duplicate, "label.border_closeness": border}


def check_labels(faults: dict[str, Row], labels: list[Row], metrics: dict[str, dict[int, float]]) -> None:
    """Label faults that show in geometry, and what no label may look like by accident."""
    ious = metrics["label.duplicate_iou"]
    assert min(ious[key] for key in faults["duplicate_label"]["ids"]) >= 0.85
    assert max(value for key, value in ious.items() if key not in faults["duplicate_label"]["ids"]) < 0.1
    true = dict(zip(faults["shifted_box"]["ids"], faults["shifted_box"]["true_boxes"], strict=True))
    assert max(box_iou(row["bbox"], true[row["id"]]) for row in labels if row["id"] in true) < 0.4
    assert 350 <= len(labels) <= 600 and len({row["id"] for row in labels}) == len(labels)
    box_only = sum("segmentation" not in row for row in labels)
    said(f"labels: {len(labels)}, {box_only} box-only, {sum(row['iscrowd'] for row in labels)} crowds")


def check_rows(name: str, rows: list[Row], order: list[int]) -> None:
    """Probabilities sum to 1, the score is the largest, the category its place."""
    for row in rows:
        assert abs(sum(row["probs"]) - 1) < 1e-9 and row["score"] == max(row["probs"]), row
        assert row["category_id"] == order[row["probs"].index(row["score"])] and row["probs"].count(row["score"]) == 1
    scores = [row["score"] for row in rows]
    quartiles = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]).round(2).tolist()
    said(f"{name}: {len(rows)} predictions, score quartiles {quartiles}")


def check_evidence(faults: dict[str, Row], labels: list[Row], rows: list[Row]) -> None:
    """The better model points at wrong, missing and shifted labels, and ObjectLab's measures find exactly those."""
    scores = object_lab(labels, rows)
    for name in ("wrong_category", "missing_label", "shifted_box"):
        check_top(faults[name], scores[faults[name]["metric"]])
    assert len(scores["prediction.overlooked"]) == len(faults["missing_label"]["ids"])
    box = {row["id"]: row["bbox"] for row in labels}
    for key, category, index in zip(
        *(faults["wrong_category"][part] for part in ("ids", "true_category_ids", "prediction_rows")), strict=True
    ):
        assert rows[index]["category_id"] == category and rows[index]["score"] > 0.95
        assert box_iou(rows[index]["bbox"], box[key]) > 0.85
    for true, index in zip(faults["shifted_box"]["true_boxes"], faults["shifted_box"]["prediction_rows"], strict=True):
        assert rows[index]["score"] > 0.95 and box_iou(rows[index]["bbox"], true) > 0.85


def check_confusion(fault: Row, labels: list[Row], rows: dict[str, list[Row]]) -> None:
    """The planted cell is the largest between two categories, and larger in the worse model."""
    cells = {}
    for name in MODELS:
        table = confusion(labels, [row for row in rows[name] if row["score"] >= 0.5])
        between = sorted(
            ((count, cell) for cell, count in table.items() if None not in cell and cell[0] != cell[1]), reverse=True
        )
        assert between[0][1] == (fault["true"], fault["predicted"]) and between[0][0] >= 1.5 * between[1][0], between
        cells[name] = f"{between[0][0]} (next {between[1][0]})"
    said(f"confusion van as car: {cells}")


def average_precision(name: str) -> COCOeval:
    """The evaluation of a prediction file at IoU .5 and all areas."""
    truth = COCO(str(HERE / "labels.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(HERE / "predictions" / f"{name}.json")), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def resampled(evaluation: COCOeval, draws: Array) -> Array:
    """AP50 with the images drawn anew."""
    per_image = np.reshape(evaluation.evalImgs, (len(evaluation.params.catIds), -1, len(evaluation.params.imgIds)))
    evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
    evaluation._paramsEval.areaRng = evaluation.params.areaRng
    values = []
    for draw in draws:
        evaluation.evalImgs = per_image[:, :1, draw].ravel().tolist()
        evaluation.accumulate()
        values.append(evaluation.eval["precision"][0, :, :, 0, 2].mean())
    return np.array(values)


def check_models(count: int = 400) -> None:
    """The better model is better, beyond what the choice of images could do."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluations = {name: average_precision(name) for name in MODELS}
        stats = {name: evaluation.stats for name, evaluation in evaluations.items()}
        images = len(evaluations["better"].params.imgIds)
        draws = np.random.default_rng(0).integers(0, images, (count, images))
        gain = resampled(evaluations["better"], draws) - resampled(evaluations["worse"], draws)
    assert 0.7 <= stats["better"][1] <= 0.85 and 0.45 <= stats["worse"][1] <= 0.65, stats
    assert gain.min() > 0
    text = {name: [round(float(value), 3) for value in values[:3]] for name, values in stats.items()}
    said(f"AP, AP50, AP75: {text}; AP50 gain over {count} resamples {gain.min():.3f} to {gain.max():.3f}")


def check_slice(fault: Row, labels: list[Row], rows: dict[str, list[Row]], weather: dict[int, str]) -> None:
    """Recall and precision at IoU .5, confidence .5 are worse in fog."""
    for name in MODELS:
        hits = match(labels, [row for row in rows[name] if row["score"] >= 0.5])
        rates = {}
        for value in sorted(set(weather.values())):
            found = [hit for key, hit in hits.labels if weather[key] == value]
            right = [hit for key, hit in hits.predictions if weather[key] == value]
            rates[value] = (round(float(np.mean(found)), 3), round(float(np.mean(right)), 3))
        weak = rates.pop(fault["slice"]["weather"])
        assert all(weak[0] < other[0] - 0.15 and weak[1] < other[1] - 0.15 for other in rates.values()), (weak, rates)
        said(f"{name}: recall, precision in fog {weak}, elsewhere {rates}")


def check_recording() -> None:
    """Every slip stands out of its track: tracks are whole and keep number, category, box and outline otherwise."""
    truth = load("recording/labels.json")
    faults = {fault["fault"]: fault for fault in load("recording/planted.json")["faults"]}
    by_id = {row["id"]: row for row in truth["annotations"]}
    toys = defaultdict(list)
    for row in truth["annotations"]:
        toys["van" if row["track_id"] == 6 else row["track_id"]].append(row)
    toys["van"] = sorted(toys["van"] + toys.pop(2), key=lambda row: row["image_id"])
    gaps, switches, sizes, filled = [], [], [], []
    for rows in toys.values():
        wide, high = np.median([row["bbox"][2:] for row in rows], axis=0)
        for before, row in pairwise(rows):
            if row["image_id"] != before["image_id"] + 1:
                gaps.append(before["id"])
            elif any(row[name] != before[name] for name in ("track_id", "category_id")):
                assert box_iou(row["bbox"], before["bbox"]) > 0.85
                switches.append(row["id"])
        sizes += [row["id"] for row in rows if row["bbox"][2:] != [wide, high]]
        filled += [row["id"] for row in rows if row.get("segmentation") and len(row["segmentation"][0]) == 8]
    hidden = by_id[faults["occluded"]["ids"][0]]["bbox"]
    assert hidden[2] * hidden[3] < 0.8 * by_id[faults["occluded"]["ids"][0] - 5]["area"]
    found = {"missing_in_track": gaps, "switched": sorted(switches), "occluded": sizes, "shape_jump": filled}
    assert found == {name: fault["ids"] for name, fault in faults.items()}, found
    said(f"recording: {len(truth['images'])} frames, {len(toys)} toys, slips at labels {found}")


def main() -> None:
    """Run all checks."""
    truth, record = load("labels.json"), load("planted.json")
    faults = {fault["fault"]: fault for fault in record["faults"]}
    images, labels = truth["images"], truth["annotations"]
    rows = {name: load(f"predictions/{name}.json") for name in MODELS}
    pixels = {}
    for row in images:
        pixels[row["id"]] = cv2.cvtColor(cv2.imread(str(HERE / "images" / row["file_name"])), cv2.COLOR_BGR2RGB)
        assert pixels[row["id"]].shape == (row["height"], row["width"], 3)
    sizes = {row["id"]: (row["width"], row["height"]) for row in images}
    by_image = {key: image_metrics(value) for key, value in pixels.items()}
    for name in ("dark", "blurred", "blank", "tiny"):
        check_top(faults[name], {key: values[faults[name]["metric"]] for key, values in by_image.items()})
    check_hashes(faults, images, pixels)
    geometry = label_metrics(labels, sizes)
    for name in ("duplicate_label", "box_outside"):
        check_top(faults[name], geometry[faults[name]["metric"]])
    check_labels(faults, labels, geometry)
    for name in MODELS:
        check_rows(name, rows[name], [category["id"] for category in truth["categories"]])
    check_evidence(faults, labels, rows["better"])
    check_confusion(faults["confusion"], labels, rows)
    check_models()
    check_slice(faults["weak_slice"], labels, rows, {row["id"]: row["weather"] for row in images})
    for name in MODELS:
        found = [hit for _, hit in match(labels, [row for row in rows[name] if row["score"] >= 0.5]).labels]
        ranked = importances(images, [row for row in labels if not row["iscrowd"]], np.array(found), pixels, by_image)
        (best, share), *others = [pair for pair in ranked if pair[0] not in ("label.width", "label.height")]
        assert best == "label.area_relative" and share > 2 * others[0][1], ranked[:6]
        said(f"{name}: importance {best} {share:.3f}; then " + ", ".join(f"{key} {v:.3f}" for key, v in others[:5]))
    check_recording()


if __name__ == "__main__":
    main()
