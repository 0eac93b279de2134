"""May this model ship? A gate held against a run, or against the evaluation of two files, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qm_cli.analysis.gate_checks import (
    DROP,
    Check,
    Gate,
    Scope,
    ThresholdFile,
    each_category,
    measured_by,
    refuse_contradictions,
)
from qm_cli.analysis.gate_names import category_keys, category_place
from qm_cli.analysis.gate_quantities import Confidences, Quantity, quantity_of
from qm_cli.analysis.gating import Measured, judged, lost_rows, verdict_of
from qm_cli.errors import UsageError
from qm_cli.gate_measuring import COCO, measured
from qm_cli.gate_reports import Reports, placed
from qm_cli.gate_subject import Subject
from qm_cli.gate_thresholds import own_confidences
from qm_cli.image_checks import image_checks
from qm_cli.settings import Settings, measure_name


def decide(gate: Gate, subject: Subject) -> dict[str, Any]:
    """The verdict as data: every check with value, limit, margin and why, one failed check per cause of lost rows."""
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    about: dict[str, Any] = {}
    if gate.checks:
        rows, notes = _model_checks(gate, subject)
        about = {key: subject.report[key] for key in ("task", "convention", "iou", "confidence", "images")}
        notes += subject.report["notes"]
    if gate.data is not None:
        if subject.run is None:
            raise UsageError(f"{subject.target}: [data] is about a run", "score the dataset and gate the run folder")
        rows += image_checks(subject.run, gate.data)
    judged_codes = [code for code, _ in gate.data.findings] if gate.data else []
    own = [one for one in subject.findings if one["code"] not in judged_codes]
    lost, allowed = lost_rows(own, gate.allow_findings)
    verdict = verdict_of([*rows, *lost])
    baseline = {"baseline": str(gate.baseline.run)} if gate.baseline else {}
    sampling = {"resamples": gate.resamples, "seed": gate.seed, "cluster": gate.cluster}
    intervals = any(row["confidence_level"] is not None for row in rows)
    return {
        "target": subject.target,
        "model": subject.model,
        **about,
        **baseline,
        **(sampling if intervals else {}),
        **verdict,
        "notes": [*allowed, *notes],
    }


def _model_checks(gate: Gate, subject: Subject) -> tuple[list[dict[str, Any]], list[str]]:
    categories = subject.report["categories"]
    labels = {name: row["labels"] for name, row in zip(category_keys(categories), categories, strict=True)}
    measure = measure_name(subject.report["task"])
    checks, left_out = each_category([measured_by(check, measure) for check in gate.checks], labels)
    for check in checks:
        _refuse_unknown_of_answers(check, subject)
    own, told = own_confidences(checks, subject)
    wanted = [_quantity(check, subject, own) for check in checks]
    refuse_contradictions(checks, wanted)
    needed = [place for place, check in enumerate(checks) if _needs_tables(check, wanted[place], subject.settings)]
    found: dict[int, Measured] = {}
    notes: list[str] = []
    if needed:
        asked = [(checks[place], quantity) for place in needed if (quantity := wanted[place]) is not None]
        values, notes = measured(gate, subject, asked)
        found = dict(zip(needed, values, strict=True))
    reports = Reports(subject, own, gate.seed)
    for place, check in enumerate(checks):
        if place not in found:
            found[place] = reports.measured(check)
    return [judged(check, found[place]) for place, check in enumerate(checks)], [*left_out, *told, *notes]


def _refuse_unknown_of_answers(check: Check, subject: Subject) -> None:
    """Raise UsageError for what is not known of classes and text: of two files they are told at files of thresholds."""
    category, confidence = check.scope.category, check.scope.confidence
    own = confidence if subject.answers is not None and isinstance(confidence, ThresholdFile) else None
    if subject.of_answers and (check.side == DROP or check.scope != Scope(category, confidence=own)):
        hint = "leave slice, size, iou, confidence and max_drop out"
        if subject.answers is None and check.scope == Scope(category, confidence=confidence):
            hint = "a confidence is for LABELS and PREDICTIONS: gate the two files, with a file of thresholds"
        raise UsageError(
            f"{check.where}: {check.metric} of {subject.report['task']} is known as it was evaluated", hint
        )


def _quantity(check: Check, subject: Subject, own: Mapping[ThresholdFile, Confidences]) -> Quantity | None:
    category = check.scope.category
    with placed(check):
        place = None if category is None else category_place(subject.report["categories"], category)
    if subject.of_answers:
        return None
    found = quantity_of(check, subject.settings, place, own)
    if check.side == DROP and (found is None or not found.has_interval):
        raise UsageError(f"{check.where}: {check.metric} cannot drop", "name a share: AP, recall, precision, f1 …")
    return found


def _needs_tables(check: Check, quantity: Quantity | None, settings: Settings) -> bool:
    """Whether no report says it all: that at hand, or of another convention than COCO's one at other thresholds."""
    if quantity is None:
        return False
    scope = check.scope
    elsewhere = any(one is not None for one in (scope.iou, scope.confidence))
    if settings.convention != COCO and not quantity.is_curve:
        elsewhere = False
    scoped = elsewhere or scope.slice is not None or scope.size is not None
    return scoped or check.side == DROP or (quantity.has_interval and check.rules.confidence_level is not None)
