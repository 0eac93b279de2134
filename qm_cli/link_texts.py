"""JSON texts of shapes, or lists of numbers, → rows of numbers; what is no list of numbers becomes NaN or None."""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import compute as pc
from qm_cli.arrays import flat_values, to_numpy
from qm_cli.number_lists import number_lists

Numbers = npt.NDArray[np.float64]
FLAT = list[float | list[float]] | None


def decoded_texts(texts: pa.Array, kind: Any) -> list[Any]:
    """Each JSON text as a value of that kind; None for null and for what is none."""
    contents = [b"null" if text is None else text.encode() for text in texts.to_pylist()]
    try:
        found: list[Any] = msgspec.json.decode(b"[" + b",".join(contents) + b"]", type=list[kind])
        return found if len(found) == len(contents) else [_one(content, kind) for content in contents]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [_one(content, kind) for content in contents]


def _one(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def number_rows(shape: pa.Array, count: int) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """Rows of that many numbers, float64[n, count], NaN for those of another length; and each one's length.

    The rows may share their memory with the column.
    """
    lists = _number_lists(shape)
    if lists.null_count == 0:
        lengths, values = np.diff(to_numpy(lists.offsets)).astype(np.int64), flat_values(lists)
    else:
        lengths = np.nan_to_num(to_numpy(pc.list_value_length(lists)), nan=0).astype(np.int64)
        values = lists.flatten()
    flat = np.asarray(to_numpy(values), np.float64)
    fits = lengths == count
    if fits.all():
        return flat.reshape(-1, count), lengths
    rows = np.full((len(lists), count), np.nan)
    rows[fits] = flat[np.repeat(fits, lengths)].reshape(-1, count)
    return rows, lengths


def _number_lists(shape: pa.Array) -> pa.Array:
    """A list column of doubles; a list of one list counts as that one, four points [x, y] as their eight numbers."""
    if not pa.types.is_string(shape.type):
        return shape
    if shape.null_count == 0:
        plain_lists = number_lists([text.encode() for text in shape.to_pylist()])
        if plain_lists is not None:
            return plain_lists
    found = decoded_texts(shape, FLAT)
    plain = [one[0] if one and len(one) == 1 and isinstance(one[0], list) else one for one in found]
    plain = [list(chain.from_iterable(one)) if one and len(one) == 4 and _is_points(one) else one for one in plain]
    nested = [one is not None and any(isinstance(value, list) for value in one) for one in plain]
    return pa.array([None if odd else one for one, odd in zip(plain, nested, strict=True)], pa.list_(pa.float64()))


def part_rows(shape: pa.Array) -> list[list[list[float]] | None]:
    """Each row's parts, lists of numbers; a flat list is one part, and so is a list of points [x, y]."""
    found = decoded_texts(shape, FLAT) if pa.types.is_string(shape.type) else shape.to_pylist()
    return [None if one is None else _parts(one) for one in found]


def _parts(line: list[Any]) -> list[list[float]] | None:
    """None for a list with a null in it, or of numbers and lists."""
    nested = sum(isinstance(value, list) for value in line)
    if None in line or nested not in (0, len(line)):
        return None
    if line and not nested:
        return [line]
    return [list(chain.from_iterable(line))] if len(line) > 1 and _is_points(line) else line


def _is_points(values: list[Any]) -> bool:
    return all(isinstance(value, list) and len(value) == 2 for value in values)
