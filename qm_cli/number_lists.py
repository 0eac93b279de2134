"""Flat lists of numbers as JSON texts → a list column."""

from __future__ import annotations

from itertools import chain

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import all_finite, to_arrow, to_numpy
from qm_cli.raw import lists_of

NUMERALS = b"0123456789+-.eE, "


def number_lists(texts: list[bytes]) -> pa.Array | None:
    """list<double> where each of these texts, valid JSON, is a flat list of numbers; else None."""
    equal = _equal_lists(texts)
    if equal is not None:
        return lists_of(np.arange(len(texts) + 1, dtype=np.int32) * equal.shape[1], to_arrow(equal.ravel()))
    try:
        found = msgspec.json.decode(b"[" + b",".join(texts) + b"]", type=list[list[float]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(found) != len(texts):
        return None
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    flat = np.fromiter(chain.from_iterable(found), np.float64, int(lengths.sum()))
    return lists_of(np.append(0, np.cumsum(lengths)).astype(np.int32), to_arrow(flat))


def _equal_lists(texts: list[bytes]) -> npt.NDArray[np.float64] | None:
    """Lists of one length, read as the lines of a table beside other threads: float64[n, k]; else None.

    Only numerals and commas between the brackets, so that a line means what its list does.
    """
    rows_of_text = b"\n".join(texts)
    lines = rows_of_text.translate(None, b"[]")
    flat = rows_of_text.count(b"[") == rows_of_text.count(b"]") == len(texts) and all(
        text[:1] == b"[" for text in texts
    )
    if not flat or not lines or lines.count(b"\n") != len(texts) - 1 or lines.translate(None, NUMERALS + b"\n"):
        return None
    from pyarrow import csv

    names = [str(number) for number in range(texts[0].count(b",") + 1)]
    numbers = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()), null_values=[])
    try:
        table = csv.read_csv(
            pa.py_buffer(lines),
            csv.ReadOptions(column_names=names),
            csv.ParseOptions(ignore_empty_lines=False),
            numbers,
        )
    except pa.ArrowInvalid:  # lists of several lengths
        return None
    if table.num_rows != len(texts):  # an empty list at the end is no line
        return None
    rows = np.empty((len(texts), len(names)))
    for number, column in enumerate(table.columns):
        begin = 0
        for chunk in column.chunks:
            rows[begin : begin + len(chunk), number] = to_numpy(chunk)
            begin += len(chunk)
    return rows if all_finite(rows) else None
