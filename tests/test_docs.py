"""The pages show what the program does: every command in them runs, and prints what stands there."""

from __future__ import annotations

import difflib
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SCREEN = 170


def make_module() -> ModuleType:
    spec = spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


make = make_module()


@pytest.mark.parametrize("path", make.PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_is_up_to_date(path: Path) -> None:
    stands = path.read_text("utf-8").splitlines()
    fresh = make.PAGES[path]().splitlines()
    change = list(difflib.unified_diff(stands, fresh, "as it stands", "as it should be: make docs", lineterm=""))
    assert not change, "\n" + "\n".join(change)


def test_every_block_is_of_a_language_that_is_checked() -> None:
    for path in (make.README, make.CONTRIBUTING):
        page = path.read_text("utf-8")
        assert page.count("\n```") == 2 * len(list(make.blocks(page)))
        assert {language for language, _ in make.blocks(page)} <= {"console", "sh", "python"}


def test_every_console_block_shows_what_is_printed() -> None:
    for path in (make.README, make.CONTRIBUTING):
        for language, block in make.blocks(path.read_text("utf-8")):
            if language == "console":
                assert any(command.shown for command in make.commands(block))


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(make.DocsError, match="exit code 2"):
        make.ran("```console\n$ qm score nowhere\n```\n", tmp_path)
    assert make.ran("```console\n$ false; echo $?\n```\n", tmp_path) == "```console\n$ false; echo $?\n1\n```\n"


def test_readme_is_about_a_screen() -> None:
    assert len(make.README.read_text("utf-8").splitlines()) <= SCREEN


def test_a_new_metric_costs_one_function_and_one_row(tmp_path: Path) -> None:
    page = make.CONTRIBUTING.read_text("utf-8")
    module, test = make.package_with_the_metric(page, tmp_path)
    contract = tmp_path / "tests" / "test_metric_contract.py"
    done = pytest_in(tmp_path, module, test, contract)
    assert done.returncode == 0, done.stdout


def test_a_metric_without_a_row_is_told(tmp_path: Path) -> None:
    page = make.CONTRIBUTING.read_text("utf-8")
    _, test = make.package_with_the_metric(page, tmp_path, row=False)
    done = pytest_in(tmp_path, test)
    assert done.returncode == 1
    assert "FAILED tests/metrics/test_label_geometry.py::test_every_metric_has_an_example" in done.stdout
    assert "1 failed" in done.stdout


def pytest_in(folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run test files in a copy of the package, with that copy."""
    names = [str(path.relative_to(folder)) for path in paths]
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
