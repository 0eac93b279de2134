"""The same files under every convention, and why two of them differ, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from qm_cli.convention_rules import (
    COUNTED,
    LABELS,
    PRECISION,
    RULES,
    SAME_EVERYWHERE,
    Rules,
    count_rules,
    parameters,
    precision_rules,
    shown,
    walk,
)
from qm_cli.errors import UsageError, nearest
from qm_cli.evaluation import evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.rule_matching import Comparison
from qm_cli.rule_numbers import counted_rates, mean_average_precision
from qm_cli.settings import CONVENTIONS, Settings, compares
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

NUMBER = {"coco": "AP", "voc07": "mAP", "voc12": "mAP", "encord": "mAP", "ultralytics": "AP50-95", "lvis": "AP"}
"""What each convention calls its mean average precision."""
ROW = ("precision", "recall", "f1", "true_positives", "false_positives", "false_negatives")
Values = Mapping[str, float | None]
RulesOf = Callable[[Settings], Rules | None]


def explained(
    tables: Tables,
    settings: Settings,
    against: str | None = None,
    iou: float | None = None,
    confidence: float | None = None,
) -> dict[str, Any]:
    """Every convention's numbers, and the gaps between the convention of the settings and each other one.

    A gap is walked parameter by parameter, in the order of `convention_rules.Rules`; what the steps change adds up to
    it, and every step is the number of a whole evaluation with one parameter more set to the other convention's value.
    against: tell the gap to this convention alone. iou, confidence: what every convention counts at, where they are
    given; else a convention with thresholds of its own has these. LVIS takes part where the label file has its lists,
    and no convention that does not compare the task's objects. Raises UsageError where `against` does not take part.
    """
    tables = only_categories(tables, settings.categories)
    settings = settings.of(tables.measure)
    left = left_out(tables, settings.task)
    names = [name for name in CONVENTIONS if name not in left]
    refuse_missing(against, settings.convention, left)
    chosen = {name: settings.at(name, iou, confidence) for name in names}
    reports = {name: evaluation_report(evaluate_tables(tables, own)) for name, own in chosen.items()}
    others = [name for name in names if name != settings.convention and against in (None, name)]
    gaps = _gaps(tables, [chosen[name] for name in (settings.convention, *others)])
    return {
        "task": settings.task,
        "images": tables.count("image"),
        "labels": tables.count("label"),
        "predictions": tables.count("prediction"),
        "explained": settings.convention,
        "against": against,
        "conventions": [_row(name, report) for name, report in reports.items()],
        "parameters": _parameters(chosen),
        "gaps": gaps,
        "notes": [
            *(finding.sentence() for finding in tables.findings),
            *(f"{name} is left out: {why}" for name, why in left.items()),
            *(f"{name} defines no average precision" for name in (settings.convention, *others) if name not in RULES),
        ],
    }


def left_out(tables: Tables, task: str) -> dict[str, str]:
    """The conventions that do not take part, and why."""
    found = {name: f"it does not compare {task}" for name in CONVENTIONS if not compares(name, task)}
    if "neg_category_ids" not in tables.image.column_names:
        found.setdefault("lvis", "no image has neg_category_ids")
    return found


def refuse_missing(against: str | None, convention: str, left: Mapping[str, str]) -> None:
    """Raise UsageError for a convention that there is no gap to; None asks for none."""
    if against is None:
        return
    if against not in CONVENTIONS:
        hint = nearest(against, list(CONVENTIONS)) or f"there are {', '.join(CONVENTIONS)}"
        raise UsageError(f"--against: there is no convention {against!r}", hint)
    if against in left:
        raise UsageError(f"--against {against}: takes no part, {left[against]}", "name another convention")
    if against == convention:
        raise UsageError(f"--against {against}: is the convention itself", "name another, or another --convention")


def _row(name: str, report: dict[str, Any]) -> dict[str, Any]:
    number = NUMBER.get(name)
    return {
        "convention": name,
        "number": number,
        "value": report["metrics"][number] if number else None,
        "definition": report["definitions"][number] if number else None,
        "iou": report["iou"],
        "confidence": report["confidence"],
        **{key: report["metrics"][key] for key in ROW},
    }


def _parameters(chosen: Mapping[str, Settings]) -> list[dict[str, Any]]:
    """The value of every parameter under every convention, of average precision and of the counted numbers."""
    rows = []
    for numbers, rules_of in (((PRECISION,), precision_rules), (COUNTED, count_rules)):
        every = {name: rules_of(own) for name, own in chosen.items()}
        for name in parameters(numbers[0]):
            values = {one: None if rules is None else shown(rules, name) for one, rules in every.items()}
            rows.append({"numbers": list(numbers), "parameter": LABELS[name], "values": values})
        for label, value in SAME_EVERYWHERE[numbers[0]].items():
            same = {one: None if rules is None else value for one, rules in every.items()}
            rows.append({"numbers": list(numbers), "parameter": label, "values": same})
    return rows


def _gaps(tables: Tables, chosen: list[Settings]) -> list[dict[str, Any]]:
    """From the first convention to each of the others."""
    comparison = Comparison(tables, chosen[0].task, min((0.5, *(one.iou for one in chosen))))

    def precision(rules: Rules) -> Values:
        return {PRECISION: mean_average_precision(comparison, rules)}

    def counts(rules: Rules) -> Values:
        return counted_rates(comparison, rules)

    return [
        *_walked(chosen, precision_rules, precision, (PRECISION,)),
        *_walked(chosen, count_rules, counts, COUNTED),
    ]


def _walked(
    chosen: list[Settings], rules_of: RulesOf, values_of: Callable[[Rules], Values], numbers: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The gaps of some numbers that are computed together; none to a convention that does not define them."""
    known: dict[Rules, Values] = {}

    def values(rules: Rules) -> Values:
        if rules not in known:
            known[rules] = values_of(rules)
        return known[rules]

    first, gaps = rules_of(chosen[0]), []
    for last, settings in ((rules_of(settings), settings) for settings in chosen[1:]):
        if first is not None and last is not None:
            steps = [("", first), *walk(first, last)]
            reached = [(name, rules, values(rules)) for name, rules in steps]
            gaps += [_gap(number, chosen[0].convention, settings.convention, reached) for number in numbers]
    return gaps


def _gap(number: str, first: str, last: str, reached: list[tuple[str, Rules, Values]]) -> dict[str, Any]:
    """reached: the first rules, then those after each step with its parameter, each with its values."""
    begin, end = reached[0], reached[-1]
    switched = [name for name, _, _ in reached[1:]]
    same = {LABELS[name]: shown(begin[1], name) for name in parameters(number) if name not in switched}
    return {
        "number": number,
        "from": first,
        "to": last,
        "before": begin[2][number],
        "after": end[2][number],
        "difference": _less(end[2][number], begin[2][number]),
        "steps": [
            {
                "step": LABELS[name],
                "change": f"{shown(rules, name)} → {shown(changed, name)}",
                "before": before[number],
                "after": after[number],
                "difference": _less(after[number], before[number]),
            }
            for (_, rules, before), (name, changed, after) in pairwise(reached)
        ],
        "same": {**same, **SAME_EVERYWHERE[number]},
    }


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
