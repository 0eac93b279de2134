"""Flat lists of numbers as JSON texts → a list column."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import all_finite, to_arrow, to_numpy
from qm_cli.raw import lists_of

NUMERALS = b"0123456789+-.eE \n"
COMMA, LINE_END = b",\n"
LINES = bytes.maketrans(b",", b"\n")
LISTS_AT_ONCE = 1 << 12
Text = bytes | msgspec.Raw


def number_lists(texts: Sequence[Text]) -> pa.Array | None:
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


def _equal_lists(texts: Sequence[Text]) -> npt.NDArray[np.float64] | None:
    """Lists of one length, some thousands at a time and these side by side: float64[n, k]; else None."""
    rows = np.empty((len(texts), bytes(texts[0]).count(b",") + 1))

    def read(begin: int) -> bool:
        block = slice(begin, begin + LISTS_AT_ONCE)
        return _read(texts[block], rows[block])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return rows if all(threads.map(read, range(0, len(texts), LISTS_AT_ONCE))) else None


def _read(texts: Sequence[Text], rows: npt.NDArray[np.float64]) -> bool:
    """Fill float64[n, k] with lists, read as a table of one column; False where they are not all flat and that long.

    Only numerals and commas between the brackets, so that a line of the table is a number.
    """
    listed = b"\n".join(texts)
    lines = listed.translate(LINES, b"[]")
    begun = listed.startswith(b"[") and listed.count(b"\n[") == len(texts) - 1 == listed.count(b"\n")
    if not begun or listed.count(b"[") > len(texts) or lines.translate(None, NUMERALS):
        return False
    signs = np.frombuffer(listed, np.uint8)
    ends = np.flatnonzero((signs == COMMA) | (signs == LINE_END))
    if len(ends) != rows.size - 1 or not (signs.take(ends[rows.shape[1] - 1 :: rows.shape[1]]) == LINE_END).all():
        return False
    from pyarrow import csv

    alone = csv.ReadOptions(column_names=["number"], use_threads=False, block_size=len(lines) + 1)
    numbers = csv.ConvertOptions(column_types={"number": pa.float64()}, null_values=[])
    try:
        column = csv.read_csv(pa.py_buffer(lines), alone, None, numbers)[0]
    except pa.ArrowInvalid:  # nothing but empty lists
        return False
    if len(column) != rows.size:
        return False
    rows[:] = to_numpy(column).reshape(rows.shape)
    return all_finite(rows)
