"""Reports → Markdown, for pull requests and job summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qm_cli.headlines import thresholds


def gate_as_markdown(verdict: dict[str, Any]) -> str:
    """The verdict as a headline, a table of checks and the notes."""
    checks = verdict["checks"]
    head = "passed" if verdict["passed"] else f"failed: {verdict['failed']} of {len(checks)} checks"
    rows = [
        (check["check"], number(check["value"]), number(check["limit"]), number(check["margin"]), _result(check))
        for check in checks
    ]
    model = f", model {verdict['model']}" if verdict.get("model") else ""
    at = f"{verdict['target']}{model}, {thresholds(verdict)}"
    notes = "".join(f"- {_cell(note)}\n" for note in verdict["notes"])
    return f"## Gate {head}\n\n{_cell(at)}\n\n{table(_COLUMNS, rows)}" + (f"\n{notes}" if notes else "")


_COLUMNS = ("check", "value", "limit", "margin", "verdict")


def _result(check: dict[str, Any]) -> str:
    verdict = "pass" if check["passed"] else "**FAIL**"
    return f"{verdict}: {check['reason']}" if check["reason"] else verdict


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right.

    >>> print(table(["name", "AP"], [["a|b", "0.5"]]), end="")
    | name | AP |
    | --- | ---: |
    | a\\|b | 0.5 |
    """
    rule = ["---", *["---:"] * (len(columns) - 1)]
    lines = [columns, rule, *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def number(value: float | None) -> str:
    """Four decimals, whole numbers without, a dash for undefined.

    >>> number(0.69697), number(12), number(None)
    ('0.6970', '12', '–')
    """
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
