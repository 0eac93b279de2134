"""The command before its modules are there: an interrupt is one line, whatever is being imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

INTERRUPTING = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            {action}

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background of a shell ignores it
sys.meta_path.insert(0, Interrupting())
sys.argv[1:] = ["--version"]
runpy.run_module("qm_cli", run_name="__main__", alter_sys=True)
"""
INTERRUPT = "os.kill(os.getpid(), signal.SIGINT)"
WRAPPED = "raise RuntimeError('Error calling __set_name__') from KeyboardInterrupt()"


def started(name: str, action: str) -> subprocess.CompletedProcess[str]:
    code = INTERRUPTING.format(name=name, action=action)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["qm_cli.main", "typer", "qm_cli.commands.score", "qm_cli.options"])
def test_an_interrupt_while_modules_are_imported(name: str) -> None:
    found = started(name, INTERRUPT)
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "qm: interrupted\n")


def test_the_exit_code_of_an_interrupt_is_said_once() -> None:
    package = Path(__file__).parents[1] / "qm_cli"
    files = [package / "__init__.py", package / "__main__.py", package / "main.py"]
    assert [file.read_text().count("130") for file in files] == [1, 0, 0]


def test_an_interrupt_that_python_wraps() -> None:
    found = started("typer", WRAPPED)
    assert (found.returncode, found.stderr) == (130, "qm: interrupted\n")


def test_other_errors_stay() -> None:
    found = started("typer", "raise RuntimeError('no typer')")
    assert found.returncode == 1
    assert found.stderr.endswith("RuntimeError: no typer\n")


def test_the_command_is_this_entry() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"qm": "qm_cli.__main__:main"}
    asked = [sys.executable, "-c", "from qm_cli.__main__ import main; import sys; print('typer' in sys.modules)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "False\n"
