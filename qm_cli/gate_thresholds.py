"""Files of thresholds that checks name → the confidence of every category of what is gated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.analysis.gate_checks import SIZES, Check, ThresholdFile
from qm_cli.analysis.gate_quantities import MACRO, Confidences
from qm_cli.gate_subject import Subject
from qm_cli.own_answers import answers_at_own
from qm_cli.own_confidences import AVERAGED, COUNTED, evaluated_at_own, own_of, read_named
from qm_cli.settings import Settings
from qm_cli.threshold_file import Thresholds, category_key, read_thresholds

TOLD = (*SIZES, *COUNTED, *(f"{name}{MACRO}" for name in AVERAGED))
"""The numbers that are known with each category's own confidence."""


def own_confidences(checks: Sequence[Check], subject: Subject) -> tuple[dict[ThresholdFile, Confidences], list[str]]:
    """Confidences by category row of each file that a check names, and what is to be said of them.

    Raises InputError for a file that is none, or of another task, convention or set of categories.
    """
    found: dict[ThresholdFile, Confidences] = {}
    notes: list[str] = []
    for file, check in _named(checks).items():
        way_out = f'write confidence = {{ file = "{file.path.name}", target = "…" }}'
        thresholds = read_named(file, check.where, way_out)
        report = subject.report
        names = [category_key(row) for row in report["categories"]]
        found[file] = own_of(thresholds, file.path, check.where, report["task"], report["convention"], names)
        notes += _notes(file, thresholds, found[file], names, subject)
        iou = report["iou"] if check.scope.iou is None else check.scope.iou
        if thresholds.facts.get("iou") != iou:
            chosen = f"{check.scope.measure} {thresholds.facts.get('iou')}"
            notes.append(f"{file}: chosen at {chosen}, checked at {iou}")
    return found, notes


def report_at_own(subject: Subject, settings: Settings, own: Confidences, file: ThresholdFile) -> dict[str, Any]:
    """The counts and rates of an evaluation with each category's own confidence, under any convention."""
    if subject.answers is not None:
        return answers_at_own(subject.answers, own, read_thresholds(file.path, file.target).overall)
    return evaluated_at_own(subject.tables, settings, own)[1]


def _named(checks: Sequence[Check]) -> dict[ThresholdFile, Check]:
    """Each file with the first check that names it."""
    named: dict[ThresholdFile, Check] = {}
    for check in checks:
        if isinstance(check.scope.confidence, ThresholdFile):
            named.setdefault(check.scope.confidence, check)
    return named


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
