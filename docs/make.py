"""Write anew what README.md, CONTRIBUTING.md and docs/metrics.md show of the program: `python docs/make.py`.

In the pages a `console` block holds commands and what they print, an `sh` block commands alone, and a `python` block
that starts with `# name.py` a file that the commands use. The commands run in order, in a copy of the sample data.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qm_cli import catalog, metric_listing
from qm_cli.metric import LEVELS
from qm_cli.render.metric_text import range_text

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
METRICS = ROOT / "docs" / "metrics.md"
NOT_RUN = ("make ", "git ", ". .venv")  # what sets a checkout up
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COLUMNS = ("metric", "kind", "unit", "range", "better", "needs", "meaning")


class DocsError(Exception):
    """A command of a page that failed."""


@dataclass(frozen=True)
class Command:
    """A command of a page, its lines joined as the shell reads them, and what the page says that it prints."""

    text: str
    shown: str

    @property
    def prompted(self) -> str:
        """As it stands on the page."""
        return "$ " + self.text.replace("\n", "\n> ") + "\n"


def commands(block: str) -> list[Command]:
    """The commands of a console block: `$ ` begins one, `> ` continues it.

    >>> commands("$ echo a |\\n> cat\\na\\n$ true\\n")
    [Command(text='echo a |\\ncat', shown='a\\n'), Command(text='true', shown='')]
    """
    found: list[list[str]] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += line[2:]
        elif found:
            found[-1][1] += line
    return [Command(text.rstrip("\n"), shown) for text, shown in found]


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    for match in BLOCK.finditer(page):
        yield match[1], match[2]


def files(page: str) -> dict[str, str]:
    """The files that a page shows in full, by name."""
    named = ((re.match(r"# (\w+\.py)\n", block), block) for language, block in blocks(page) if language == "python")
    return {name[1]: block for name, block in named if name}


def sample(folder: Path) -> None:
    """Put the sample data where commands can call it sample_data."""
    for part in ("images", "predictions"):
        shutil.copytree(ROOT / "sample_data" / part, folder / "sample_data" / part)
    shutil.copy(ROOT / "sample_data" / "labels.json", folder / "sample_data")


def printed(command: str, folder: Path) -> str:
    """What a command prints on stdout and stderr in a shell there, with the qm of this Python. Raises DocsError."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    plain = {"PATH": path, "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, **plain},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise DocsError(f"exit code {done.returncode}: {command}\n{done.stdout}")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def ran(page: str, folder: Path) -> str:
    """The page with what its commands print when they run in the folder."""
    for name, content in files(page).items():
        (folder / name).write_text(content, "utf-8")

    def fresh(match: re.Match[str]) -> str:
        language, block = match[1], match[2]
        if language == "console":
            block = "".join(f"{one.prompted}{printed(one.text, folder)}" for one in commands(block))
        elif language == "sh":
            for line in block.splitlines():
                if line.strip() and not line.startswith(NOT_RUN):
                    printed(line, folder)
        return f"```{language}\n{block}```"

    return BLOCK.sub(fresh, page)


def readme() -> str:
    """README.md as it should be."""
    with tempfile.TemporaryDirectory() as name:
        sample(Path(name))
        return ran(README.read_text("utf-8"), Path(name))


def contributing() -> str:
    """CONTRIBUTING.md as it should be: its metric is added to a copy of the package, and explained there."""
    page = CONTRIBUTING.read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        package_with_the_metric(page, Path(name))
        return ran(page, Path(name))


def package_with_the_metric(page: str, folder: Path, row: bool = True) -> tuple[Path, Path]:
    """A copy of package and tests with the page's function and test row in it; the two files that were added to."""
    kept_out = shutil.ignore_patterns("__pycache__", ".*")
    for part in ("qm_cli", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=kept_out)
    shutil.copy(ROOT / "pyproject.toml", folder)
    function, example = (block for language, block in blocks(page) if language == "python")
    module, code = _headed(function)
    test, line = _headed(example)
    path, test_path = folder / module, folder / test
    path.write_text(f"{path.read_text('utf-8')}\n\n{code}", "utf-8")
    if row:
        start = "\nEXAMPLES = [\n"
        text = test_path.read_text("utf-8")
        if text.count(start) != 1:
            raise DocsError(f"{test}: has no list EXAMPLES")
        test_path.write_text(text.replace(start, f"{start}    {line}"), "utf-8")
    return path, test_path


def _headed(block: str) -> tuple[str, str]:
    """A block's first line, a comment that starts with the file to add to, and its rest."""
    head, _, rest = block.partition("\n")
    return head.removeprefix("# ").partition(",")[0], rest


def metrics_page() -> str:
    """docs/metrics.md: every built-in metric."""
    known = metric_listing.listed(catalog.load(entry_points=False))
    parts = [
        "# The metrics\n\n"
        f"All {len(known)}, from their declarations (`make docs` writes this page). `qm metrics NAME` says more:\n"
        "its options, its reference, a worked example. What is used only where it is there stands in brackets.\n"
    ]
    for level in LEVELS:
        rows = [_row(one) for one in known if one["level"] == level]
        if rows:
            lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
            parts.append(f"## {level}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines))
    return "\n".join(parts)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    inputs = ", ".join([*(f"`{name}`" for name in one["needs"]), *(f"[`{name}`]" for name in one["takes"])])
    facts = (one["kind"], one["unit"] or "–", range_text(one["range"]), one["better"], inputs, one["meaning"])
    return (f"`{one['name']}`", *(fact.replace("|", r"\|") for fact in facts))


PAGES = {README: readme, CONTRIBUTING: contributing, METRICS: metrics_page}


def main() -> int:
    """Write every page that is not as it should be."""
    for path, content in PAGES.items():
        text = content()
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
