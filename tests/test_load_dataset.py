"""Labels that several models share."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import UsageError
from qm_cli.load_dataset import labels_of_models
from tests.input_files import write


def test_categories_of_all_files(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,category\na,cat\nb,dog\n")
    first = write(tmp_path / "p.csv", "id,category\na,cat\nb,owl\n")
    second = write(tmp_path / "q.jsonl", '{"id": "a", "category": "ant"}\n')
    raw, task = labels_of_models(tmp_path, labels, {"p": first, "q": second}, None)
    assert raw is not None and task is None
    assert raw.category["name"].to_pylist() == ["ant", "cat", "dog", "owl"]
    assert labels_of_models(tmp_path, None, {"p": first, "q": second}, None) == (None, None)


def test_predictions_of_objects_are_no_labels_of_several_models(tmp_path: Path) -> None:
    row = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "score": 0.5}
    files = {name: write(tmp_path / f"{name}.json", [row]) for name in ("l", "p", "q")}
    with pytest.raises(UsageError, match="one model at a time"):
        labels_of_models(tmp_path, files.pop("l"), files, None)
    classes = write(tmp_path / "c.csv", "id,category\n1,a\n")
    with pytest.raises(UsageError, match="models of different tasks"):
        labels_of_models(tmp_path, None, {**files, "c": classes}, None)
