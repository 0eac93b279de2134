"""Files of thresholds that checks name → the confidence of every category of what is gated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qm_cli.analysis.counts import mean_of_defined
from qm_cli.analysis.gate_checks import SIZES, Check, ThresholdFile
from qm_cli.analysis.gate_quantities import MACRO, Confidences, lowest_scores
from qm_cli.count_report import COUNTS
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.gate_subject import Subject
from qm_cli.report import report_of
from qm_cli.settings import Settings
from qm_cli.subset import only_confident
from qm_cli.threshold_file import Thresholds, read_thresholds

NAMED = 3
FACTS = ("id", "name", "labels", "predictions")
AVERAGED = ("precision", "recall", "f1", "mean_iou")
COUNTED = (*AVERAGED, *COUNTS)
TOLD = (*SIZES, *COUNTED, *(f"{name}{MACRO}" for name in AVERAGED))
"""The numbers that are known with each category's own confidence."""


def own_confidences(checks: Sequence[Check], subject: Subject) -> tuple[dict[ThresholdFile, Confidences], list[str]]:
    """Confidences by category row of each file that a check names, and what is to be said of them.

    Raises InputError for a file that is none, or of another task, convention or set of categories.
    """
    found: dict[ThresholdFile, Confidences] = {}
    notes: list[str] = []
    for file, check in _named(checks).items():
        thresholds = _read(file, check.where)
        _refuse_others(thresholds, file, subject, check.where)
        names = _names(subject.report, file)
        missing = [name for name in names if name not in thresholds.categories]
        if missing:
            shown = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
            hint = nearest(missing[0], list(thresholds.categories)) or f"it has {', '.join(thresholds.categories)}"
            raise InputError(f"{check.where}: {file.path} has no category {shown}", hint)
        found[file] = tuple(thresholds.categories[name] for name in names)
        notes += _notes(file, thresholds, found[file], names, subject)
        iou = subject.settings.iou if check.scope.iou is None else check.scope.iou
        if thresholds.facts.get("iou") != iou:
            notes.append(f"{file}: chosen at IoU {thresholds.facts.get('iou')}, checked at {iou:g}")
    return found, notes


def report_at_own(subject: Subject, settings: Settings, own: Confidences) -> dict[str, Any]:
    """The counts and rates of an evaluation with each category's own confidence, under any convention.

    A category without one keeps nothing and has no numbers; means over categories leave it out.
    """
    tables = only_confident(subject.tables, lowest_scores(own))
    found = report_of(tables, replace(settings, confidence=-math.inf))
    rows = [
        {name: None if least is None and name in COUNTED else row[name] for name in (*FACTS, *COUNTED)}
        for row, least in zip(found["categories"], own, strict=True)
    ]
    macro = {f"{name}{MACRO}": _mean([row[name] for row in rows]) for name in AVERAGED}
    metrics = {**{name: found["metrics"][name] for name in COUNTED}, **macro}
    return {**{name: found[name] for name in SIZES}, "metrics": metrics, "categories": rows}


def _mean(values: Sequence[float | None]) -> float | None:
    return mean_of_defined(np.array([np.nan if one is None else one for one in values], np.float64))


def _named(checks: Sequence[Check]) -> dict[ThresholdFile, Check]:
    """Each file with the first check that names it."""
    named: dict[ThresholdFile, Check] = {}
    for check in checks:
        if isinstance(check.scope.confidence, ThresholdFile):
            named.setdefault(check.scope.confidence, check)
    return named


def _read(file: ThresholdFile, where: str) -> Thresholds:
    try:
        return read_thresholds(file.path, file.target)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", error.hint) from error
    except UsageError as error:
        way_out = f'write confidence = {{ file = "{file.path.name}", target = "…" }}'
        raise UsageError(f"{where}: {error.message}", error.hint if file.target else way_out) from error


def _refuse_others(thresholds: Thresholds, file: ThresholdFile, subject: Subject, where: str) -> None:
    for name in ("task", "convention"):
        theirs, own = thresholds.facts.get(name), subject.report[name]
        if theirs != own:
            raise InputError(
                f"{where}: {file.path} is of {name} {theirs}, {subject.target} of {own}",
                "choose the thresholds anew with qm evaluate --thresholds … --thresholds-out",
            )


def _names(report: Mapping[str, Any], file: ThresholdFile) -> list[str]:
    """The categories' names. Raises InputError where two have one: thresholds are kept by name."""
    names = [str(row["name"]) for row in report["categories"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file.path}: two categories are called {twice[0]!r}", "thresholds are by name: rename one")
    return names


def _notes(
    file: ThresholdFile, thresholds: Thresholds, own: Confidences, names: Sequence[str], subject: Subject
) -> list[str]:
    notes = []
    none = [name for name, least in zip(names, own, strict=True) if least is None]
    if none:
        notes.append(f"{file}: no confidence serves {', '.join(none)}; nothing of them is kept")
    digest = thresholds.facts.get("predictions", {}).get("sha256")
    if digest is not None and digest in subject.digests:
        notes.append(f"{file}: chosen on these predictions, on which it does better than on others")
    return notes
