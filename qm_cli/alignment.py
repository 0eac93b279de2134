"""Two evaluations' tables side by side: the same images, categories and labels, or refused with the difference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import one_chunk, to_arrow
from qm_cli.errors import InputError
from qm_cli.link_ids import first_of_each, linked
from qm_cli.tables import Tables

RowArray = npt.NDArray[np.int64]
EXAMPLES = 3
HINT = "compare models on the same labels"


def aligned(a: Tables, b: Tables) -> Tables:
    """The second tables in the row order of the first. Raises InputError when they are not of the same labels."""
    image, category = (_rows(a, b, level) for level in ("image", "category"))
    names_a, names_b = a.values("category", "name"), b.values("category", "name")
    renamed = np.flatnonzero(names_a[category] != names_b)
    if len(renamed):
        row = int(renamed[0])
        raise _refused(f"category {b.category['id'][row]} is {names_a[category[row]]!r} in A, {names_b[row]!r} in B")
    _refuse_other_labels(a, b, image, category)
    return replace(a, prediction=_moved(b, image, category), findings=b.findings, _views={})


def _refused(difference: str) -> InputError:
    return InputError(f"A and B are not of the same labels: {difference}", HINT)


def _rows(a: Tables, b: Tables, level: str) -> RowArray:
    """Row in the first tables of each row of the second: int64[n]. Raises InputError unless both have the same ids."""
    ids_a, ids_b = one_chunk(a.table(level)["id"]), one_chunk(b.table(level)["id"])
    if ids_a.equals(ids_b):
        return np.arange(len(ids_a))
    rows = linked(ids_b, ids_a)[0].astype(np.int64)
    known = rows[rows >= 0]
    only_b = ids_b.filter(to_arrow(rows < 0))
    missing = np.ones(len(ids_a), bool)
    missing[known] = False
    only_a = ids_a.filter(to_arrow(missing))
    if len(only_a) or len(only_b):
        raise _refused(f"{level} ids: {_few(only_a)} only in A, {_few(only_b)} only in B")
    return rows


def _few(ids: pa.Array) -> str:
    """How many, and the first ones."""
    shown = ", ".join(str(one) for one in ids[:EXAMPLES].to_pylist())
    return f"{len(ids)} ({shown}{', …' if len(ids) > EXAMPLES else ''})" if len(ids) else "none"


def _refuse_other_labels(a: Tables, b: Tables, image: RowArray, category: RowArray) -> None:
    ids = one_chunk(a.label["id"])
    in_order = ids.equals(one_chunk(b.label["id"]))
    if not in_order and not first_of_each(ids).all():
        raise _refused("label ids stand in another order and occur more than once")
    rows = _rows(a, b, "label")
    facts = {
        "image": a.values("label", "image_row")[rows] == image[b.values("label", "image_row")],
        "category": a.values("label", "category_row")[rows] == category[b.values("label", "category_row")],
        "box": (a.values("label", "bbox")[rows] == b.values("label", "bbox")).all(axis=1),
        "area": a.values("label", "area")[rows] == b.values("label", "area"),
        "iscrowd": a.values("label", "iscrowd")[rows] == b.values("label", "iscrowd"),
    }
    for name, same in facts.items():
        if not same.all():
            raise _refused(f"labels of another {name}: {_few(one_chunk(b.label['id']).filter(to_arrow(~same)))}")


def _moved(b: Tables, image: RowArray, category: RowArray) -> pa.Table:
    """The second model's predictions with the first tables' rows, by image."""
    rows = image[b.values("prediction", "image_row")]
    order = np.argsort(rows, kind="stable")
    table = b.prediction.take(pa.array(order))
    columns = {
        "image_row": rows[order].astype(np.int32),
        "category_row": category[b.values("prediction", "category_row")][order].astype(np.int32),
    }
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, to_arrow(values))
    return table
