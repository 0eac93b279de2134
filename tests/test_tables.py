"""Tables keep their contract: breaches are refused, views share memory and cannot be written to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import numpy as np
import pyarrow as pa
import pytest

from qm_cli import schema
from qm_cli.findings import Finding
from qm_cli.tables import LEVELS, Tables
from tests.input_files import document, image, label, prediction, tables


@pytest.fixture
def loaded(tmp_path: Path) -> Tables:
    images = [image(1), image(2), image(3), image(4, width=None)]
    labels = [label(1, image_id=3), label(2, image_id=1, iscrowd=1), label(3, image_id=3, area=7.5)]
    return tables(tmp_path, document(images, labels), [prediction(image_id=2)])


def broken(loaded: Tables, **tables_of: pa.Table) -> str:
    """The words a breach is refused with."""
    with pytest.raises(ValueError, match=r".") as refusal:
        Tables(**{**{level: loaded.table(level) for level in LEVELS}, **tables_of})
    return str(refusal.value)


def replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


@pytest.mark.parametrize("level", LEVELS)
def test_a_missing_column_is_refused(loaded: Tables, level: str) -> None:
    assert broken(loaded, **{level: loaded.table(level).drop_columns("id")}) == f"{level}.id is missing"


def test_another_type_is_refused(loaded: Tables) -> None:
    label_table = loaded.label
    for name, dtype, wanted in (("image_row", pa.int64(), "int32"), ("area", pa.float32(), "double")):
        other = replaced(label_table, name, label_table[name].cast(dtype))
        assert broken(loaded, label=other) == f"label.{name} is {dtype}, not {wanted}"
    odd = replaced(label_table, "id", pa.array([0.5, 1.5, 2.5]))
    assert broken(loaded, label=odd) == "label.id is double, not identifier"
    wide = replaced(label_table, "bbox", pa.array([[0.0] * 5] * 3, pa.list_(pa.float64(), 5)))
    assert "label.bbox is fixed_size_list" in broken(loaded, label=wide)


def test_nulls_are_refused_where_a_value_must_stand(loaded: Tables) -> None:
    nameless = replaced(loaded.category, "name", pa.array(["cat", None]))
    assert broken(loaded, category=nameless) == "category.name has nulls"
    boxless = replaced(loaded.label, "bbox", pa.array([[0.0] * 4, None, None], pa.list_(pa.float64(), 4)))
    allowed = Tables(loaded.image, loaded.category, boxless, loaded.prediction)
    assert np.isnan(allowed.values("label", "bbox")[1:]).all()


def test_all_breaches_are_told_at_once(loaded: Tables) -> None:
    words = broken(
        loaded, image=loaded.image.drop_columns(["id", "width"]), category=loaded.category.drop_columns("name")
    )
    assert words == "image.id is missing; image.width is missing; category.name is missing"


def test_ids_may_be_text_and_further_columns_anything(loaded: Tables) -> None:
    named = replaced(loaded.image, "id", pa.array(["a", "b", "c", "d"]))
    more = named.append_column("site", pa.array([{"x": 1}] * 4))
    assert Tables(more, loaded.category, loaded.label, loaded.prediction).values("image", "id").tolist() == list("abcd")


def test_views(loaded: Tables) -> None:
    assert loaded.values("label", "area").tolist() == [400.0, 400.0, 7.5]
    assert loaded.values("label", "iscrowd").tolist() == [True, False, False]
    assert loaded.values("label", "bbox").tolist() == [[10, 10, 20, 20]] * 3
    assert loaded.values("image", "file_name").tolist() == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    np.testing.assert_array_equal(loaded.values("image", "width"), [100, 100, 100, np.nan])
    assert loaded.values("label", "image_row").dtype == np.int32


def test_views_are_read_only_and_the_same_each_time(loaded: Tables) -> None:
    for level, name in (("label", "area"), ("label", "bbox"), ("label", "iscrowd"), ("image", "file_name")):
        view = loaded.values(level, name)
        assert view is loaded.values(level, name)
        with pytest.raises(ValueError, match="read-only"):
            view[0] = view[1]


def test_polygons_as_lists_are_nobodys_to_keep(loaded: Tables) -> None:
    shapes = pa.array([[[0.0, 0.0, 9.0, 0.0, 9.0, 9.0]], None, []], schema.POLYGONS)
    bare = loaded.label.select([name for name in loaded.label.column_names if name != "segmentation"])
    label = bare.append_column("segmentation", shapes)
    shaped = Tables(loaded.image, loaded.category, label, loaded.prediction)
    assert shaped.values("label", "segmentation").tolist() == shapes.to_pylist()
    assert shaped.values("label", "segmentation") is not shaped.values("label", "segmentation")


def test_threads_that_derive_different_columns_do_not_wait_for_each_other(loaded: Tables) -> None:
    """Each is done only when both are under way."""
    both = Barrier(2, timeout=20)
    with ThreadPoolExecutor(2) as threads:
        made = threads.map(lambda name: loaded.derived("label", name, both.wait), ("one", "other"))
        assert sorted(made) == [0, 1]


def test_what_is_derived_is_derived_once_whoever_asks(loaded: Tables) -> None:
    together, another = Barrier(4, timeout=20), Barrier(2, timeout=0.2)
    calls: list[str] = []

    def make() -> list[str]:
        calls.append("made")
        with pytest.raises(BrokenBarrierError):
            another.wait()
        return calls

    def ask(tables: Tables) -> list[str]:
        together.wait()
        found: list[str] = tables.derived("label", "slow", make)
        return found

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(ask, [loaded, loaded.with_findings([]), loaded, loaded]))
    assert all(one is calls for one in found)
    assert calls == ["made"]


def test_one_derived_column_may_need_another_and_a_failure_is_not_kept(loaded: Tables) -> None:
    def fail() -> int:
        raise ValueError("no memory")

    with pytest.raises(ValueError, match="no memory"):
        loaded.derived("label", "whole", fail)
    inner = lambda: loaded.derived("label", "part", lambda: 2) + 1  # noqa: E731
    assert loaded.derived("label", "whole", inner) == 3


def test_offsets_are_read_only(loaded: Tables) -> None:
    with pytest.raises(ValueError, match="read-only"):
        loaded.offsets("label")[0] = 1


def test_numbers_and_boxes_are_not_copied(loaded: Tables) -> None:
    area = loaded.label["area"].chunk(0).buffers()[1]
    assert loaded.values("label", "area").ctypes.data == area.address
    corners = loaded.label["bbox"].chunk(0).values.buffers()[1]
    assert loaded.values("label", "bbox").ctypes.data == corners.address


def test_offsets_count_images_without_rows(loaded: Tables) -> None:
    assert loaded.offsets("label").tolist() == [0, 1, 1, 3, 3]
    assert loaded.offsets("prediction").tolist() == [0, 0, 1, 1, 1]
    assert loaded.offsets("label") is loaded.offsets("label")


def test_chunks_and_slices_are_seen_as_one_column(loaded: Tables) -> None:
    two = pa.concat_tables([loaded.label.slice(0, 1), loaded.label.slice(1)])
    chunked = Tables(loaded.image, loaded.category, two, loaded.prediction)
    sliced = Tables(loaded.image, loaded.category, loaded.label.slice(1), loaded.prediction)
    for name in ("area", "bbox", "iscrowd", "image_row", "id"):
        whole = loaded.values("label", name).tolist()
        assert chunked.values("label", name).tolist() == whole
        assert sliced.values("label", name).tolist() == whole[1:]


def test_no_rows(loaded: Tables) -> None:
    none = Tables(*(loaded.table(level).slice(0, 0) for level in LEVELS))
    assert [none.count(level) for level in LEVELS] == [0, 0, 0, 0]
    assert none.values("label", "bbox").shape == (0, 4)
    assert none.offsets("label").tolist() == [0]


def test_findings_are_added_to_a_copy(loaded: Tables) -> None:
    first, second = Finding("label-zero-area", 1, ("1",)), Finding("label-bad-area", 2, ("2", "3"))
    more = loaded.with_findings([first]).with_findings([second])
    assert more.findings[-2:] == (first, second)
    assert len(loaded.findings) == len(more.findings) - 2
    assert more.values("label", "area") is loaded.values("label", "area")
