"""Columns and their notes through Parquet: what a field says survives, equal tables give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli import scores
from qm_cli.metric import described as metric_of
from qm_cli.metric import metric
from qm_cli.scores import described, input_order, metric_field, with_metrics, write_parquet
from tests.input_files import prediction, tables


@metric(level="label", kind="label", unit="share", range=(0, 1), better="neither")
def cover(area):
    """Share of nothing in particular.

    More words.
    """
    return area


def of_range(ends: Any) -> dict[str, str]:
    """The notes a column gets whose metric has this range."""
    noted = metric(level="image", kind="data", unit="px", range=ends, better="lower")(lambda area: area)
    noted.__name__ = "made"
    return notes(metric_field("made", pa.array([1.0]), metric_of(noted, "image")))


def notes(field: pa.Field) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in field.metadata.items()}


def test_a_field_says_what_the_column_means() -> None:
    field = metric_field("cover", pa.array([0.5]), metric_of(cover, "label"))
    assert (field.name, field.type) == ("cover", pa.float64())
    assert notes(field) == {
        "metric": "label.cover",
        "kind": "label",
        "unit": "share",
        "better": "neither",
        "meaning": "Share of nothing in particular.",
        "range": "0..1",
    }


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0, None), "0.."),
        ((None, 1), "..1"),
        ((-1, 0.5), "-1..0.5"),
        ((None, None), ".."),
        (None, ""),
        ((0, 0), "0..0"),
    ],
)
def test_ranges(ends: Any, text: str) -> None:
    assert of_range(ends)["range"] == text


def test_metrics_are_added_or_take_the_place_of_a_column() -> None:
    table = pa.table({"id": [1, 2], "cover": ["x", "y"], "area": [1.0, 2.0]})
    columns = {"cover": np.array([0.5, np.nan]), "more": np.array([3, 4])}
    made = with_metrics(table, columns, dict.fromkeys(columns, metric_of(cover, "label")))
    assert made.to_pydict() == {"id": [1, 2], "cover": [0.5, None], "area": [1.0, 2.0], "more": [3, 4]}
    assert notes(made.schema.field("cover"))["metric"] == "label.cover"
    assert made.schema.field("area").metadata is None
    assert table.column_names == ["id", "cover", "area"]


def test_columns_of_the_contract_are_described_and_others_are_metadata(tmp_path: Path) -> None:
    loaded = tables(tmp_path, predictions=[prediction(weather="fog")], metadata=True)
    made = described("prediction", loaded.prediction)
    assert notes(made.schema.field("score")) == {"meaning": "confidence as given", "unit": ""}
    assert notes(made.schema.field("bbox"))["unit"] == "px"
    assert notes(made.schema.field("weather")) == {"meaning": "metadata of the input"}
    assert made.to_pylist() == loaded.prediction.to_pylist()


def test_what_a_field_already_says_stays() -> None:
    field = metric_field("area", pa.array([1.0]), metric_of(cover, "label"))
    made = described("label", pa.table([pa.array([1.0])], pa.schema([field])))
    assert notes(made.schema.field("area"))["metric"] == "label.cover"


def test_notes_and_values_come_back_from_parquet(tmp_path: Path) -> None:
    column = {"cover": np.array([0.25, np.nan, 1.0])}
    table = with_metrics(pa.table({"id": ["a", "b", "ä"]}), column, {"cover": metric_of(cover, "label")})
    write_parquet(table, tmp_path / "label.parquet")
    back = pq.read_table(tmp_path / "label.parquet")
    assert back.to_pydict() == {"id": ["a", "b", "ä"], "cover": [0.25, None, 1.0]}
    assert notes(back.schema.field("cover"))["range"] == "0..1"
    assert back.schema.metadata == {b"qm_schema_version": b"1"}


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    whole = pa.table(
        {"id": np.arange(5000), "value": random.normal(size=5000), "name": [f"n{n % 7}" for n in range(5000)]}
    )
    cut = pa.concat_tables([whole.slice(0, 13), whole.slice(13, 0), whole.slice(13)])
    noted = whole.replace_schema_metadata({"written by": "someone else"})
    padded = pa.concat_tables([whole.slice(0, 3), whole]).slice(3)
    written = []
    for number, table in enumerate((whole, cut, noted, padded)):
        write_parquet(table, tmp_path / f"{number}.parquet")
        written.append((tmp_path / f"{number}.parquet").read_bytes())
    assert len(set(written)) == 1


def test_row_groups_are_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "ROW_GROUP_ROWS", 4)
    chunks = pa.concat_tables([pa.table({"id": np.arange(n)}) for n in (1, 5, 3)])
    write_parquet(chunks, tmp_path / "t.parquet")
    groups = pq.ParquetFile(tmp_path / "t.parquet").metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [4, 4, 1]


def test_a_table_without_rows(tmp_path: Path) -> None:
    table = with_metrics(
        pa.table({"id": pa.array([], pa.int64())}), {"cover": np.zeros(0)}, {"cover": metric_of(cover, "label")}
    )
    write_parquet(table, tmp_path / "t.parquet")
    back = pq.read_table(tmp_path / "t.parquet")
    assert back.schema.types == [pa.int64(), pa.float64()]
    assert back.num_rows == 0


def test_input_order() -> None:
    assert input_order(np.array([3, 0, 2, 1])).tolist() == [1, 3, 2, 0]
    assert input_order(np.zeros(0, np.int64)).tolist() == []
