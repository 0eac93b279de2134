"""What slices are told from: columns, links and values of tables in memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from qm_cli.errors import UsageError
from qm_cli.slice_rows import all_columns, coded_column, joined, levels_of, named_tables, rows_of_source, shared_names
from tests import builders
from tests.golden.test_evaluation_report import CATEGORIES, LABELS, PREDICTIONS
from tests.input_files import document, image

TABLES = {
    "image": pa.table({"id": [1, 2], "width": [4.0, 5.0], "weather": ["fog", None]}),
    "label": pa.table({"id": [7, 8, 9], "image_row": [0, 1, 1], "width": [1.0, 2.0, 3.0], "team": ["a", "b", "a"]}),
    "prediction": pa.table({"id": [0], "image_row": [1], "team": ["c"]}),
}


def test_rows() -> None:
    rows = rows_of_source(TABLES)
    assert rows.count == {"image": 2, "label": 3, "prediction": 1}
    assert rows.image_row["label"].tolist() == [0, 1, 1]
    assert shared_names(rows) == ["width"]
    assert {"width", "label.width", "image.width", "prediction.team"} <= set(all_columns(rows))
    assert "parent" not in joined(rows, "image")


def test_levels_of_a_column() -> None:
    rows = rows_of_source(TABLES)
    assert levels_of(rows, "width") == (["image"], "width")
    assert levels_of(rows, "label.width") == (["label"], "width")
    assert levels_of(rows, "team") == (["label", "prediction"], "team")
    with pytest.raises(UsageError, match="did you mean weather"):
        levels_of(rows, "wether")
    with pytest.raises(UsageError, match=r"no column 'prediction\.width'"):
        levels_of(rows, "prediction.width")


def test_values_are_one_list_for_all_levels() -> None:
    codes, names = coded_column(TABLES, ["label", "prediction"], "team")
    assert names == ("a", "b", "c")
    assert {level: own.tolist() for level, own in codes.items()} == {"label": [0, 1, 0], "prediction": [2]}
    codes, names = coded_column(TABLES, ["image"], "weather")
    assert (codes["image"].tolist(), names) == ([0, -1], ("fog",))


def test_tables_in_memory_get_names() -> None:
    images = [image(9, height=100), image(1), image(2)]
    tables = builders.tables(document(images, LABELS, CATEGORIES), PREDICTIONS)
    named = named_tables(tables)
    assert set(named["label"]["category"].to_pylist()) <= {row["name"] for row in CATEGORIES}
    assert set(named["prediction"]["image_id"].to_pylist()) <= {9, 1, 2}
