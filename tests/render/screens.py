"""What renderers print, as a pipe and as a terminal get it, and a report to print."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from qm_cli.report import report_of
from qm_cli.scoring import Resources, score_tables, selection
from qm_cli.settings import Settings
from qm_cli.summary import run_summary
from tests import builders
from tests.golden.test_evaluation_report import CATEGORIES, LABELS, PREDICTIONS
from tests.input_files import document, image

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w.])")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:[349][0-8]|10[0-7])(?:;\d+)*m")
STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Screen(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


@contextmanager
def screen(tty: bool = False, width: int = 120, **environment: str) -> Iterator[Screen]:
    """stdout as a pipe, or as a terminal of a width."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        for name, value in {"TERM": "xterm-256color", "COLUMNS": str(width), **environment}.items():
            patch.setenv(name, value)
        made = Screen(tty)
        patch.setattr(sys, "stdout", made)
        yield made


def printed(show: Callable[..., None], *given: Any, **how: Any) -> str:
    """What a renderer prints of these data."""
    with screen(**how) as made:
        show(*given)
    return made.getvalue()


def unwrapped(text: str) -> str:
    """The text with every note on one line."""
    return text.replace("\n      ", " ")


def cells(line: str) -> list[str]:
    """The cells of a line of a table, which stand two or more blanks apart."""
    return re.split(r" {2,}", line.strip())


def rows_below(text: str, header: str) -> list[list[str]]:
    """The lines of the first table whose header begins with a pattern, as cells."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if re.match(header, line))
    end = next((place for place in range(start, len(lines)) if not lines[place].strip()), len(lines))
    return [cells(line) for line in lines[start + 1 : end]]


def report(names: dict[str, str] | None = None, **chosen: Any) -> dict[str, Any]:
    """The report of a small set, its categories renamed."""
    categories = [{**row, "name": (names or {}).get(row["name"], row["name"])} for row in CATEGORIES]
    images = [image(9, height=100), image(1), image(2)]
    return report_of(builders.tables(document(images, LABELS, categories), PREDICTIONS), Settings(**chosen))


def summary(*models: str) -> dict[str, Any]:
    """The summary of a run of the same small set, under one or several names of its model."""
    images = [image(9, height=100), image(1), image(2)]
    tables = builders.tables(document(images, LABELS, CATEGORIES), PREDICTIONS)
    scored = score_tables(tables, selection(kinds=("label", "model")), Settings(), Resources())
    return run_summary(scored, dict.fromkeys(models, scored))
