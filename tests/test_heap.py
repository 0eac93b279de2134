from __future__ import annotations

import subprocess
import sys

import pytest

from qm_cli.heap import keep_freed

PLANES = """
import resource, sys
import numpy as np
from qm_cli.heap import keep_freed

if sys.argv[1] == "kept":
    keep_freed()

def image():
    for plane in [np.empty(900_000, np.uint8) for _ in range(8)]:
        plane[:] = 1

image()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    image()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages asked of the system for fifty times eight planes of 900 kB, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", PLANES, how], capture_output=True, check=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux") or not keep_freed(), reason="glibc's alone")
def test_planes_are_made_of_memory_that_was_freed() -> None:
    assert faults("kept") < faults("") / 5


def test_said_once() -> None:
    assert keep_freed() is keep_freed()
