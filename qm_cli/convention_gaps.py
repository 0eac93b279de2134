"""The same files under every convention, and why two of them differ, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qm_cli.ap_rules import GREEDY, RULES, Rules, at_iou, mean_average_precision
from qm_cli.evaluation import evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import CONVENTIONS, IOU_THRESHOLDS, Settings
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

NUMBER = {"coco": "AP", "voc07": "mAP", "voc12": "mAP", "encord": "mAP", "ultralytics": "AP50-95", "lvis": "AP"}
"""What each convention calls its mean average precision."""
COUNTED = ("precision", "recall", "f1", "true_positives", "false_positives", "false_negatives")
SELECTING = ("thresholds", "points", "most", "uncounted", "judged")
MATCHING, OVERLAP = ("matching", "last"), ("pixel", "above")
SAME = (
    "the same under all of them: no minimum score for average precision; equal scores stand by image id, then input "
    "order; categories without a label that counts are left out"
)
STEPS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "thresholds": ("IoU thresholds", lambda value: "0.5:0.05:0.95" if value == IOU_THRESHOLDS else f"{value[0]:g}"),
    "points": ("interpolation", str),
    "most": ("max detections", lambda value: f"{value[0]} of {value[1]}" if value[0] else "all"),
    "uncounted": ("labels left out", ", ".join),
    "judged": ("categories judged in an image", lambda value: "listed ones" if value else "all"),
    "matching": ("matching", str),
    "last": ("tie of overlap", lambda value: "later label" if value else "earlier label"),
    "pixel": ("overlap", lambda value: "one pixel added" if value else "plain"),
    "above": ("IoU at the threshold", lambda value: "no match" if value else "match"),
}


def explained(tables: Tables, settings: Settings) -> dict[str, Any]:
    """Every convention's numbers, and the gaps between the convention of the settings and each other one.

    A gap of average precision is walked switch by switch, one of F1 threshold by threshold; what the steps change adds
    up to the gap. LVIS takes part where the label file has its lists.
    """
    tables = only_categories(tables, settings.categories)
    names = [one for one in CONVENTIONS if one != "lvis" or "neg_category_ids" in tables.image.column_names]
    chosen = {name: settings.at(name) for name in names}
    reports = {name: evaluation_report(evaluate_tables(tables, own)) for name, own in chosen.items()}
    others = [name for name in names if name != settings.convention]
    left = [] if "lvis" in names else ["lvis is left out: no image has neg_category_ids"]
    return {
        "task": settings.task,
        "images": tables.count("image"),
        "labels": tables.count("label"),
        "predictions": tables.count("prediction"),
        "explained": settings.convention,
        "conventions": [_row(name, report) for name, report in reports.items()],
        "gaps": [
            *_precision_gaps(tables, settings, others),
            *_f1_gaps(tables, chosen, reports, settings.convention, others),
        ],
        "notes": [*(finding.sentence() for finding in tables.findings), *left, SAME],
    }


def _row(name: str, report: dict[str, Any]) -> dict[str, Any]:
    number = NUMBER.get(name)
    return {
        "convention": name,
        "number": number,
        "value": report["metrics"][number] if number else None,
        "definition": report["definitions"][number] if number else None,
        "iou": report["iou"],
        "confidence": report["confidence"],
        **{key: report["metrics"][key] for key in COUNTED},
    }


def walk(first: Rules, last: Rules) -> list[tuple[str, Rules]]:
    """The rules after each switch that differs, with its name; greedy matching knows plain overlap alone."""
    order = (*SELECTING, *MATCHING, *OVERLAP) if first.matching == GREEDY else (*SELECTING, *OVERLAP, *MATCHING)
    steps, rules = [], first
    for name in order:
        if getattr(rules, name) != getattr(last, name):
            rules = replace(rules, **{name: getattr(last, name)})
            steps.append((name, rules))
    return steps


def _precision_gaps(tables: Tables, settings: Settings, others: list[str]) -> list[dict[str, Any]]:
    if settings.convention not in RULES:
        return []
    known: dict[Rules, float | None] = {}

    def value(rules: Rules) -> float | None:
        if rules not in known:
            known[rules] = mean_average_precision(tables, rules, settings.task)
        return known[rules]

    def own(name: str) -> Rules:
        rules = at_iou(RULES[name], settings.at(name).iou)
        return replace(rules, above=False) if settings.voc_devkit and name.startswith("voc") else rules

    first = own(settings.convention)
    gaps = []
    for name in (other for other in others if other in RULES):
        rules, before, steps = first, value(first), []
        for switch, switched in walk(first, own(name)):
            label, shown = STEPS[switch]
            change = f"{shown(getattr(rules, switch))} → {shown(getattr(switched, switch))}"
            after = value(switched)
            steps.append(_step(label, change, before, after))
            rules, before = switched, after
        gaps.append(_gap("average precision", settings.convention, name, value(first), before, steps))
    return gaps


def _f1_gaps(
    tables: Tables, chosen: dict[str, Settings], reports: dict[str, dict[str, Any]], convention: str, others: list[str]
) -> list[dict[str, Any]]:
    first, start = chosen[convention], reports[convention]["metrics"]["f1"]
    gaps = []
    for name in others:
        last, end = chosen[name], reports[name]["metrics"]["f1"]
        before, steps = start, []
        if (first.iou, first.confidence) != (last.iou, last.confidence):
            moved = replace(first, iou=last.iou, confidence=last.confidence)
            before = evaluation_report(evaluate_tables(tables, moved))["metrics"]["f1"]
            change = f"{first.iou:g}, {first.confidence:g} → {last.iou:g}, {last.confidence:g}"
            steps.append(_step("IoU and confidence", change, start, before))
        steps.append(_step("matching and labels left out", f"{convention} → {name}", before, end))
        gaps.append(_gap("f1", convention, name, start, end, steps))
    return gaps


def _step(name: str, change: str, before: float | None, after: float | None) -> dict[str, Any]:
    return {"step": name, "change": change, "before": before, "after": after, "difference": _less(after, before)}


def _gap(
    number: str, first: str, last: str, before: float | None, after: float | None, steps: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "number": number,
        "from": first,
        "to": last,
        "before": before,
        "after": after,
        "difference": _less(after, before),
        "steps": steps,
    }


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
