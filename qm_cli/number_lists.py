"""Flat lists of numbers as JSON texts → a list column."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import all_finite, parsed_numbers, to_arrow
from qm_cli.raw import lists_of

MARKS = b"[,]"
OPEN, COMMA, CLOSE = MARKS
NUMERALS = b"0123456789+-.eE"
SPACES = b" \t\r\n"
LISTS_AT_ONCE = 1 << 12
Text = bytes | msgspec.Raw


def number_lists(texts: Sequence[Text]) -> pa.Array | None:
    """list<double> where each of these texts, valid JSON, is a flat list of numbers; else None.

    Some thousands are read at a time, which the cache holds, and these side by side.
    """

    def read(begin: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]] | None:
        return _read(texts[begin : begin + LISTS_AT_ONCE])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        blocks = list(threads.map(read, range(0, len(texts), LISTS_AT_ONCE)))
    found = [block for block in blocks if block is not None]
    if len(found) < len(blocks):
        return None
    lengths = np.concatenate([np.zeros(1, np.int64), *(lengths for lengths, _ in found)])
    values = np.concatenate([np.zeros(0), *(values for _, values in found)])
    return lists_of(np.cumsum(lengths).astype(np.int32), to_arrow(values))


def _read(texts: Sequence[Text]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]] | None:
    """How long the lists are, and their numbers, one list after the other; None where they are anything else.

    A number stands behind each bracket and comma; nothing does behind one that closes, or opens an empty list. Lists
    are flat where as many close as there are texts, and what follows each is the next.
    """
    listed = b"".join(texts).translate(None, SPACES)
    numerals = listed.translate(None, MARKS)
    signs = np.frombuffer(listed, np.uint8)
    marks = np.flatnonzero((signs == OPEN) | (signs == COMMA) | (signs == CLOSE))
    kinds = signs.take(marks)
    closing = marks[kinds == CLOSE]
    flat = len(closing) == len(texts) and closing[-1] == len(signs) - 1 and signs[0] == OPEN
    if not flat or (signs.take(closing[:-1] + 1) != OPEN).any() or numerals.translate(None, NUMERALS):
        return None
    starts = marks - np.arange(len(marks))
    filled = np.diff(starts, append=len(numerals)) > 0
    firsts = np.flatnonzero(kinds == OPEN)
    lengths = np.diff(firsts, append=len(marks)) - 1 - ~filled.take(firsts)
    values = parsed_numbers(numerals, np.append(starts[filled], len(numerals)))
    return None if values is None or not all_finite(values) else (lengths, values)
