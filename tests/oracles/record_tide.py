"""Record what tidecv says of random sets: `python -m tests.oracles.record_tide` where tidecv is installed."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from tests.oracles.error_sets import detection_set

PLACE = Path(__file__).with_name("tide.json")
SEEDS = range(60)
THRESHOLDS = (0.5, 0.5, 0.75)
NAMES = {"Cls": "classification", "Loc": "localisation", "Both": "both"}
NAMES |= {"Dupe": "duplicate", "Bkg": "background", "Miss": "missed"}


def case(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]], float]:
    """Every fifth set has more than 100 detections in an image; every third is judged at IoU .75."""
    return *detection_set(seed, crowded=seed % 5 == 0), THRESHOLDS[seed % 3]


def judged(labels: dict[str, Any], predictions: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """tidecv's AP (0..1), the count and the gain of each kind."""
    from tidecv import TIDE, Data

    truth, found = Data("labels"), Data("predictions")
    for image in labels["images"]:
        truth.add_image(image["id"], str(image["id"]))
    for label in labels["annotations"]:
        add = truth.add_ignore_region if label["iscrowd"] else truth.add_ground_truth
        add(label["image_id"], label["category_id"], label["bbox"])
    for row in predictions:
        found.add_detection(row["image_id"], row["category_id"], row["score"], row["bbox"])
    with contextlib.redirect_stdout(io.StringIO()):
        run = TIDE().evaluate(truth, found, pos_threshold=threshold, mode=TIDE.BOX)
    counts = {NAMES[kind.short_name]: len(errors) for kind, errors in run.error_dict.items()}
    gains = {NAMES[kind.short_name]: _gain(run, kind) for kind in run.error_dict}
    return {"AP": run.ap / 100, "counts": counts, "gains": gains}


def _gain(run: Any, kind: Any) -> float | None:
    """None where mending leaves nothing to take a mean of, which tidecv does not survive."""
    try:
        return float(run.fix_main_errors(error_types=[kind])[kind]) / 100
    except ZeroDivisionError:
        return None


if __name__ == "__main__":
    PLACE.write_text(json.dumps({seed: judged(*case(seed)) for seed in SEEDS}, indent=1) + "\n")
