"""Class probabilities in a `.npy`, beside plain NumPy passes over the same file: whole processes, by turns.

    python benchmarks/class_pass.py [--rows 1000000] [--classes 1000] [--rounds 5]

A float32 matrix (4 GB by default; it must fit the page cache to be read from memory) and its labels in CSV are made in
`.data` and removed. The passes: the sum of all numbers, which does the least a pass can, and the largest of each row,
which any evaluation of classes needs. Peak memory counts the pages of the mapped file that are in memory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from timing import Command, take_turns, time_process

HERE = Path(__file__).resolve().parent
QM = HERE.parent / ".venv" / "bin" / "qm"
PASSES = {"sum": "sum()", "argmax": "argmax(1).sum()"}
MEGABYTE = 1e6


def commands(folder: Path) -> list[Command]:
    """The passes and qm, each a whole process."""
    matrix = folder / "probs.npy"
    code = "import numpy as np; print(np.load({!r}, mmap_mode='r').{})"
    found = [Command(name, (sys.executable, "-c", code.format(str(matrix), work))) for name, work in PASSES.items()]
    return [*found, Command("qm", (str(QM), "evaluate", str(folder / "labels.csv"), str(matrix), "--json"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    (HERE / ".data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE / ".data") as folder:
        size = ("--rows", str(options.rows), "--classes", str(options.classes))
        time_process((sys.executable, str(HERE / "class_data.py"), folder, *size))
        ready = commands(Path(folder))
        take_turns(ready, 1, lambda _: None)  # so that the file is in memory
        found = take_turns(ready, options.rounds, lambda turn: print(turn, file=sys.stderr))
    walls = {name: statistics.median(one.wall for one in samples) for name, samples in found.items()}
    for name, samples in found.items():
        peak = max(one.peak for one in samples) / MEGABYTE
        beside = f"qm takes {walls['qm'] / walls[name]:.2f} x as long" if name in PASSES else ""
        sys.stdout.write(f"{name:8} {walls[name]:7.3f} s  {peak:8,.0f} MB  {beside}\n")


if __name__ == "__main__":
    main()
