"""A Ray cluster: the same tasks on its workers, tried again when one is lost."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from qm_cli.errors import QmError, UsageError
from qm_cli.rescue import WorkerLostError, rescued

Work = TypeVar("Work")
Done = TypeVar("Done")
Progress = Callable[[int, int], None]
AHEAD = 4
RETRIES = 2
SECONDS_TO_ANSWER = 10.0
INSTALL = "install it: pip install 'qm-cli[ray]'"


@dataclass
class Cluster:
    """An ordered map over a cluster; the code and the files must be within reach of its workers."""

    workers: int
    ray: Any

    def map(
        self, function: Callable[[Work], Done], tasks: Sequence[Work], progress: Progress | None = None
    ) -> Iterator[Done]:
        """Results in the order of the tasks; what a task raises is raised here. progress(done, of how many)."""
        remote = self.ray.remote(max_retries=RETRIES, num_cpus=1)(function)
        waiting: deque[tuple[Work, Any]] = deque()
        done = 0
        for number, task in enumerate(tasks, 1):
            waiting.append((task, remote.remote(task)))
            while waiting and (len(waiting) >= AHEAD * self.workers or number == len(tasks)):
                yield self._result(remote, *waiting.popleft())
                done += 1
                if progress:
                    progress(done, len(tasks))

    def _result(self, remote: Any, task: Any, reference: Any) -> Any:
        try:
            return self._fetched(reference)
        except WorkerLostError as error:
            if not hasattr(task, "given_up"):
                hint = "out of memory? try fewer workers"
                raise QmError("a worker process ended before its work was done", hint) from error
            attempt = remote.options(max_retries=0)
            return rescued(task, lambda part: self._fetched(attempt.remote(part)), 0)

    def _fetched(self, reference: Any) -> Any:
        lost = (self.ray.exceptions.WorkerCrashedError, self.ray.exceptions.OutOfMemoryError)
        try:
            return self.ray.get(reference)
        except lost as error:
            raise WorkerLostError from error
        except self.ray.exceptions.RayTaskError as error:
            raise error.cause from None


@contextmanager
def open_cluster(address: str | None = None, workers: int | None = None) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts: the one at `address`, else one of its own on this machine.

    Raises UsageError where Ray is not installed, QmError where the cluster cannot be reached.
    """
    try:
        import ray as module
    except ImportError as error:
        raise UsageError("--backend ray needs the package ray, which is not there", INSTALL) from error
    ray: Any = module
    if address:
        _refuse_silent(address)
    options: dict[str, Any] = {"address": address} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(**options, log_to_driver=False, configure_logging=False)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise QmError(f"the Ray cluster cannot be reached: {reason}", "check --ray-address") from error
    try:
        yield Cluster(workers or max(int(ray.cluster_resources().get("CPU", 1)), 1), ray)
    finally:
        ray.shutdown()


def _refuse_silent(address: str) -> None:
    """Ask HOST:PORT before Ray does, which would wait for minutes. `auto` names no place."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
    except OSError as error:
        hint = "start it with: ray start --head; or check --ray-address"
        raise QmError(f"the Ray cluster {address} cannot be reached: {error.strerror or error}", hint) from error
