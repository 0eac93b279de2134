"""Seeded class probabilities for the benchmarks: a float32 matrix as `.npy` and its labels as CSV.

python benchmarks/class_data.py OUT --rows 1000000 --classes 1000
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

ROWS_AT_ONCE = 20_000


def make(folder: Path, rows: int, classes: int) -> None:
    """Rows that sum to 1, the true class often the largest."""
    random = np.random.default_rng(0)
    true = random.integers(0, classes, rows)
    matrix = np.lib.format.open_memmap(folder / "probs.npy", mode="w+", dtype=np.float32, shape=(rows, classes))
    for begin in range(0, rows, ROWS_AT_ONCE):
        own = true[begin : begin + ROWS_AT_ONCE]
        part = random.random((len(own), classes), dtype=np.float32) ** 2
        part[np.arange(len(own)), own] += 1.5 * random.random(len(own), dtype=np.float32)
        matrix[begin : begin + len(own)] = part / part.sum(1, keepdims=True)
    matrix.flush()
    lines = [f"{row},c{one:04d}\n" for row, one in enumerate(true.tolist())]
    (folder / "labels.csv").write_text("data_row_id,category\n" + "".join(lines))


def main() -> None:
    """Write the files the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    make(options.out, options.rows, options.classes)


if __name__ == "__main__":
    main()
