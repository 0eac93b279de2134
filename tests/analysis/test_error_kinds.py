"""TIDE's error kinds against what tidecv said, and against tidecv itself where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli.analyses import analysed_report
from qm_cli.analysis.error_impact import error_impact
from qm_cli.analysis.error_kinds import error_kinds
from qm_cli.error_names import KINDS, MISSED
from qm_cli.load import load_tables
from qm_cli.pairs import overlapping_pairs
from qm_cli.settings import Settings
from tests import builders
from tests.oracles import record_tide

NAN = float("nan")
RECORDED = json.loads(record_tide.PLACE.read_text())


def judged(labels: dict[str, Any], predictions: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """The same facts as `record_tide.judged`."""
    tables = builders.tables(labels, predictions)
    kinds = error_kinds(tables, overlapping_pairs(tables), threshold)
    impact = error_impact(tables, kinds)
    counts = np.bincount(kinds.prediction_kind[kinds.prediction_kind >= 0], minlength=len(KINDS))
    counts[MISSED] = np.count_nonzero(kinds.label_kind == MISSED)
    gains = dict(zip(KINDS, impact.gains.tolist(), strict=True))
    return {"AP": impact.mean, "counts": dict(zip(KINDS, counts.tolist(), strict=True)), "gains": gains}


def agree(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found["counts"] == expected["counts"]
    assert found["AP"] == pytest.approx(expected["AP"], rel=0, abs=1e-12)
    gains = {kind: NAN if gain is None else gain for kind, gain in expected["gains"].items()}
    assert found["gains"] == pytest.approx(gains, rel=0, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", record_tide.SEEDS)
def test_equal_to_what_tidecv_said(seed: int) -> None:
    agree(judged(*record_tide.case(seed)), RECORDED[str(seed)])


def test_equal_to_tidecv_where_it_is_installed() -> None:
    pytest.importorskip("tidecv")
    for seed in range(1000, 1020):
        agree(judged(*record_tide.case(seed)), record_tide.judged(*record_tide.case(seed)))


def test_labels_without_keypoints_are_no_missed_ones_and_excuse_what_stands_there(tmp_path: Path) -> None:
    """A person found, two without keypoints; a prediction amid one of them is an error, but AP does not count it."""

    def row(x: float, seen: int) -> dict[str, Any]:
        return {"image_id": 1, "category_id": 1, "keypoints": [x, 10, seen] * 17}

    facts = {"area": 400, "iscrowd": 0}
    boxed = [{**row(x, 0), **facts, "bbox": [x, 0, 20, 20], "num_keypoints": 0} for x in (200, 400)]
    posed = {**row(10, 2), **facts, "bbox": [0, 0, 20, 20], "num_keypoints": 17}
    annotations = [{"id": number, **one} for number, one in enumerate([posed, *boxed], 1)]
    image, person = {"id": 1, "width": 500, "height": 20}, {"id": 1, "name": "person"}
    labels = {"images": [image], "categories": [person], "annotations": annotations}
    files = builders.write(tmp_path, labels, [{**row(x, 2), "score": score} for x, score in ((10, 0.9), (210, 0.95))])
    report = analysed_report(load_tables(*files), Settings(), ["errors"])
    assert (report["errors"]["AP"], report["metrics"]["AP50"]) == pytest.approx((1, 1))
    counts = {one["kind"]: one["count"] for one in report["errors"]["kinds"]}
    assert counts == {**dict.fromkeys(KINDS, 0), "background": 1}
    assert {one["delta_AP"] for one in report["errors"]["kinds"]} == {0.0}
