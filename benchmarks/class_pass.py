"""Class probabilities in a `.npy`, beside plain NumPy passes over the same file: whole processes, by turns.

    python benchmarks/class_pass.py [--rows 1000000] [--classes 1000] [--rounds 5]

A float32 matrix (4 GB by default; it must fit the page cache to be read from memory) and its labels in CSV are made in
`.data` and removed. The passes: the sum of all numbers, which does the least a pass can, and the largest of each row,
which any evaluation of classes needs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

QM = Path(__file__).parent.parent / ".venv" / "bin" / "qm"
ROWS_AT_ONCE = 20_000
PASSES = {
    "sum": "import numpy as np; print(np.load('probs.npy', mmap_mode='r').sum())",
    "argmax": "import numpy as np; print(np.load('probs.npy', mmap_mode='r').argmax(1).sum())",
}


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


def seconds_of(command: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    commands = {name: [sys.executable, "-c", code] for name, code in PASSES.items()}
    commands["qm"] = [str(QM), "evaluate", "labels.csv", "probs.npy", "--json"]
    data = Path(__file__).parent / ".data"
    data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data) as name:
        folder = Path(name)
        make(folder, options.rows, options.classes)
        for command in commands.values():  # once before, so that the file is in memory
            seconds_of(command, folder)
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                found[name].append(seconds_of(command, folder))
    medians = {name: statistics.median(values) for name, values in found.items()}
    told = {
        "seconds": {name: [round(one, 3) for one in values] for name, values in found.items()},
        "beside": {name: round(medians["qm"] / medians[name], 2) for name in PASSES},
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
