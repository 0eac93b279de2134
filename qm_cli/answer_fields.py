"""Further columns of a table or list of answers (site, split, hour): metadata of its data rows, or of its labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli import answer_files, schema
from qm_cli.arrays import compute, to_arrow, to_numpy, valid
from qm_cli.ingest import answers_columnar, answers_json
from qm_cli.link_ids import distinct
from qm_cli.raw import Columns, RawLabels

SIZES = ("width", "height")
OWN = {"file_name": pa.string(), **dict.fromkeys(SIZES, pa.float64())}
"""Fields of data rows that qm knows itself, as their type."""
TAKEN = frozenset((*schema.known_columns("image"), *schema.known_columns("label"), "category_name", "confidence"))
TAKEN |= {"image_id", "category_id", "shape", "question_type"}


def with_fields(raw: RawLabels, plain: Path, path: Path) -> RawLabels:
    """Labels without a list of data rows, with the further scalar columns of their file.

    A column with one value per data row (null apart) becomes one of `image`, in the order of `distinct` ids; any other
    stays with the labels. plain: the file as it is on disk, unpacked; path: as it was given.
    """
    kind = answer_files.form(plain, path, raw.where)
    table = kind == "table"
    found = answers_columnar.further_columns(plain, raw.where) if table else answers_json.further_columns(plain, kind)
    ids = raw.label["image_id"]
    known = distinct(ids)
    row = np.nan_to_num(to_numpy(compute.index_in(ids, value_set=known)), nan=-1).astype(np.int64)
    image: Columns = {}
    label: Columns = {}
    for name, column in found.items():
        if name in OWN:
            column = _as_own(column, OWN[name])
        if column.null_count == len(column) or (name in TAKEN and name not in OWN):
            continue
        of_rows = _of_rows(column, row, len(known))
        if of_rows is not None:
            image[name] = of_rows
        elif name not in OWN:
            label[name] = column
    return replace(raw, image=image, label={**raw.label, **label})


def _as_own(column: pa.Array, dtype: pa.DataType) -> pa.Array:
    """The column as that type; nothing where it holds something else."""
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    fits = number if pa.types.is_floating(dtype) else column.type == dtype
    return column.cast(dtype) if fits else pa.nulls(len(column), dtype)


def _of_rows(column: pa.Array, row: npt.NDArray[np.int64], rows: int) -> pa.Array | None:
    """The one value of each data row, null where it has none; None where a data row has several."""
    places = np.flatnonzero(valid(column) & (row >= 0))
    code = np.nan_to_num(to_numpy(column.dictionary_encode().indices), nan=-1).astype(np.int64)
    first = np.full(rows, -1, np.int64)
    first[row[places[::-1]]] = places[::-1]
    if (code[places] != code[first[row[places]]]).any():
        return None
    return column.take(to_arrow(np.where(first < 0, np.nan, first)).cast(pa.int64()))
