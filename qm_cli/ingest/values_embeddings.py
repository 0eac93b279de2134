"""Embeddings computed elsewhere: rows of a .npy in the order of the images, or Parquet with ids and vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from qm_cli.arrays import one_chunk, to_numpy, vectors_to_arrow
from qm_cli.errors import InputError
from qm_cli.ingest.values import KEYS, read_table, rows_of_ids
from qm_cli.tables import Tables

EMBEDDING = "embedding"
IMAGE_KEYS = tuple(name for name, (level, _) in KEYS.items() if level == "image")


def with_embeddings(tables: Tables, path: Path) -> Tables:
    """The tables with the file's vectors as the image column `embedding`, fixed-size lists of float32.

    A vector with a null or no number in it is null, and so is an image that the Parquet file does not list. Raises
    InputError for a file of another kind, shape or number of rows, and for ids as `with_values` does.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file", "name a .npy or .parquet file of embeddings")
    if path.suffix.lower() == ".npy":
        rows = _from_npy(path, tables.count("image"))
    elif path.suffix.lower() == ".parquet":
        rows = _from_parquet(path, tables)
    else:
        raise InputError(f"{path}: unknown kind of file", "give .npy, or .parquet with a column of ids")
    if rows.shape[1] == 0:
        raise InputError(f"{path}: vectors without a number", "write the file again")
    rows[~np.isfinite(rows).all(axis=1)] = np.nan
    others = tables.image.drop_columns([EMBEDDING]) if EMBEDDING in tables.image.column_names else tables.image
    return replace(tables, image=others.append_column(EMBEDDING, vectors_to_arrow(rows)), _views={})


def _from_npy(path: Path, images: int) -> npt.NDArray[np.float32]:
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}", "write it by numpy.save") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind not in "fiu":
        found = f"{rows.dtype} of shape {rows.shape}" if isinstance(rows, np.ndarray) else "no single array"
        raise InputError(f"{path}: {found}", "write one row of numbers per image")
    if len(rows) != images:
        message = f"{path}: {len(rows):,} rows for {images:,} images"
        raise InputError(message, "write one per image of the label file, in its order, or Parquet with ids")
    return rows.astype(np.float32)


def _from_parquet(path: Path, tables: Tables) -> npt.NDArray[np.float32]:
    table = read_table(path)
    key = next((name for name in IMAGE_KEYS if name in table.column_names), None)
    if key is None:
        raise InputError(f"{path}: no column of image ids", f"name one {', '.join(IMAGE_KEYS)}")
    vectors = [field.name for field in table.schema if _is_vector(field.type)]
    if len(vectors) != 1:
        found = ", ".join(vectors) or "none"
        raise InputError(f"{path}: one column of vectors is wanted, it has {found}", f"write it as {EMBEDDING}")
    rows = rows_of_ids(tables.image[KEYS[key][1]], table[key], path)
    return _matrix(one_chunk(table[vectors[0]]).take(rows), path)


def _is_vector(dtype: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(dtype) for test in lists) and pa.types.is_floating(dtype.value_type)


def _matrix(lists: pa.Array, path: Path) -> npt.NDArray[np.float32]:
    """Lists of one length under each other, NaN for a null."""
    if not pa.types.is_fixed_size_list(lists.type):
        lengths = set(lists.drop_null().value_lengths().to_pylist())
        if len(lengths) > 1:
            told = " and ".join(map(str, sorted(lengths)[:2]))
            raise InputError(f"{path}: vectors of {told} numbers", "give every image as many")
        lists = lists.cast(pa.list_(lists.type.value_type, lengths.pop() if lengths else 0))
    whole = lists.cast(pa.list_(pa.float32(), lists.type.list_size))
    return np.array(to_numpy(whole), np.float32)
