"""What is said on stderr: progress and talk; and whether it is wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FOREIGN = "backslashreplace"
"""How files tell the bytes of a name that are no UTF-8: \\udcff, which in JSON is that name. stdout has the bytes."""


@dataclass
class Mood:
    """quiet: no talk. debug: tracebacks are shown. verdict: the exit code should stdout's reader go away."""

    quiet: bool = False
    debug: bool = False
    verdict: int = 0


mood = Mood()


def set_quiet(value: bool) -> bool:
    mood.quiet = mood.quiet or value
    return value


def set_debug(value: bool) -> bool:
    mood.debug = mood.debug or value
    return value


def say(text: str) -> None:
    """One line of talk on stderr, unless --quiet."""
    if not mood.quiet:
        sys.stderr.write(f"{text}\n")


def tell(text: str) -> None:
    """What was asked for on stderr, as it is, whether talk is wanted or not."""
    sys.stderr.write(text)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr that shows itself after a second; none when stderr is no terminal or --quiet.

    Yields a function that takes how many are done and how many there are in all.
    """
    if mood.quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=None)
    start = time.monotonic()

    def advance(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - start > 1.0:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
