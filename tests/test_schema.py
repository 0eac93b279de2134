"""The contracts themselves: every column has a meaning, links are alike, and breaches are put in words."""

from __future__ import annotations

import pyarrow as pa
import pytest

from qm_cli import schema


def empty(name: str) -> pa.Table:
    """A table without rows that keeps its contract."""
    types = {
        column: pa.int64() if contract.dtype == schema.IDENTIFIER else contract.dtype
        for column, contract in schema.TABLES[name].items()
    }
    return pa.table({column: pa.array([], dtype) for column, dtype in types.items()})


@pytest.mark.parametrize("name", schema.TABLES)
def test_an_empty_table_keeps_its_contract(name: str) -> None:
    table = empty(name)
    assert schema.problems(name, table) == []
    text = table.set_column(0, "id", pa.array([], pa.string()))
    assert schema.problems(name, text) == []
    assert schema.problems(name, table.drop_columns("id")) == [f"{name}.id is missing"]


def test_every_column_has_a_meaning() -> None:
    for name in schema.TABLES:
        for column, contract in schema.known_columns(name).items():
            assert contract.meaning, (name, column)


def test_rows_of_labels_and_predictions_are_linked_alike() -> None:
    for name, contract in schema.LINKED.items():
        assert schema.TABLES["label"][name] is schema.TABLES["prediction"][name] is contract


def test_optional_columns_are_known_and_not_required() -> None:
    assert {"segmentation", "confidence"} <= set(schema.known_columns("label"))
    assert not set(schema.OPTIONAL["label"]) & set(schema.TABLES["label"])
    assert set(schema.known_columns("image_category")) == {"image_row", "category_row"}
