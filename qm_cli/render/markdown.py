"""Reports → Markdown, for pull requests and job summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qm_cli.headlines import thresholds


def gate_as_markdown(verdict: dict[str, Any]) -> str:
    """The verdict as a headline, a table of checks with those that do not pass first, and the notes.

    Where some pass and others do not, those that pass are folded away.
    """
    checks = verdict["checks"]
    open_checks = [check for name in OPEN_VERDICTS for check in checks if check["verdict"] == name]
    settled = [check for check in checks if check["verdict"] not in OPEN_VERDICTS]
    head = f"## Gate {_outcome(verdict)}\n\n{_cell(_about(verdict))}\n"
    parts = [_checks(open_checks)] if open_checks else []
    if settled:
        folded = open_checks and len(settled) > SHOWN_BESIDE
        parts.append(_folded(settled) if folded else _checks(settled))
    if open_checks and settled and len(settled) <= SHOWN_BESIDE:
        parts = [_checks([*open_checks, *settled])]
    notes = "".join(f"- {_cell(note)}\n" for note in verdict["notes"])
    return "\n".join([head, *parts, *([notes] if notes else [])])


OPEN_VERDICTS = ("fail", "inconclusive")
SHOWN_BESIDE = 5
"""So many checks that pass are shown beside those that do not; more are folded away."""
_COLUMNS = ("check", "value", "limit", "margin", "verdict")
_VERDICTS = {"pass": "pass", "fail": "**FAIL**", "skip": "skip", "inconclusive": "**inconclusive**"}


def _outcome(verdict: dict[str, Any]) -> str:
    checks = f"{len(verdict['checks'])} checks"
    if verdict["failed"]:
        more = f", {verdict['inconclusive']} inconclusive" if verdict["inconclusive"] else ""
        return f"failed: {verdict['failed']} of {checks}{more}"
    return f"inconclusive: {verdict['inconclusive']} of {checks}" if verdict["inconclusive"] else "passed"


def _about(verdict: dict[str, Any]) -> str:
    parts = [verdict["target"]]
    if verdict.get("model"):
        parts.append(f"model {verdict['model']}")
    if verdict.get("convention") is not None:
        parts.append(thresholds(verdict))
    if verdict.get("baseline"):
        parts.append(f"baseline {verdict['baseline']}")
    return ", ".join(parts)


def _folded(checks: Sequence[dict[str, Any]]) -> str:
    return f"<details><summary>{len(checks)} checks passed</summary>\n\n{_checks(checks)}\n</details>\n"


def _checks(checks: Sequence[dict[str, Any]]) -> str:
    return table(
        _COLUMNS,
        [
            (check["check"], _value(check), number(check["limit"]), number(check["margin"]), _result(check))
            for check in checks
        ],
    )


def _value(check: dict[str, Any]) -> str:
    """The value, with the interval of what is held against the limit."""
    value = number(check["value"])
    if check["difference"] is not None:
        value = f"{value}, was {number(check['baseline'])}"
    if check["low"] is None:
        return value
    what = "change " if check["difference"] is not None else ""
    return f"{value} ({what}{number(check['low'])} to {number(check['high'])})"


def _result(check: dict[str, Any]) -> str:
    verdict = _VERDICTS[check["verdict"]]
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
