"""A gate's verdict → the terminal: every check, those that fail first, then why, then the verdict."""

from __future__ import annotations

from typing import Any

from qm_cli.analysis.gate_checks import DROP
from qm_cli.headlines import thresholds
from qm_cli.render.terminal import plain_console, print_table_on, show_notes

WORDS = {"pass": "pass", "fail": "FAIL", "skip": "skip", "inconclusive": "OPEN"}
ORDER = ("fail", "inconclusive", "skip", "pass")
REASONS_SHOWN = 20
UNDEFINED = 'undefined fails here: --allow-undefined lets it pass, in a gate file on_undefined = "skip"'
STYLES = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}


def show_gate(verdict: dict[str, Any]) -> None:
    """Every check, those that fail first, then why, and the verdict.

    Of a drop the change is shown, and the limit as the change that may be: what is below it fails.
    """
    console = plain_console()
    console.print(headline(verdict), style="bold", markup=False, highlight=False, soft_wrap=True)
    checks = sorted(verdict["checks"], key=lambda check: (ORDER.index(check["verdict"]), check["value"] is None))
    certain = any(check["confidence_level"] is not None for check in checks)
    columns = ["check", "value", *(["low", "high"] if certain else []), "limit", "margin", "verdict"]
    rows = [
        (
            check["check"],
            check["value"] if check["difference"] is None else f"{check['difference']:+.4f}",
            *((check["low"], check["high"]) if certain else ()),
            check["limit"] if check["bound"] != DROP else f"{-check['limit']:+.4f}",
            check["margin"],
            WORDS[check["verdict"]],
        )
        for check in checks
    ]
    print_table_on(console, columns, rows)
    reasons = [check["reason"] for check in checks if check["reason"]]
    show_notes(reasons[:REASONS_SHOWN], console)
    if len(reasons) > REASONS_SHOWN:
        console.print(
            f"… and {len(reasons) - REASONS_SHOWN} more reasons: --json has all", style="dim", highlight=False
        )
    if any(check["verdict"] == "fail" and check["value"] is None for check in checks):
        show_notes([UNDEFINED], console)
    show_notes(verdict["notes"], console)
    console.print(f"gate {outcome(verdict)}", style=STYLES[verdict["verdict"]])


def headline(verdict: dict[str, Any]) -> str:
    """What was gated, against what, and at which thresholds."""
    parts = [verdict["target"]]
    if verdict.get("model"):
        parts.append(f"model {verdict['model']}")
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
