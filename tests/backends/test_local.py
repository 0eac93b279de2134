"""An ordered map, in this process and in others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qm_cli.backends.local import open_backend, prepare
from qm_cli.errors import MetricError, QmError


def square(number: int) -> int:
    time.sleep(0.02 if number == 0 else 0)
    return number * number


def failing(number: int) -> int:
    if number == 3:
        raise MetricError("three", "take four")
    return number


def dying(number: int) -> int:
    os._exit(3)


def process(number: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_results_come_in_order(workers: int) -> None:
    heard: list[tuple[int, int]] = []
    with open_backend(workers) as backend:
        assert list(backend.map(square, range(20), lambda *done: heard.append(done))) == [n * n for n in range(20)]
        assert list(backend.map(square, [])) == []
    assert heard == [(n, 20) for n in range(1, 21)]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_in_another_process(workers: int) -> None:
    with open_backend(workers) as backend:
        assert backend._pool is None
        [alone] = backend.map(process, [1])
        found = set(backend.map(process, range(8)))
    assert os.getpid() not in {alone, *found}
    assert len(found) <= workers


def test_no_workers_are_this_process() -> None:
    with open_backend(0) as backend:
        assert set(backend.map(process, range(4))) == {os.getpid()}
        assert backend._pool is None


def test_what_is_prepared_is_there_when_processes_start() -> None:
    prepare()
    with open_backend(1) as backend:
        assert list(backend.map(square, [3])) == [9]


INTERRUPTED_EARLY = """
import os, signal, time
from multiprocessing import forkserver
from qm_cli.backends.local import open_backend, prepare

prepare("slow_to_import")
os.kill(forkserver._forkserver._forkserver_pid, signal.SIGINT)
with open_backend(1) as backend:
    print(list(backend.map(abs, [-3])), signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_an_interrupt_while_the_server_imports_says_nothing_and_ends_nothing(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal; the first one alone answers."""
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(0.5)\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = [sys.executable, "-c", INTERRUPTED_EARLY]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert (done.stdout, done.stderr, done.returncode) == ("[3] set()\n", "", 0)


def setting(name: str) -> str | None:
    return os.environ.get(name)


def test_processes_see_the_environment_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, say, that were set after the server of the processes had started."""
    for value in ("one", "two"):
        monkeypatch.setenv("QM_TEST_SETTING", value)
        with open_backend(1) as backend:
            assert list(backend.map(setting, ["QM_TEST_SETTING"])) == [value]


def test_default_is_one_worker_a_core() -> None:
    with open_backend() as backend:
        assert backend.workers == os.cpu_count()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_is_raised_here(workers: int) -> None:
    with pytest.raises(MetricError) as raised, open_backend(workers) as backend:
        list(backend.map(failing, range(10)))
    assert (raised.value.message, raised.value.hint) == ("three", "take four")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_dies_is_told(workers: int) -> None:
    with pytest.raises(QmError, match="worker process ended"), open_backend(workers) as backend:
        list(backend.map(dying, range(4)))


class Once:
    """A task that ends its first process, and notes each time it is done."""

    def __init__(self, place: Path, number: int) -> None:
        self.place, self.number = place, number

    def halves(self) -> None:
        return None

    def given_up(self) -> int:
        return -1


def once(task: Once) -> int:
    with (task.place / str(task.number)).open("a") as file:
        file.write("x")
    if task.number == 3 and (task.place / "3").read_text() == "x":
        time.sleep(0.5)
        os._exit(3)
    return task.number


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_done_before_a_process_ended_is_not_done_again(
    tmp_path: Path, workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_backend(workers) as backend:
        assert list(backend.map(once, [Once(tmp_path, number) for number in range(12)])) == list(range(12))
    assert (tmp_path / "3").read_text() == "xx"
    assert (tmp_path / "0").read_text() == "x"
    assert sum(len(path.read_text()) for path in tmp_path.iterdir()) <= 12 + 3
    assert capfd.readouterr().err.count("a worker process was ended") == 1


def test_a_script_without_a_guard_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    lines = ["from qm_cli.backends.local import open_backend", "print('once')"]
    script.write_text("\n".join([*lines, "with open_backend(2) as b: print(list(b.map(abs, [-1, -2])))"]))
    here = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(here)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("once\n[1, 2]\n", "")


def test_ctrl_c_in_a_terminal_ends_quietly(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, time\nfrom qm_cli.backends.local import open_backend\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\ntry:\n"
        "    with open_backend(2) as b:\n"
        "        for _ in b.map(time.sleep, [0, 30, 30]): print('started', flush=True)\n"
        "except KeyboardInterrupt: print('ended')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, script], env=environment, start_new_session=True, **pipes) as running:
        assert running.stdout.readline() == "started\n"  # type: ignore[union-attr]
        os.killpg(running.pid, signal.SIGINT)
        assert running.communicate(timeout=10) == ("ended\n", "")


def test_an_interrupt_ends_the_processes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), open_backend(2) as backend:
        running = backend.map(time.sleep, [0.0, 30.0, 30.0, 30.0])
        next(running)
        processes = list((backend._pool._processes or {}).values())  # type: ignore[union-attr]
        raise KeyboardInterrupt
    for one in processes:
        one.join(5)
        assert not one.is_alive()


def test_where_no_process_can_be_started_another_way_is_told(tmp_path: Path) -> None:
    """A temporary folder so deep that no socket fits in: in a process of its own, as the server starts once."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    script = "from qm_cli.backends.local import open_backend\nwith open_backend(1) as b: list(b.map(abs, [1]))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(deep)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "QmError" in done.stderr
    assert "no worker process can be started: AF_UNIX path too long" in done.stderr
