"""Time whole processes: wall time, CPU time and peak memory of each run, several commands taking turns.

This module and its caller import nothing heavy: a child's peak memory as the kernel reports it is never below
that of the process which started it.
"""

from __future__ import annotations

import os
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHECKOUT = str(Path(__file__).resolve().parents[1])
TOLD_OF_ERRORS = 2000  # characters
BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024
FORGOTTEN_VARIABLES = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME")


class RunFailedError(Exception):
    """A timed process ended with an exit code other than 0."""


@dataclass(frozen=True)
class Command:
    """One way to do the work, timed as a whole process."""

    name: str
    argv: tuple[str, ...]
    check: tuple[str, ...] = ()  # the same work, printing its numbers as one JSON object; run once, before the timing
    once: bool = False  # too slow to take turns: a single run (its check, where it has one), without a warm-up


@dataclass(frozen=True)
class Sample:
    """What one run cost, and what it left behind."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak: float  # bytes
    left: tuple[str, ...] = ()  # files in its home, temporary or working folder; processes still alive


def child_environment(home: Path) -> dict[str, str]:
    """The caller's environment, with an empty home, cache and temporary folder so that nothing survives a run."""
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN_VARIABLES}
    folders = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(home))
    return {**kept, **folders, "PYTHONUSERBASE": site.getuserbase()}


def left_behind(home: Path, group: int) -> tuple[str, ...]:
    """Names of the files a run left in its folder, and a word about processes of its group that live on."""
    files = [str(path.relative_to(home)) for path in sorted(home.rglob("*")) if path.is_file()]
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return tuple(files)
    return (*files, "(a running process)")


def told(argv: Sequence[str]) -> str:
    """A command line for people: names without their folders."""
    return " ".join(Path(word).name if os.sep in word else word for word in argv)


def start(argv: Sequence[str], home: Path, stdout: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process of its own group, without stdin."""
    environment, nothing = child_environment(home), subprocess.DEVNULL
    return subprocess.Popen(
        argv, stdin=nothing, stdout=stdout, stderr=errors, cwd=home, env=environment, process_group=0
    )


def time_process(argv: Sequence[str], output: Path | None = None) -> Sample:
    """Run one process to its end in an empty home and working folder; stdout goes to `output` or nowhere."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        tempfile.TemporaryFile() as errors,
        (output or Path(os.devnull)).open("wb") as stdout,
    ):
        begin = time.perf_counter()
        process = start(argv, Path(folder), stdout, errors)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace").strip().replace(CHECKOUT, ".")[-TOLD_OF_ERRORS:]
            raise RunFailedError(f"exit code {process.returncode}: {told(argv)}\n{tail}")
        cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES_PER_MAXRSS
        return Sample(wall, cpu, peak, left_behind(Path(folder), process.pid))


def captured(argv: Sequence[str]) -> tuple[Sample, str]:
    """The cost and the stdout of one run."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        output = Path(folder) / "stdout"
        return time_process(argv, output), output.read_text()


def take_turns(commands: Sequence[Command], rounds: int, tell: Callable[[str], None]) -> dict[str, list[Sample]]:
    """Samples by command, A B C A B C …; element i of every list belongs to round i."""
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for turn in range(rounds):
        tell(f"round {turn + 1} of {rounds}")
        for command in commands:
            samples[command.name].append(time_process(command.argv))
    return samples
