"""NumPy ⇄ Arrow on shared memory.

pyarrow's own conversions import pandas, which takes as long as reading 500,000 predictions; these go through buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.errors import InputError

AnyArray = npt.NDArray[Any]
MOST_TEXT = 2**31 - 1
"""Bytes."""


class _Compute:
    """pyarrow.compute, imported when first used: the usual files never need it, and it takes its time."""

    def __getattr__(self, name: str) -> Any:
        import pyarrow.compute

        return getattr(pyarrow.compute, name)


compute: Any = _Compute()


def parsed_numbers(text: bytes, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
    """The numbers that text is made of, of which each begins at an offset and ends at the next: float64[n].

    None where one cannot be read. The kernel is pyarrow.compute's, whose module takes 30 ms to import, its extension 5.
    """
    from pyarrow._compute import CastOptions, call_function

    texts = pa.Array.from_buffers(
        pa.large_string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    try:
        numbers: npt.NDArray[np.float64] = to_numpy(call_function("cast", [texts], CastOptions.safe(pa.float64())))
    except pa.ArrowInvalid:
        return None
    return numbers


def to_arrow(values: AnyArray) -> pa.Array:
    """A column as Arrow, numbers without a copy: NaN and None become null, float64[n, k] a fixed-size list."""
    if values.ndim == 2:
        return _list_array(values)
    if values.dtype.kind in "OU":
        return _object_array(values.tolist())
    if values.dtype.kind == "b":
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])
    missing = np.isnan(values) if values.dtype.kind == "f" else None
    values = np.ascontiguousarray(values)
    dtype = pa.from_numpy_dtype(values.dtype)
    if missing is None or not missing.any():
        return pa.Array.from_buffers(dtype, len(values), [None, pa.py_buffer(values)], 0)
    return pa.Array.from_buffers(dtype, len(values), [_bits(~missing), pa.py_buffer(values)], int(missing.sum()))


def rows_to_arrow(rows: npt.NDArray[np.integer]) -> pa.Array:
    """Row numbers as int32, null below 0."""
    there = rows >= 0
    values = np.ascontiguousarray(rows, np.int32)
    return pa.Array.from_buffers(pa.int32(), len(values), [_bits(there), pa.py_buffer(values)], int((~there).sum()))


def _object_array(values: list[Any]) -> pa.Array:
    """Texts without pyarrow's own conversion, each distinct one encoded once; anything else with it."""
    try:
        distinct = list(dict.fromkeys(values))
    except TypeError:  # lists and the like
        return pa.array(values)
    if not all(value is None or type(value) is str for value in distinct):
        return pa.array(values)
    if distinct in ([], [None]):
        return pa.nulls(len(values))
    place = {value: number for number, value in enumerate(distinct)}
    return strings_to_arrow(distinct).take(to_arrow(np.fromiter(map(place.__getitem__, values), np.int32, len(values))))


def _bits(mask: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def _list_array(rows: AnyArray) -> pa.FixedSizeListArray:
    """A row that starts with NaN is null."""
    rows = np.ascontiguousarray(rows, np.float64)
    count, size = rows.shape
    missing = np.isnan(rows[:, 0]) if size else np.zeros(count, bool)
    flat = pa.Array.from_buffers(pa.float64(), rows.size, [None, pa.py_buffer(rows)], 0)
    validity = _bits(~missing) if missing.any() else None
    return pa.Array.from_buffers(pa.list_(pa.float64(), size), count, [validity], int(missing.sum()), children=[flat])


def vectors_to_arrow(rows: npt.NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Vectors float32[n, d] as a fixed-size list column; a row that starts with NaN is null."""
    rows = np.ascontiguousarray(rows, np.float32)
    missing = np.isnan(rows[:, 0]) if rows.shape[1] else np.ones(len(rows), bool)
    validity = _bits(~missing) if missing.any() else None
    flat = pa.Array.from_buffers(pa.float32(), rows.size, [None, pa.py_buffer(rows)], 0)
    dtype = pa.list_(pa.float32(), rows.shape[1])
    return pa.Array.from_buffers(dtype, len(rows), [validity], int(missing.sum()), children=[flat])


def strings_to_arrow(values: Sequence[str | None]) -> pa.StringArray:
    """Strings as an Arrow column; None becomes null."""
    plain = _ascii_to_arrow(values)
    if plain is not None:
        return plain
    return bytes_to_arrow([None if value is None else value.encode("utf-8", "surrogateescape") for value in values])


def _ascii_to_arrow(values: Sequence[str | None]) -> pa.StringArray | None:
    """The usual column, without null and of ASCII alone: encoded in one go."""
    try:
        joined = "".join(values)  # type: ignore[arg-type]
    except TypeError:
        return None
    if not joined.isascii():
        return None
    offsets = _text_offsets(values)  # type: ignore[arg-type]
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(joined.encode()))


def bytes_to_arrow(values: Sequence[bytes | None]) -> pa.StringArray:
    """UTF-8 texts as an Arrow column; None becomes null."""
    encoded = [b"" if value is None else value for value in values]
    offsets = _text_offsets(encoded)
    present = np.fromiter((value is not None for value in values), bool, len(values))
    validity = None if present.all() else _bits(present)
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.StringArray.from_buffers(len(values), *buffers[1:], validity, int((~present).sum()))


def _text_offsets(texts: Sequence[str] | Sequence[bytes]) -> npt.NDArray[np.int32]:
    """Where each text begins, and the last one ends. Raises InputError for more than an Arrow column of texts holds."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=offsets[1:])
    if offsets[-1] > MOST_TEXT:
        raise InputError(f"{offsets[-1]:,} bytes of text in one column, {MOST_TEXT:,} are the most", "split the file")
    return offsets.astype(np.int32)


def one_chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as a single array; a column without chunks as an empty one."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def number_or_none(value: float) -> float | None:
    """A number as JSON has it: NaN, which says that it is undefined, is null.

    >>> number_or_none(np.float64(0.5)), number_or_none(np.nan)
    (0.5, None)
    """
    return None if np.isnan(value) else float(value)


def all_finite(values: AnyArray) -> bool:
    """Whether no number is NaN or infinite; the sum tells at once in all but the strangest cases."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def flat_values(lists: pa.ListArray) -> pa.Array:
    """All values of a list column without null rows, one row after the other, uncopied."""
    if len(lists) == 0:
        return lists.values.slice(0, 0)
    offsets = np.frombuffer(lists.buffers()[1], np.int32, len(lists) + 1, lists.offset * 4)
    return lists.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def to_numpy(column: pa.ChunkedArray | pa.Array) -> AnyArray:
    """Numbers uncopied, NaN for null; booleans, null as False; fixed-size lists as float64[n, k]; else objects."""
    array = one_chunk(column)
    dtype = array.type
    if pa.types.is_fixed_size_list(dtype):
        return _list_rows(array)
    if pa.types.is_boolean(dtype):
        return _unpacked(array.buffers()[1], array) & valid(array)
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return _numbers(array)
    return objects(array.to_pylist())


def objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    """Any values as object[n], lists of equal length included."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def valid(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Which values are not null: bool[n]."""
    if array.null_count == 0:
        return np.ones(len(array), bool)
    if pa.types.is_null(array.type):
        return np.zeros(len(array), bool)
    return _unpacked(array.buffers()[0], array)


def _unpacked(bits: pa.Buffer | None, array: pa.Array) -> npt.NDArray[np.bool_]:
    if bits is None:
        return np.zeros(len(array), bool)
    packed = np.frombuffer(bits, np.uint8)
    unpacked = np.unpackbits(packed, count=array.offset + len(array), bitorder="little")
    return unpacked[array.offset :].astype(bool)


def _numbers(array: pa.Array) -> AnyArray:
    dtype = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array), dtype)
    values = np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize)
    if array.null_count == 0:
        return values
    return np.where(valid(array), values.astype(np.float64), np.nan)


def _list_rows(array: pa.FixedSizeListArray) -> npt.NDArray[np.float64]:
    size = array.type.list_size
    rows = _numbers(array.values.slice(array.offset * size, len(array) * size)).reshape(len(array), size)
    if array.null_count:
        rows = rows.astype(np.float64)
        rows[~valid(array)] = np.nan
    return rows
