"""A gate's verdict → the terminal: every check, then why, then the verdict."""

from __future__ import annotations

from typing import Any

from qm_cli.headlines import thresholds
from qm_cli.render.terminal import plain_console, print_table_on, show_notes

WORDS = {"pass": "pass", "fail": "FAIL", "skip": "skip", "inconclusive": "OPEN"}
STYLES = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}


def show_gate(verdict: dict[str, Any]) -> None:
    """Every check, then why those that did not simply pass did not, and the verdict; of a drop the change is shown."""
    console = plain_console()
    console.print(headline(verdict), style="bold", markup=False)
    checks = verdict["checks"]
    certain = any(check["confidence_level"] is not None for check in checks)
    columns = ["check", "value", *(["low", "high"] if certain else []), "limit", "margin", "verdict"]
    rows = [
        (
            check["check"],
            check["value"] if check["difference"] is None else f"{check['difference']:+.4f}",
            *((check["low"], check["high"]) if certain else ()),
            check["limit"],
            check["margin"],
            WORDS[check["verdict"]],
        )
        for check in checks
    ]
    print_table_on(console, columns, rows)
    show_notes((check["reason"] for check in checks if check["reason"]), console)
    show_notes(verdict["notes"], console)
    console.print(f"gate {outcome(verdict)}", style=STYLES[verdict["verdict"]])


def headline(verdict: dict[str, Any]) -> str:
    """What was gated, against what, and at which thresholds."""
    parts = [verdict["target"]]
    if verdict.get("task") not in (None, "bbox"):
        parts.append(f"task {verdict['task']}")
    if verdict.get("convention") is not None:
        parts.append(f"convention {verdict['convention']}")
        parts.append(thresholds(verdict))
    if verdict.get("baseline") is not None:
        parts.append(f"baseline {verdict['baseline']}")
    return ", ".join(parts)


def outcome(verdict: dict[str, Any]) -> str:
    """`passed`, or how many checks of how many failed or are inconclusive."""
    of = f"of {len(verdict['checks'])} checks"
    told = [f"{verdict[word]} {word}" for word in ("inconclusive",) if verdict[word]]
    if verdict["failed"]:
        return ", ".join([f"failed: {verdict['failed']} {of}", *told])
    return f"inconclusive: {verdict['inconclusive']} {of}" if told else "passed"
