"""Confident learning on the classes of a dataset folder: cleanlab's issues, by label row."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from qm_cli.class_issues import ClassIssues, class_issues
from qm_cli.classification_tables import evaluate_classes
from qm_cli.settings import Settings
from qm_cli.tables import Tables
from tests import builders
from tests.oracles import record_cleanlab

RECORDED = json.loads(record_cleanlab.PLACE.read_text())["classes"]


def tables_of(case: record_cleanlab.Case, **more: Any) -> Tables:
    labels, rows = case
    count = len(labels)
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(count)]
    categories = [{"id": n + 1, "name": f"class {n}"} for n in range(len(rows[0]))]
    annotations = [{"id": n, "image_id": n, "category_id": labels[n] + 1} for n in reversed(range(count))]
    predictions = [
        {"image_id": n, "category_id": int(np.argmax(row)) + 1, "score": max(row), "probs": row, **more}
        for n, row in enumerate(rows)
    ]
    return builders.tables({"images": images, "categories": categories, "annotations": annotations}, predictions)


def issues(tables: Tables) -> ClassIssues:
    found = class_issues(tables, evaluate_classes(tables, Settings()))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_equal_to_what_cleanlab_said(seed: int) -> None:
    case = record_cleanlab.class_case(seed)
    tables = tables_of(case)
    found, image = issues(tables), tables.values("label", "image_row")
    assert found.issue[np.argsort(image)].tolist() == RECORDED[str(seed)]
    rows = np.array(case[1])[image]
    given = np.array(case[0])[image]
    assert found.own.tolist() == rows[np.arange(len(rows)), given].tolist()
    assert found.likely.tolist() == rows.argmax(axis=1).tolist()
    others = np.where(np.arange(rows.shape[1]) == given[:, None], -1, rows)
    assert found.other.tolist() == others.max(axis=1).tolist()


def test_images_without_probabilities_have_no_doubts() -> None:
    labels, rows = record_cleanlab.class_case(1)
    tables = tables_of((labels, rows))
    keep = np.arange(tables.count("prediction")) != 4
    import pyarrow as pa
    from msgspec.structs import replace

    part = replace(tables, prediction=tables.prediction.filter(pa.array(keep)), _views={})
    found = issues(part)
    missing = tables.values("label", "image_row") == tables.values("prediction", "image_row")[4]
    assert np.isnan(found.own).tolist() == missing.tolist()
    assert (found.likely < 0).tolist() == missing.tolist()
    assert not found.issue[missing].any()


def test_without_probabilities_there_is_none() -> None:
    labels, rows = record_cleanlab.class_case(2)
    tables = tables_of((labels, rows))
    from msgspec.structs import replace

    bare = replace(tables, prediction=tables.prediction.drop_columns(["probs"]), _views={})
    assert class_issues(bare, evaluate_classes(bare, Settings())) is None
