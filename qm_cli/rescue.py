"""What becomes of a task whose worker process was ended by the system: tried again, then halved to the culprit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

TRIES = 2
"""Times a task is tried again before it is halved, and a single sample before it is given up."""


class WorkerLostError(Exception):
    """The process that was at a task is no more."""


class Divisible(Protocol):
    """A task that can be cut in two, and given up when nothing is left to cut."""

    def halves(self) -> tuple[Self, Self] | None:
        """The task in two; None for a single sample."""

    def joined(self, first: Any, second: Any) -> Any:
        """The result of the whole from those of its halves."""

    def given_up(self) -> Any:
        """The result of a sample that no process survives."""


def rescued(task: Divisible, attempt: Callable[[Any], Any], tries: int = TRIES) -> Any:
    """The result of a task that ended its worker: of the whole if another try goes well, else without the culprits.

    attempt: does a task in a process of its own; raises WorkerLostError when that ends too.
    """
    parts = task.halves()
    for _ in range(tries if parts else TRIES):
        try:
            return attempt(task)
        except WorkerLostError:
            continue
    if parts is None:
        return task.given_up()
    return task.joined(*(rescued(part, attempt, 1) for part in parts))
