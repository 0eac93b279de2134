"""Numbers of a gate that only an evaluation report has: of one report per distinct setting, made when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli.analyses import EVERYTHING, refuse_undefined
from qm_cli.analysis.gate_checks import Check, ThresholdFile
from qm_cli.analysis.gate_names import THRESHOLDS, category_place, support_of, value_of
from qm_cli.analysis.gate_quantities import Confidences
from qm_cli.analysis.gating import Measured
from qm_cli.analysis.operating_points import Target, parsed_target
from qm_cli.detail_report import detailed_report
from qm_cli.errors import UsageError, nearest
from qm_cli.evaluation_options import Questions
from qm_cli.gate_measuring import NO_INTERVAL, unserved
from qm_cli.gate_subject import Subject
from qm_cli.gate_thresholds import TOLD, report_at_own
from qm_cli.report import report_of
from qm_cli.settings import Settings

CALIBRATION = "calibration"
SHORT = {"ece": CALIBRATION, "mce": CALIBRATION}
"""Numbers that are known by their name alone, and the analysis they are of."""


@contextmanager
def placed(check: Check) -> Iterator[None]:
    """What is refused inside names the place the check was written."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{check.where}: {error.message}", error.hint) from error


class Reports(Struct, frozen=True):
    """The reports of one subject. own: what files of thresholds say; seed: of the folds thresholds are tried on."""

    subject: Subject
    own: Mapping[ThresholdFile, Confidences]
    seed: int = 0
    _known: dict[tuple[object, ...], dict[str, Any]] = field(default_factory=dict)

    def measured(self, check: Check) -> Measured:
        """The number of a check and its samples. Raises UsageError for names that no report has."""
        scope, settings = check.scope, self.subject.settings
        iou = settings.iou if scope.iou is None else scope.iou
        note = NO_INTERVAL if check.rules.confidence_level is not None else ""
        if isinstance(scope.confidence, ThresholdFile):
            return replace(self._at_own(check, iou, scope.confidence), note=note)
        confidence = settings.confidence if scope.confidence is None else scope.confidence
        with placed(check):
            report = self._report(replace(settings, iou=iou, confidence=confidence), check.metric)
            value = value_of(report, check.metric, scope.category)
        return Measured(value, support_of(report, check.metric, scope.category), note=note)

    def _at_own(self, check: Check, iou: float, file: ThresholdFile) -> Measured:
        """With each category's own confidence."""
        metric, category, own = check.metric, check.scope.category, self.own[file]
        if self.subject.answers is None and metric not in TOLD:
            hint = nearest(metric, list(TOLD)) or f"there are {', '.join(TOLD)}"
            raise UsageError(f"{check.where}: {metric} is not known at each category's own confidence", hint)
        if (iou, file) not in self._known:
            self._known[iou, file] = report_at_own(self.subject, replace(self.subject.settings, iou=iou), own, file)
        report = self._known[iou, file]
        with placed(check):
            value, support = value_of(report, metric, category), support_of(report, metric, category)
        undefined = category is not None and own[category_place(report["categories"], category)] is None
        return Measured(value, support, undefined_by=unserved(check) if undefined else "")

    def _report(self, settings: Settings, metric: str) -> dict[str, Any]:
        """That at hand if it holds what the metric is of, else one with it."""
        at_hand = settings == self.subject.settings
        part = part_of(metric)
        if self.subject.of_answers or (at_hand and part is None):
            return self.subject.report
        targets = target_of(metric)
        if at_hand and part is not None and holds(self.subject.report, part, targets):
            return self.subject.report
        key = settings.iou, settings.confidence, part, targets
        if key not in self._known:
            self._known[key] = self._made(settings, part, targets)
        return self._known[key]

    def _made(self, settings: Settings, part: str | None, targets: tuple[Target, ...]) -> dict[str, Any]:
        tables = self.subject.tables
        if part is None:
            return report_of(tables, settings)
        analyses = (part,) if part in EVERYTHING else ()
        refuse_undefined(analyses, settings)
        questions = Questions(targets=targets, seed=self.seed)
        return detailed_report(tables, settings, questions, analyses)


def part_of(metric: str) -> str | None:
    """The part of the report that a metric is of and that is made when asked for; None for any other.

    >>> part_of("calibration.ECE"), part_of("ece"), part_of("thresholds.f1.confidence"), part_of("recall")
    ('calibration', 'calibration', 'thresholds', None)
    """
    word, dot, _ = metric.lower().partition(".")
    return SHORT.get(word) if not dot else word if word in (*EVERYTHING, THRESHOLDS) else None


def target_of(metric: str) -> tuple[Target, ...]:
    """What the thresholds of a metric are to reach; none where it names no thresholds.

    >>> target_of("thresholds.f0.5.held_out.f1.low")[0].text
    'f0.5'
    """
    if part_of(metric) != THRESHOLDS:
        return ()
    words = metric.split(".")[1:]
    for end in range(len(words), 0, -1):
        try:
            return (parsed_target(".".join(words[:end])),)
        except UsageError:
            continue
    return ()


def holds(report: Mapping[str, Any], part: str, targets: tuple[Target, ...]) -> bool:
    """Whether a report has the part, of thresholds those of the targets."""
    known = [one["target"] for one in (report.get(part) or {}).get("targets", ())]
    return part in report and all(target.text in known for target in targets)
