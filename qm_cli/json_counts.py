"""Proof by counting that a JSON file holds plain numbers alone where numbers are expected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

BLOCK_BYTES = 1 << 20
LETTERS = b'"ul'
QUOTE, COLON = b'":'


def expected_counts(names: list[str], rows: int, texts: list[pa.Array], strings: Sequence[pa.Array] = ()) -> list[int]:
    """How often each of LETTERS stands in a file whose other values are all plain numbers and lists of them.

    names: keys of every row; texts: values as they stand in the file; strings: values without their quotes.
    """
    counts = [2 * rows * (len(names) + len(strings)), *(rows * "".join(names).count(letter) for letter in "ul")]
    for text in (*texts, *strings):
        content = np.frombuffer(text.buffers()[2] or b"", np.uint8)
        counts = [count + more for count, more in zip(counts, _counts(content), strict=True)]
    return counts


def byte_counts(path: Path) -> list[int]:
    """How often each of LETTERS stands in a file, which is read a block at a time."""
    counts, block = [0] * len(LETTERS), np.empty(BLOCK_BYTES, np.uint8)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(block.data):
            counts = [count + more for count, more in zip(counts, _counts(block[:size]), strict=True)]
    return counts


def key_count(content: bytes) -> int:
    """How often a quote stands before a colon, as behind every key."""
    found, text = 0, np.frombuffer(content, np.uint8)
    for start in range(0, max(len(text) - 1, 0), BLOCK_BYTES):
        block = text[start : start + BLOCK_BYTES + 1]
        found += int(np.count_nonzero((block[:-1] == QUOTE) & (block[1:] == COLON)))
    return found


def _counts(content: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> list[int]:
    """How often each of LETTERS stands in the bytes; in blocks, so that memory stays flat."""
    counts = [0] * len(LETTERS)
    for start in range(0, len(content), BLOCK_BYTES):
        block = content[start : start + BLOCK_BYTES]
        counts = [count + int(np.count_nonzero(block == letter)) for count, letter in zip(counts, LETTERS, strict=True)]
    return counts
