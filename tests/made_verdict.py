"""A gate's verdict made by hand, for the tests of what renders one."""

from __future__ import annotations

from typing import Any

from qm_cli.analysis.gate_checks import DROP, Check, Rules, parsed
from qm_cli.analysis.gate_names import value_of
from qm_cli.analysis.gating import Interval, Measured, judged, lost_rows, verdict_of
from tests.made_run import report

WIDE = Interval(0.95, 0.65, 0.82, 0.2, 96)


def verdict(
    *checks: str,
    sure: bool = False,
    skip: bool = False,
    findings: tuple[dict[str, Any], ...] = (),
    target: str = "run",
    **more: Any,
) -> dict[str, Any]:
    """Of the report of `made_run`, with these floors; sure: all numbers have one wide interval."""
    own = {**report(), **more}
    rules = Rules(on_undefined="skip" if skip else "fail", confidence_level=0.95 if sure else None)
    rows = [
        judged(check, Measured(value_of(own, check.metric, check.scope.category), 12, WIDE if sure else None))
        for check in (parsed("min", text, rules) for text in checks)
    ]
    lost, _ = lost_rows(findings, ())
    about = {key: own[key] for key in ("task", "convention", "iou", "confidence", "images")}
    return {"target": target, "model": "better", **about, **verdict_of([*rows, *lost]), "notes": list(own["notes"])}


def drop_verdict() -> dict[str, Any]:
    """Of a model that is worse than its baseline."""
    check = Check(DROP, "AP", 0.01, rules=Rules(confidence_level=0.95))
    row = judged(check, Measured(0.75, 12, Interval(0.95, -0.07, -0.03, 0.04, 96), 0.8))
    return {**verdict("precision=0.5"), **verdict_of([row]), "baseline": "old"}
