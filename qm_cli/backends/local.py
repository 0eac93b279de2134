"""This machine: one process a core, even a single one, so that nothing which a task does can end this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import TypeVar, cast

from qm_cli.console import say
from qm_cli.errors import QmError
from qm_cli.rescue import Divisible, WorkerLostError, rescued

Work = TypeVar("Work")
Done = TypeVar("Done")
Progress = Callable[[int, int], None]
AHEAD = 4
FORKED = "forkserver"
WORK = "qm_cli.work"
DECODERS = ("cv2", "PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin")


@dataclass
class Local:
    """An ordered map over processes, started as tasks come; without workers everything is done in this process."""

    workers: int
    _pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[Work], Done], tasks: Sequence[Work], progress: Progress | None = None
    ) -> Iterator[Done]:
        """Results in the order of the tasks; what a task raises is raised here. progress(done, of how many)."""
        results = self._in_processes(function, tasks) if self.workers else map(function, tasks)
        for number, result in enumerate(results, 1):
            if progress:
                progress(number, len(tasks))
            yield result

    def _in_processes(self, function: Callable[[Work], Done], tasks: Sequence[Work]) -> Iterator[Done]:
        """A few tasks a worker are under way; the rest wait here, so that memory stays bounded."""
        waiting: deque[tuple[Work, Future[Done]]] = deque()
        for task in tasks:
            waiting.append((task, self._submitted(function, task)))
            if len(waiting) >= AHEAD * self.workers:
                yield from self._next(function, waiting)
        while waiting:
            yield from self._next(function, waiting)

    def _submitted(self, function: Callable[[Work], Done], task: Work) -> Future[Done]:
        with _script_hidden(), _starting():
            try:
                return self._opened(function.__module__).submit(function, task)
            except BrokenProcessPool as error:
                broken: Future[Done] = Future()
                broken.set_exception(error)
                return broken

    def _next(self, function: Callable[[Work], Done], waiting: deque[tuple[Work, Future[Done]]]) -> Iterator[Done]:
        """The next result. When a worker was ended, nobody knows at which task: what is not done is done one by one."""
        task, future = waiting.popleft()
        try:
            yield future.result()
        except BrokenProcessPool:
            self.close()
            if hasattr(task, "given_up"):
                say("a worker process was ended: its images are tried again one task at a time")
            lost = [(task, future), *waiting]
            waiting.clear()
            for one, ended in lost:
                done = not ended.cancelled() and not isinstance(ended.exception(), BrokenProcessPool)
                yield ended.result() if done else self._rescued(function, one, future)

    def _rescued(self, function: Callable[[Work], Done], task: Work, broken: Future[Done]) -> Done:
        if not hasattr(task, "given_up"):
            hint = "out of memory? try fewer workers"
            raise QmError("a worker process ended before its work was done", hint) from broken.exception()
        done: Done = rescued(cast(Divisible, task), lambda part: _alone(function, part))
        return done

    def _opened(self, module: str) -> ProcessPoolExecutor:
        """The processes, each started when a task finds none idle."""
        if self._pool is None:
            prepare(module)
            context, environment = _context(module), dict(os.environ)
            self._pool = ProcessPoolExecutor(self.workers, context, initializer=_begin, initargs=(environment,))
        return self._pool

    def close(self, at_once: bool = False) -> None:
        """End the processes; `at_once` without waiting for what they are at."""
        if self._pool is None:
            return
        running = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=not at_once, cancel_futures=not at_once)
        if at_once:
            for process in running:
                process.terminate()
        self._pool = None


def _alone(function: Callable[[Work], Done], task: Work) -> Done:
    """Do a task in a process of its own. Raises WorkerLostError when that is ended."""
    alone = Local(1)
    try:
        return alone._submitted(function, task).result()
    except BrokenProcessPool as error:
        raise WorkerLostError from error
    finally:
        alone.close()


def prepare(module: str = WORK) -> None:
    """Start the clean server that processes are forked off; it imports the module beside whatever is done here."""
    if _context(module).get_start_method() == FORKED:
        with _script_hidden(), _starting():
            _start_server()


def _start_server() -> None:
    """Start it with Ctrl-C held back for good: only the first process answers that, and importing would say much of it.

    What tracks its resources lets Ctrl-C through again when it starts, so it starts before.
    """
    resource_tracker.ensure_running()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _context(module: str) -> BaseContext:
    """How processes start: off a server that imports the module of their work once, where it does not run yet."""
    context = multiprocessing.get_context(FORKED if hasattr(os, "fork") else "spawn")
    context.set_forkserver_preload([module, *DECODERS])
    return context


@contextmanager
def open_backend(workers: int | None = None) -> Iterator[Local]:
    """Processes for as long as the block lasts: one a core by default, none but this one for 0 workers.

    They are never forked off this process, so threads that run already (Arrow's, DuckDB's) do no harm; an interrupt or
    an error ends them at once.
    """
    backend = Local((os.cpu_count() or 1) if workers is None else workers)
    try:
        yield backend
    except BaseException:
        backend.close(at_once=True)
        raise
    backend.close()


@contextmanager
def _starting() -> Iterator[None]:
    """Say what to do where the system gives no process, semaphore or socket."""
    try:
        yield
    except (OSError, ImportError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise QmError(f"no worker process can be started: {reason}", "decode in this one: --workers 0") from error


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Processes that start meanwhile do not run the user's script again, guarded or not: the work is in modules."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _begin(environment: dict[str, str]) -> None:
    """Have the environment as it is now, not as it was when the server started.

    Ctrl-C reaches every process of the terminal and only the first one answers; a worker ends when that one does.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
