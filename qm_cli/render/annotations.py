"""A gate's verdict → workflow commands of GitHub Actions: one annotation per check that does not pass.

Reference: GitHub Docs, "Workflow commands for GitHub Actions", setting an error, warning or notice message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = {"fail": "error", "inconclusive": "warning", "skip": "notice"}
IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
IN_PROPERTY = {**IN_MESSAGE, ":": "%3A", ",": "%2C"}


def as_github_annotations(verdict: dict[str, Any], file: str | None = None) -> str:
    """`::error file=gate.toml,title=…::reason`, a line each; file: the gate file, where there is one."""
    lines = []
    for check in verdict["checks"]:
        if check["verdict"] in KINDS:
            properties = {**({"file": file} if file else {}), "title": f"qm gate: {check['check']}"}
            told = ",".join(f"{name}={_escaped(value, IN_PROPERTY)}" for name, value in properties.items())
            lines.append(f"::{KINDS[check['verdict']]} {told}::{_escaped(check['reason'], IN_MESSAGE)}\n")
    return "".join(lines)


def _escaped(text: str, codes: Mapping[str, str]) -> str:
    """Percent first: the codes hold it.

    >>> _escaped("5 %\\n", IN_MESSAGE)
    '5 %25%0A'
    """
    for character, code in codes.items():
        text = text.replace(character, code)
    return text
