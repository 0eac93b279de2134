"""Filters and order over tables in memory; reading a run is tested with the command."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from qm_cli.errors import InputError, UsageError
from qm_cli.run import ScoredDataset
from qm_cli.selection import Choice, named_metric, only_field, select
from tests.made_run import BY_ENTROPY, IDS, image_table, label_table, prediction_table

TABLES = {
    "image": image_table(),
    "label": label_table(),
    "prediction": prediction_table(),
    "category": pa.table({"id": [1, 2], "name": ["cat", "dog"]}),
}
SOURCE = ScoredDataset(TABLES)


def _ids(choice: Choice, source: ScoredDataset = SOURCE) -> list[int | str]:
    return select(source, replace(choice, fields=("id",))).table["id"].to_pylist()


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(column="entropy"), BY_ENTROPY),
        (Choice(column="entropy", descending=False), [7, 1, 2, 10, 9, 100]),
        (Choice(column="entropy", no_values="first"), [100, *BY_ENTROPY[:-1]]),
        (Choice(column="entropy", no_values="drop"), BY_ENTROPY[:-1]),
        (Choice(column="margin"), [2, 7, 9, 10, 1, 100]),
        (Choice(column="entropy", top=2), BY_ENTROPY[:2]),
        (Choice(column="entropy", top=0), []),
        (Choice(column="entropy", top=99), BY_ENTROPY),
        (Choice(), sorted(IDS)),
        (Choice(column="file_name", descending=True, top=2), [1, 7]),
        (Choice(column="entropy", limit=2), [9, 10]),
        (Choice(column="entropy", rows=np.array([0, 4])), [10, 7]),
        (Choice(column="entropy", unlabeled_only=True), [2, 7, 100]),
        (Choice(column="entropy", unlabeled_only=True, reviewed=("c, d.jpg", "100")), [7]),
        (Choice(column="entropy", exclude=("9", "g.jpg")), [2, 10, 7, 100]),
        (Choice(level="prediction", column="score", descending=True), [0, 2, 4, 3, 1]),
        (Choice(level="prediction", unlabeled_only=True), [3]),
        (Choice(level="prediction", exclude=("a.jpg",)), [2, 3, 4]),
        (Choice(level="label", column="area", descending=False, limit=1), [2, 1]),
    ],
)
def test_order(choice: Choice, ids: list[int]) -> None:
    assert _ids(choice) == ids


def test_string_ids_are_ordered_letter_by_letter() -> None:
    names = pa.array([str(one) for one in IDS])
    source = ScoredDataset(TABLES | {"image": TABLES["image"].set_column(0, "id", names)})
    assert _ids(Choice(column="entropy"), source) == ["9", "1", "10", "2", "7", "100"]


def test_fields_of_the_image_and_the_category() -> None:
    choice = Choice(level="label", column="area", descending=True, top=1, fields=("image_id", "weather", "area"))
    assert select(SOURCE, choice).table.to_pylist() == [{"image_id": 10, "weather": "fog", "area": 4.0}]
    usual = select(SOURCE, Choice(level="label", top=1)).table
    assert usual.to_pylist() == [{"id": 1, "image_id": 10, "file_name": "a.jpg", "category": "cat"}]


def test_what_it_tells() -> None:
    result = select(SOURCE, Choice(column="entropy", exclude=("9", "x", "y")))
    assert (result.considered, result.without_value, result.unknown) == (5, 1, ("x", "y"))
    assert (result.descending, result.better) == (True, "lower")


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice(column="entropi"), "did you mean entropy"),
        (Choice(column="score"), "--level prediction"),
        (Choice(column="brightness"), "--order asc"),
        (Choice(column="weather"), "--order asc"),
        (Choice(level="prediction", column="bbox", descending=True), "has no order"),
        (Choice(fields=("filename",)), "did you mean file_name"),
    ],
)
def test_refused(choice: Choice, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        select(SOURCE, choice)


def test_lines_need_a_value() -> None:
    with pytest.raises(InputError, match="1 of 6 rows have no weather"):
        only_field(select(SOURCE, Choice(fields=("weather",))))


def test_no_rows() -> None:
    empty = ScoredDataset({name: table.slice(0, 0) for name, table in TABLES.items()})
    assert _ids(Choice(column="entropy", unlabeled_only=True, exclude=("1",)), empty) == []


def test_named_metric() -> None:
    assert named_metric("prediction.score", "prediction") == ("prediction", "score")
    assert named_metric("a.b", None) == ("image", "a.b")
    with pytest.raises(UsageError, match="is of level label"):
        named_metric("label.area", "image")
