"""The error door: exit codes, one line on stderr, a log for what nobody expected, pipes that close early."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from qm_cli import __version__, main

SAMPLE = Path(__file__).parents[1] / "sample_data"
LABELS, BETTER = str(SAMPLE / "labels.json"), str(SAMPLE / "predictions" / "better.json")
QM = str(Path(sys.executable).with_name("qm"))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"qm {__version__}\n"


def test_no_arguments_show_the_help() -> None:
    shown = subprocess.run([QM], capture_output=True, text=True, check=False)
    assert "Score and evaluate" in shown.stdout
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evalute"], "evalute"),
        (["evaluate", LABELS], "see: qm evaluate --help"),
        (["evaluate", LABELS, BETTER, "--iou"], "see: qm evaluate --help"),
        (["evaluate", BETTER, LABELS], "labels come first"),
        (["evaluate", LABELS, BETTER, "--iou", "1.5"], "1.5"),
        (["evaluate", LABELS, BETTER, "--score", "0.5"], "--score"),
        (["evaluate", LABELS, "missing.json"], "missing.json"),
        (["evaluate", LABELS, BETTER, "--categories", "cr"], "car"),
        (["score", "nowhere"], "nowhere"),
        (["score", str(SAMPLE), "--metrics", "image.entropi"], "entropy"),
        (["rank", "nowhere"], "nowhere"),
        (["gate", LABELS, BETTER], "no check given"),
    ],
)
def test_bad_usage_is_one_line_and_two(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("qm: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err


def test_a_place_that_may_not_be_read_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Raised here, as root may read everything."""

    def fail(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "locked/labels.json")

    monkeypatch.setattr("qm_cli.report.report_of", fail)
    assert main.run(["evaluate", LABELS, BETTER]) == 2
    assert capsys.readouterr().err == "qm: locked/labels.json: Permission denied — see who may read and write there\n"


def test_unexpected_failure_is_logged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("the unexpected")

    monkeypatch.setattr("qm_cli.report.report_of", fail)
    assert main.run(["evaluate", LABELS, BETTER]) == 4
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    named = re.search(r"the details are in (\S+\.log)", captured.err)
    assert named
    log = Path(named.group(1)).read_text()
    assert "ZeroDivisionError: the unexpected" in log
    assert f"qm {__version__}" in log
    assert main.run(["evaluate", LABELS, BETTER, "--debug"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_stdout_holds_the_json_and_nothing_else() -> None:
    done = subprocess.run([QM, "evaluate", LABELS, BETTER, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["metrics"]["AP50"] > 0.7
    assert done.stderr == ""


def test_closed_pipe_ends_quietly() -> None:
    command = f"{QM} evaluate {LABELS} {BETTER} --json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_interrupt_leaves_with_130_and_nothing_behind(tmp_path: Path) -> None:
    command = [QM, "score", str(SAMPLE), "-o", str(tmp_path / "run"), "-j", "2", "--shards", "96"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 20
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    if process.returncode == 0:
        pytest.skip("the run was done before the interrupt reached it")
    assert process.returncode == 130
    assert stderr == "qm: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_that_python_wraps_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app(**_: object) -> None:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    monkeypatch.setattr(main, "_with_command", lambda _: app)
    assert main.run(["metrics"]) == 130
    assert capsys.readouterr().err == "qm: interrupted\n"


def test_python_m_is_qm() -> None:
    done = subprocess.run([sys.executable, "-m", "qm_cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"qm {__version__}\n"


def test_a_request_to_end_is_answered_like_an_interrupt(tmp_path: Path) -> None:
    command = [QM, "score", str(SAMPLE), "-o", str(tmp_path / "run"), "-j", "2", "--shards", "96"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 20
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.terminate()
    process.communicate(timeout=30)
    if process.returncode == 0:
        pytest.skip("the run was done before the request reached it")
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told() -> None:
    command = [QM, "evaluate", LABELS, BETTER, "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left" in done.stderr


def test_a_closed_stdout_keeps_the_verdict() -> None:
    command = f"{QM} gate {LABELS} {BETTER} --min AP50=0.99 >&-"
    assert subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, check=False).returncode == 1


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(SAMPLE), "--kind", "modle"]) == 2
    assert "data, label, model" in capsys.readouterr().err


def test_a_wrong_option_of_a_metric_is_the_users(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--metrics", "image.entropy", "--model", "better", "--set", "entropy.aggregate=median", "-o", "-"]
    assert main.run(["score", str(SAMPLE), *arguments]) == 2
    captured = capsys.readouterr().err
    assert "mend the metric" not in captured
    assert "median" in captured


@pytest.mark.parametrize("name", ["n" * 300, "é" * 200])
def test_a_name_too_long_is_bad_input(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "there.json"
    there.write_text("[]")
    for files in ((there, name), (name, there)):
        assert main.run(["evaluate", *map(str, files)]) == 2
        assert "File name too long" in capsys.readouterr().err


def test_stdout_has_the_bytes_of_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Whatever the locale; where names are text there are none such."""
    if sys.platform == "darwin":
        pytest.skip("its file names are text")
    place = tmp_path / os.fsdecode(b"l\xff.json")
    place.write_bytes(Path(LABELS).read_bytes())
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    shown = subprocess.run([QM, "check", str(place)], capture_output=True, env=strict, check=False)
    assert b"l\xff.json" in shown.stdout
    assert b"unexpected" not in shown.stderr


@pytest.mark.parametrize("option", ["--iou", "--confidence", "--missing-score", "--beta"])
def test_nan_is_no_number_of_an_option(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["evaluate", "labels.json", "predictions.json", option, "nan"]) == 2
    assert capsys.readouterr().err.startswith("qm: nan is no number that an option takes")
