"""May this model ship? Floors and ceilings against an evaluation report."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from qm_cli.errors import UsageError
from qm_cli.findings import CODES

MIN, MAX = "min", "max"
SIGNS = {MIN: "≥", MAX: "≤"}
SIZES = ("images", "labels", "crowd", "predictions")
COUNTS = (*SIZES, "true_positives", "false_positives", "false_negatives", "true_negatives")
UNBOUNDED = ("log_loss",)
KEYS_OF_CATEGORY = ("id", "name")
QUESTION = "question"
FINDINGS = "findings"


@dataclass(frozen=True)
class Bound:
    """One demand: `metric` (of one category, when named) on the right side of `limit`."""

    side: str
    metric: str
    category: str | None
    limit: float

    @property
    def name(self) -> str:
        return self.metric if self.category is None else f"{self.metric}@{self.category}"


def parsed(side: str, text: str) -> Bound:
    """`precision=0.8` or `recall@person=0.6` as a bound. A category's name may hold = and @.

    >>> parsed("min", "recall@person=0.6")
    Bound(side='min', metric='recall', category='person', limit=0.6)
    """
    left, equals, right = text.rpartition("=")
    metric, at, category = left.partition("@")
    if not equals or not metric.strip() or (at and not category.strip()):
        raise UsageError(f"--{side} {text!r}: is no check", f"write --{side} precision=0.8 or recall@person=0.6")
    try:
        limit = float(right)
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit):
        raise UsageError(f"--{side} {text!r}: {right.strip()!r} is no number", f"write --{side} {left.strip()}=0.8")
    metric = metric.strip()
    if not (is_count(metric) or metric in UNBOUNDED) and not 0 <= limit <= 1:
        way_out = f"write {limit / 100:g} for {limit:g} %" if 1 < limit <= 100 else "no other value can pass or fail it"
        raise UsageError(f"--{side} {text!r}: {metric} lies between 0 and 1", way_out)
    whole = is_count(metric) and limit.is_integer()
    return Bound(side, metric, category.strip() if at else None, int(limit) if whole else limit)


def is_count(metric: str) -> bool:
    """Whether a metric counts samples, all of them or those of one reason.

    >>> is_count("labels"), is_count("false_positives_iou_too_low"), is_count("precision")
    (True, True, False)
    """
    return metric in COUNTS or metric.startswith("false_positives_")


def gated(
    report: Mapping[str, Any],
    bounds: Sequence[Bound],
    findings: Iterable[Mapping[str, Any]],
    *,
    allow_undefined: bool = False,
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """The verdict as data: every check with value, limit and margin, and one failed check per cause of lost rows."""
    known_codes(allowed)
    if not bounds:
        raise UsageError("no check given", "name one: --min precision=0.8")
    checks = [_check(report, bound, allow_undefined) for bound in bounds]
    dropped = [finding for finding in findings if finding["dropped"]]
    checks += [_lost_rows(finding) for finding in dropped if finding["code"] not in allowed]
    notes = [f"{_lost(finding)}: allowed" for finding in dropped if finding["code"] in allowed]
    failed = sum(not check["passed"] for check in checks)
    return {
        "passed": failed == 0,
        "task": report["task"],
        "convention": report["convention"],
        "iou": report["iou"],
        "confidence": report["confidence"],
        "images": report["images"],
        "failed": failed,
        "checks": checks,
        "notes": [*notes, *report["notes"]],
    }


def known_codes(codes: Iterable[str]) -> None:
    """Refuse a code that no finding has."""
    for code in codes:
        if code not in CODES:
            raise UsageError(f"--allow-findings {code}: there is no such code", _hint(code, list(CODES)))


def _check(report: Mapping[str, Any], bound: Bound, allow_undefined: bool) -> dict[str, Any]:
    value = _value(report, bound)
    margin = None if value is None else value - bound.limit if bound.side == MIN else bound.limit - value
    passed = allow_undefined if margin is None else margin >= 0
    return {
        "check": f"{bound.name} {SIGNS[bound.side]} {bound.limit:g}",
        "metric": bound.metric,
        "category": bound.category,
        "bound": bound.side,
        "limit": bound.limit,
        "value": value,
        "margin": margin,
        "passed": passed,
        "reason": _reason(bound, value, margin, allow_undefined),
    }


def _reason(bound: Bound, value: float | None, margin: float | None, allow_undefined: bool) -> str:
    """Why a check fails, or passes for another reason than its value; empty when the value says it all."""
    if value is None or margin is None:
        return f"{bound.name} is undefined" + (", which is allowed" if allow_undefined else "")
    if margin >= 0:
        return ""
    side = "below the floor" if bound.side == MIN else "above the ceiling"
    return f"{bound.name} is {value:.6g}, {-margin:.6g} {side} of {bound.limit:g}"


def _lost_rows(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Rows that were dropped, as a check of its own that failed."""
    count = int(finding["count"])
    return {
        "check": f"{FINDINGS}@{finding['code']} {SIGNS[MAX]} 0",
        "metric": FINDINGS,
        "category": finding["code"],
        "bound": MAX,
        "limit": 0,
        "value": count,
        "margin": -count,
        "passed": False,
        "reason": f"{_lost(finding)}: mend the input or --allow-findings {finding['code']}",
    }


def _lost(finding: Mapping[str, Any]) -> str:
    shown = ", ".join(finding.get("examples", ()))
    return f"{finding['count']} × {finding['meaning']}, left out" + (f" (first: {shown})" if shown else "")


def _value(report: Mapping[str, Any], bound: Bound) -> float | None:
    """The number a bound is about; None when it is undefined. Raises UsageError for names the report does not have."""
    scope = {**{name: report[name] for name in SIZES}, **report["metrics"]}
    where = "the evaluation"
    if bound.category is not None:
        scope = _category(report["categories"], bound.category)
        where = "a category"
    numbers = [name for name in scope if name not in (*KEYS_OF_CATEGORY, QUESTION)]
    if bound.metric not in numbers:
        raise UsageError(f"{bound.metric}: {where} has no such metric", _hint(bound.metric, numbers))
    value: float | None = scope[bound.metric]
    return value


def _category(categories: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """The row of a category by name, else by id, else as question/name where several questions have it."""
    for key in reversed(KEYS_OF_CATEGORY):
        found = [row for row in categories if str(row[key]) == name]
        if len(found) > 1:
            way_out = f"write {found[0][QUESTION]}/{found[0]['name']}" if QUESTION in found[0] else "name its id"
            raise UsageError(f"{name}: {len(found)} categories have this {key}", way_out)
        if found:
            return dict(found[0])
    for row in categories:
        if f"{row.get(QUESTION)}/{row['name']}" == name:
            return dict(row)
    raise UsageError(f"{name}: there is no such category", _hint(name, [str(row["name"]) for row in categories]))


def _hint(name: str, known: list[str]) -> str:
    """The nearest names whatever their case, digits in `map50` and the like; else all of them."""
    by_lower = {one.lower(): one for one in known}
    lowered = re.sub(r"^m(?=a[pr])", "", name.lower())
    found = get_close_matches(lowered, list(by_lower), n=3)
    if found:
        return f"did you mean {', '.join(by_lower[one] for one in found)}?"
    return f"there are {', '.join(known)}" if known else "there are none"
