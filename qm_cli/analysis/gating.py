"""May this model ship? What was measured, held against what a gate asks for.

With a confidence level a check passes only if its whole interval lies on the right side of the limit and fails only if
none of it does; else it is inconclusive. A model whose true number lies further from the limit than the smallest
difference, (z.975 + z.99) standard errors at 95 %, gets its verdict in 98 to 99 of 100 sets like this one, and hardly
ever the opposite one: in simulations in none of 4,140.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from qm_cli.analysis.gate_checks import DROP, FAIL, MAX, MIN, PASS, REPORT, SIGNS, SKIP, Check, ThresholdFile
from qm_cli.analysis.gate_names import hint
from qm_cli.analysis.intervals import LEAST_UNITS
from qm_cli.errors import UsageError
from qm_cli.findings import CODES

INCONCLUSIVE = "inconclusive"
FINDINGS = "findings"
PASSED, FAILED = "passed", "failed"


class Interval(Struct, frozen=True):
    """What is known of a number's certainty; low and high are None where it cannot be told.

    level: of low..high; smallest: the distance from a limit that is nearly always told; units: what was drawn
    anew, called `of`; conclusive: whether the limit is told apart, where another rule than low and high decides.
    """

    level: float
    low: float | None
    high: float | None
    smallest: float | None
    units: int
    of: str = "images"
    p: float | None = None
    conclusive: bool | None = None


class Measured(Struct, frozen=True):
    """A number; None where undefined. support: samples it is a share of. baseline: the same number of the other run.

    undefined_by: why it is undefined whatever the samples.
    """

    value: float | None
    support: int | None = None
    interval: Interval | None = None
    baseline: float | None = None
    note: str = ""
    undefined_by: str = ""


def judged(check: Check, found: Measured) -> dict[str, Any]:
    """A check as data: value, limit, margin (above 0 is on the right side), interval, verdict and why."""
    few = found.support is not None and found.support < check.rules.min_support
    value = None if few or _undefined(found.value) else found.value
    old = None if _undefined(found.baseline) else found.baseline
    margin = _margin(check, value, old)
    interval = found.interval
    verdict, reason = _verdict(check, found, margin, few)
    return {
        "check": check.title,
        "metric": check.metric,
        "category": check.scope.category,
        "slice": check.scope.slice,
        "size": check.scope.size_name,
        "iou": check.scope.iou,
        "confidence": _as_data(check.scope.confidence),
        "bound": check.side,
        "limit": check.limit,
        "value": found.value if few else value,
        "baseline": old,
        "difference": None if value is None or old is None else value - old,
        "margin": margin,
        "support": found.support,
        "confidence_level": interval.level if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "smallest_difference": interval.smallest if interval else None,
        "p": interval.p if interval else None,
        "units": interval.units if interval else None,
        "verdict": verdict,
        "passed": verdict in (PASS, SKIP),
        "reason": reason,
    }


def _as_data(confidence: float | ThresholdFile | None) -> float | str | None:
    return str(confidence) if isinstance(confidence, ThresholdFile) else confidence


def _undefined(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _margin(check: Check, value: float | None, old: float | None) -> float | None:
    if value is None or (check.side == DROP and old is None):
        return None
    if check.side == DROP:
        return value - float(old or 0) + check.limit
    return value - check.limit if check.side == MIN else check.limit - value


def _verdict(check: Check, found: Measured, margin: float | None, few: bool) -> tuple[str, str]:
    """pass, fail, skip or inconclusive; and why, empty when the value says it all."""
    if margin is None:
        reason = _why_undefined(check, found, few)
        return (SKIP, f"{reason}, which is allowed") if check.rules.on_undefined == SKIP else (FAIL, reason)
    if found.interval is None:
        noted = f"; {found.note}" if found.note else ""
        passing = f"{check.name}: {found.note}" if found.note else ""
        return (PASS, passing) if margin >= 0 else (FAIL, f"{_miss(check, found, margin)}{noted}")
    told = _told(check, found.interval, margin)
    if told is not None:
        return told, "" if told == PASS else _miss(check, found, margin)
    reason = _why_inconclusive(check, found.interval, margin)
    rule = check.rules.inconclusive
    if rule == REPORT:
        return INCONCLUSIVE, reason
    return rule, f"{reason}, which {'fails' if rule == FAIL else 'passes'}"


def _told(check: Check, interval: Interval, margin: float) -> str | None:
    """pass where no part of the interval lies beyond the limit, fail where all does, None in between.

    An interval may leave its own number out: average precision is taken back by its bias.
    """
    if interval.conclusive is not None:
        return (PASS if margin >= 0 else FAIL) if interval.conclusive else None
    if interval.low is None or interval.high is None:
        return None
    limit = -check.limit if check.side == DROP else check.limit
    good, bad = interval.low >= limit, interval.high < limit
    if check.side == MAX:
        good, bad = interval.high <= limit, interval.low > limit
    return PASS if good else FAIL if bad else None


def _why_undefined(check: Check, found: Measured, few: bool) -> str:
    if found.undefined_by:
        return f"{check.name} is undefined: {found.undefined_by}"
    if few:
        return f"{check.name} is of {found.support} samples, {check.rules.min_support} are needed"
    if check.side == DROP and not _undefined(found.value):
        return f"{check.name} is undefined in the baseline"
    return f"{check.name} is undefined" + (" (0 samples, at least 1 is needed)" if found.support == 0 else "")


def _why_inconclusive(check: Check, interval: Interval, margin: float) -> str:
    if interval.low is None or interval.high is None:
        needed = f"an interval needs {LEAST_UNITS} {interval.of}, there are {interval.units}"
        return f"{check.name} is inconclusive: {needed}"
    limit = -check.limit if check.side == DROP else check.limit
    what = "the change of " if check.side == DROP else ""
    between = f"{what}{check.name} lies in {interval.low:.4g}..{interval.high:.4g} ({100 * interval.level:g} %)"
    needed = ""
    if interval.smallest and abs(margin) > 0:
        times = (interval.smallest / abs(margin)) ** 2
        if 1 < times < 1000:
            needed = f"; about {_rounded(interval.units * times):,} {interval.of} would tell"
    held = "on both sides of" if interval.conclusive is None else "not told, after correction, from"
    return f"{between}, {held} {limit:g}{needed}"


def _rounded(count: float) -> int:
    """Upwards to two digits.

    >>> _rounded(12345), _rounded(7)
    (13000, 7)
    """
    step = 10 ** max(math.floor(math.log10(count)) - 1, 0)
    return int(math.ceil(count / step) * step)


def _miss(check: Check, found: Measured, margin: float) -> str:
    if check.side == DROP and found.value is not None and found.baseline is not None:
        drop = found.baseline - found.value
        return (
            f"{check.name} drops by {drop:.6g}, from {found.baseline:.6g} to {found.value:.6g}; {check.limit:g} may be"
        )
    side = "below the floor" if check.side == MIN else "above the ceiling"
    if margin >= 0 and found.interval is not None and found.interval.low is not None:
        return f"{check.name} lies in {found.interval.low:.4g}..{found.interval.high:.4g}, {side} of {check.limit:g}"
    return f"{check.name} is {found.value:.6g}, {-margin:.6g} {side} of {check.limit:g}"


def lost_rows(findings: Iterable[Mapping[str, Any]], allowed: Iterable[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """A failed check for each cause of rows that were dropped, and a note for each that is allowed."""
    known_codes(allowed)
    dropped = [finding for finding in findings if finding["dropped"]]
    checks = [_lost_row(finding) for finding in dropped if finding["code"] not in allowed]
    return checks, [f"{lost(finding)}: allowed" for finding in dropped if finding["code"] in allowed]


def _lost_row(finding: Mapping[str, Any]) -> dict[str, Any]:
    count = int(finding["count"])
    reason = f"{lost(finding)}: mend the input or --allow-findings {finding['code']}"
    return counted(f"{FINDINGS}@{finding['code']}", FINDINGS, str(finding["code"]), count, 0, reason)


def counted(
    name: str,
    metric: str,
    category: str | None,
    value: float | None,
    limit: float,
    reason: str,
    support: int | None = None,
) -> dict[str, Any]:
    """A ceiling on a count or share of data as a check; reason: why it fails, when it does."""
    check = Check(MAX, metric, limit)
    row = judged(check, Measured(value, support))
    return row | {
        "check": f"{name} {SIGNS[MAX]} {limit:g}",
        "category": category,
        "reason": "" if row["passed"] else reason,
    }


def lost(finding: Mapping[str, Any]) -> str:
    shown = ", ".join(finding.get("examples", ()))
    return f"{finding['count']} × {finding['meaning']}, left out" + (f" (first: {shown})" if shown else "")


def verdict_of(checks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All checks together: failed if one is, else inconclusive if one is, else passed; how many are what."""
    if not checks:
        raise UsageError("no check given", "name one: --min precision=0.8")
    count = {name: sum(check["verdict"] == name for check in checks) for name in (FAIL, INCONCLUSIVE, SKIP)}
    verdict = FAILED if count[FAIL] else INCONCLUSIVE if count[INCONCLUSIVE] else PASSED
    return {
        "verdict": verdict,
        "passed": verdict == PASSED,
        "failed": count[FAIL],
        "inconclusive": count[INCONCLUSIVE],
        "skipped": count[SKIP],
        "checks": list(checks),
    }


def known_codes(codes: Iterable[str], where: str = "--allow-findings") -> None:
    """Refuse a code that no finding has."""
    for code in codes:
        if code not in CODES:
            raise UsageError(f"{where} {code}: there is no such code", hint(code, list(CODES)))
