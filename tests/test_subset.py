"""A part of the tables is what the part of the files would have given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli import schema
from qm_cli.errors import UsageError
from qm_cli.subset import first_images, only_categories
from qm_cli.tables import LEVELS, Tables
from tests import builders
from tests.input_files import document, label, prediction
from tests.strategies import DetectionSet, detection_sets

Row = dict[str, Any]


def rows(tables: Tables) -> dict[str, list[Row]]:
    """Every level's rows by the contract's columns, less those that number the input."""
    numbering = {"label": ["source_row"], "prediction": ["source_row", "id"]}
    names = {level: [name for name in schema.TABLES[level] if name not in numbering.get(level, ())] for level in LEVELS}
    return {level: tables.table(level).select(names[level]).to_pylist() for level in LEVELS}


def of(given_rows: list[Row], key: str, values: list[Any]) -> list[Row]:
    return [row for row in given_rows if row[key] in values]


@given(detection_sets(), st.integers(0, 6))
@settings(max_examples=30, deadline=None)
def test_first_images_are_the_first_of_the_file(data: DetectionSet, limit: int) -> None:
    labels, predictions = data
    part = first_images(builders.tables(labels, predictions), limit)
    kept = [image["id"] for image in labels["images"][:limit]]
    assert part.image["id"].to_pylist() == kept
    for level, source in (("label", labels["annotations"]), ("prediction", predictions)):
        numbers = sorted(part.table(level)["source_row"].to_pylist())
        assert numbers == [place for place, row in enumerate(source) if row["image_id"] in kept]
        assert part.offsets(level).tolist()[-1] == len(numbers)
        images = [part.image["id"][row].as_py() for row in part.table(level)["image_row"].to_pylist()]
        assert images == [source[place]["image_id"] for place in part.table(level)["source_row"].to_pylist()]


@given(detection_sets(), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_first_images_equal_the_tables_of_the_shortened_files(data: DetectionSet, limit: int) -> None:
    labels, predictions = data
    images = labels["images"][:limit]
    kept = [image["id"] for image in images]
    short = {**labels, "images": images, "annotations": of(labels["annotations"], "image_id", kept)}
    expected = builders.tables(short, of(predictions, "image_id", kept))
    found = first_images(builders.tables(labels, predictions), limit)
    assert rows(found) == rows(expected)


def test_all_images_are_the_tables_themselves() -> None:
    tables = builders.tables(document(), [prediction()])
    assert first_images(tables, None) is first_images(tables, 2) is first_images(tables, 99) is tables


def test_views_of_a_part_are_its_own() -> None:
    tables = builders.tables(document(), [prediction(), prediction(image_id=2)])
    whole = tables.values("label", "area"), tables.offsets("label")
    part = first_images(tables, 1)
    assert (len(part.values("label", "area")), part.offsets("label").tolist()) == (1, [0, 1])
    assert (len(whole[0]), tables.offsets("label") is whole[1]) == (2, True)


@given(detection_sets(), st.data(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_only_categories_equal_the_tables_of_the_filtered_files(
    data: DetectionSet, drawn: st.DataObject, by_name: bool
) -> None:
    labels, predictions = data
    chosen = drawn.draw(st.lists(st.sampled_from(labels["categories"]), min_size=1, unique_by=lambda row: row["id"]))
    ids = [category["id"] for category in chosen]
    filtered = {
        **labels,
        "categories": [category for category in labels["categories"] if category["id"] in ids],
        "annotations": of(labels["annotations"], "category_id", ids),
    }
    expected = builders.tables(filtered, of(predictions, "category_id", ids))
    names = tuple(category["name"] if by_name else str(category["id"]) for category in chosen)
    found = only_categories(builders.tables(labels, predictions), names)
    assert rows(found) == rows(expected)
    for level, source in (("label", labels["annotations"]), ("prediction", predictions)):
        numbers = sorted(found.table(level)["source_row"].to_pylist())
        assert numbers == [place for place, row in enumerate(source) if row["category_id"] in ids]
        assert found.offsets(level).tolist() == expected.offsets(level).tolist()


def test_no_names_mean_all_categories() -> None:
    tables = builders.tables(document(), [prediction()])
    assert only_categories(tables, ()) is tables


def test_names_and_ids_may_be_mixed_and_repeated() -> None:
    tables = builders.tables(document(labels=[label(1), label(2, category_id=7)]), [])
    part = only_categories(tables, ("7", "cat", "dog"))
    assert part.category["name"].to_pylist() == ["cat", "dog"]
    assert part.values("label", "category_row").tolist() == [0, 1]


def test_a_category_alone_starts_at_row_0() -> None:
    tables = builders.tables(document(labels=[label(1), label(2, category_id=7)]), [prediction(category_id=7)])
    part = only_categories(tables, ("dog",))
    assert part.count("image") == 2
    assert part.values("label", "category_row").tolist() == part.values("prediction", "category_row").tolist() == [0]
    assert part.label["id"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("cat", "dgo"), "did you mean dog?"),
        (("Cat",), "did you mean cat?"),
        (("zebra",), "there are cat, dog"),
        (("8",), ""),
    ],
)
def test_an_unknown_category_is_refused_with_the_nearest(names: tuple[str, ...], hint: str) -> None:
    tables = builders.tables(document(), [])
    with pytest.raises(UsageError) as refusal:
        only_categories(tables, names)
    assert refusal.value.message == f"--categories: no category {names[-1]!r}"
    assert hint in refusal.value.hint
