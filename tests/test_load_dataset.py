"""Labels that several models share."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import UsageError
from qm_cli.load_dataset import labels_of_models, load_tables
from tests.input_files import write


def test_categories_of_all_files(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "id,category\na,cat\nb,dog\n")
    first = write(tmp_path / "p.csv", "id,category\na,cat\nb,owl\n")
    second = write(tmp_path / "q.jsonl", '{"id": "a", "category": "ant"}\n')
    raw, task, read = labels_of_models(tmp_path, labels, {"p": first, "q": second}, None)
    assert raw is not None and task is None
    assert raw.category["name"].to_pylist() == ["ant", "cat", "dog", "owl"]
    assert labels_of_models(tmp_path, None, {"p": first, "q": second}, None) == (None, None, {})
    how = {"labels_read": raw, "metadata": True}
    whole = [load_tables(labels, path, **how) for path in (first, second)]
    first.unlink()
    second.unlink()
    again = [load_tables(labels, path, predictions_read=read[path.stem], **how) for path in (first, second)]
    for one, other in zip(whole, again, strict=True):
        assert one.prediction.equals(other.prediction)
        assert one.findings == other.findings


def test_predictions_of_objects_are_no_labels_of_several_models(tmp_path: Path) -> None:
    row = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "score": 0.5}
    files = {name: write(tmp_path / f"{name}.json", [row]) for name in ("l", "p", "q")}
    with pytest.raises(UsageError, match="one model at a time"):
        labels_of_models(tmp_path, files.pop("l"), files, None)
    classes = write(tmp_path / "c.csv", "id,category\n1,a\n")
    with pytest.raises(UsageError, match="models of different tasks"):
        labels_of_models(tmp_path, None, {**files, "c": classes}, None)


def test_fields_of_data_rows_are_columns(tmp_path: Path) -> None:
    content = {"data_rows": [{"id": 1, "weather": "fog", "width": 8, "height": 6, "tags": [1]}, {"id": 2}]}
    content["annotations"] = [{"id": 1, "category": "a"}]
    labels = write(tmp_path / "l.json", content)
    image = load_tables(labels, None, metadata=True).image
    assert image["weather"].to_pylist() == ["fog", None]
    assert image["width"].to_pylist() == [8.0, None]
    assert "tags" not in image.column_names
    assert "weather" not in load_tables(labels, None).image.column_names
