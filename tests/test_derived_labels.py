from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from qm_cli.derived_labels import as_labels, without_labels
from qm_cli.errors import UsageError
from qm_cli.load import load_tables
from qm_cli.raw import RawPredictions
from tests.shape_sets import compressed


def raw() -> RawPredictions:
    columns = {
        "image_id": pa.array([3, 1, 3]),
        "category_id": pa.array([2, 1, 2]),
        "bbox": pa.array([[0.0, 0.0, 2.0, 3.0], [1.0, 1.0], None], pa.list_(pa.float64())),
        "score": pa.array([0.5, 0.1, 1.0]),
    }
    return RawPredictions("p.json", columns)


def test_predictions_as_labels() -> None:
    labels = as_labels(raw())
    assert labels.derived
    assert labels.image["id"].to_pylist() == [1, 3]
    assert labels.label["area"].to_pylist() == [6.0, 0.0, 0.0]
    assert labels.label["confidence"].to_pylist() == [0.5, 0.1, 1.0]


def test_without_labels() -> None:
    labels, derived = without_labels(None, raw())
    assert labels.category["name"].to_pylist() == ["1", "2"]
    assert [found.code for found in derived] == ["image-derived", "category-derived"]
    with pytest.raises(UsageError, match="neither labels, predictions nor images"):
        without_labels(None, None)


def test_masks_as_labels_have_their_own_area(tmp_path: Path) -> None:
    import numpy as np

    rows = [{"image_id": 1, "category_id": 1, "score": 1, "segmentation": compressed(np.eye(4, dtype=np.uint8))}]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(rows))
    other = tmp_path / "q.json"
    other.write_text(path.read_text())
    tables = load_tables(path, other)
    assert tables.measure.task == "segm"
    assert tables.values("label", "area").tolist() == [4.0]
