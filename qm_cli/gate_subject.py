"""What a gate is held against: a run or two files, slices of it, and the baseline in the same row order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.alignment import aligned
from qm_cli.analysis.gate_checks import Check, Gate
from qm_cli.analysis.gate_quantities import LABEL_NUMBERS, Quantity
from qm_cli.analysis.slices import Members
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_task import TASKS
from qm_cli.arrays import to_arrow
from qm_cli.classification import ClassEvaluation
from qm_cli.errors import InputError, UsageError, nearest, refuse_options
from qm_cli.image_checks import findings_of
from qm_cli.load_answers import AnswerSource
from qm_cli.query import Source
from qm_cli.report import report_of
from qm_cli.run_folder import Run, open_run, sha256_of
from qm_cli.run_tables import tables_of_run
from qm_cli.scoring import can_evaluate
from qm_cli.settings import Settings, settings_at
from qm_cli.slice_language import NAMED, OBJECT, Slice, Wanted, slices_of, sorted_by_image
from qm_cli.slice_rows import all_columns, rows_of_source
from qm_cli.subset import only_categories
from qm_cli.tables import Tables
from qm_cli.text_entities import SpanEvaluation

Asked = Sequence[tuple[Check, Quantity]]


class Subject(Struct, frozen=True, dict=True):
    """What is gated. target: its name; settings: what it is evaluated at; run: None for files.

    read_tables, read_report: its tables, and its evaluation at the settings, for when they are needed. predictions:
    their file, where there is no run. answers: the evaluation of two files of answers.
    """

    target: str
    model: str | None
    settings: Settings
    findings: list[dict[str, Any]]
    read_tables: Callable[[], Tables]
    read_report: Callable[[], dict[str, Any]]
    run: Run | None = None
    predictions: Path | None = None
    answers: ClassEvaluation | SpanEvaluation | None = None

    @cached_property
    def tables(self) -> Tables:
        """Those of the settings' categories."""
        return detections(only_categories(self.read_tables(), self.settings.categories), self.target)

    @cached_property
    def report(self) -> dict[str, Any]:
        return self.read_report()

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of the files it was made of, of two files that of the predictions; none of a stream."""
        if self.run is not None:
            return [str(one["sha256"]) for one in self.run.manifest.get("inputs", {}).values() if "sha256" in one]
        return [sha256_of(self.predictions)] if self.predictions and self.predictions.is_file() else []

    @property
    def of_answers(self) -> bool:
        """Whether classes or text entities were evaluated: there is a report and nothing else to measure."""
        return self.report["task"] in TASKS


def of_run(path: Path, gate: Gate) -> Subject:
    """A run at the gate's thresholds: its own evaluation where it was made at them. Without checks no model need be."""
    if path.is_file():
        raise UsageError(f"{path}: is a file", "gate a run folder, or give LABELS and PREDICTIONS")
    run = open_run(path, gate.model)
    if gate.checks and gate.model is None and len(run.models) > 1:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one with --model")
    changed = run.changed_inputs()
    if changed:
        raise UsageError(f"{run.path}: {changed[0]} has changed since the run was made", "score the dataset again")
    own = Settings.from_dict(run.manifest["settings"])
    settings = _at(own, gate)

    def report() -> dict[str, Any]:
        found = run.evaluation()
        if found["task"] in TASKS:
            if any(getattr(gate, name) not in (None, found[name]) for name in ("convention", "iou", "confidence")):
                way_out = "leave --convention, --iou and --confidence out"
                raise UsageError(f"{run.path}: holds {found['task']}, counted as it was scored", way_out)
            return found
        if settings == own:
            return found
        return report_of(tables_of_run(run), settings) | {"findings": found["findings"]}

    name = gate.model or (run.models[0] if len(run.models) == 1 else None)
    return Subject(run.place, name, settings, findings_of(run), lambda: tables_of_run(run), report, run)


def of_files(labels: Path, predictions: Path, tables: Tables, gate: Gate) -> Subject:
    """A label file and its predictions, read already."""
    asked = settings_at(gate.convention, gate.iou, gate.confidence, voc_devkit=gate.voc_devkit)
    settings = asked.of(tables.measure)
    findings = [one.as_dict() for one in tables.findings]
    target = f"{labels} {predictions}"
    return Subject(
        target,
        predictions.stem,
        settings,
        findings,
        lambda: tables,
        lambda: report_of(tables, settings),
        predictions=predictions,
    )


def of_answers(
    labels: Path, predictions: Path, naming: Mapping[str, Any], gate: Gate, task: str | None = None
) -> Subject:
    """Two files of classes or text entities; naming: as of `AnswerSource`. task: None is what the files hold."""
    refuse_options("classes and text", {"voc_devkit": gate.voc_devkit})
    source = AnswerSource(labels, predictions, **naming)
    request = AnswerRequest(source, task, convention=gate.convention, iou=gate.iou, confidence=gate.confidence)
    evaluation, report = evaluate_answer_files(request)
    target = f"{labels} {predictions}"

    def tables() -> Tables:
        raise InputError(f"{target}: has labels or predictions without a box", "gate detections")

    found, model = report["findings"], predictions.stem
    return Subject(target, model, Settings(), found, tables, lambda: report, None, predictions, evaluation)


def _at(settings: Settings, gate: Gate) -> Settings:
    """The settings at the gate's convention and thresholds."""
    return settings.at(gate.convention, gate.iou, gate.confidence, voc_devkit=gate.voc_devkit)


def detections(tables: Tables, target: object) -> Tables:
    """The tables, if all they hold has boxes."""
    if not can_evaluate(tables):
        raise InputError(f"{target}: has labels or predictions without a box", "gate detections")
    return tables


def named_slices(gate: Gate, source: Source, asked: Asked) -> tuple[dict[str, Slice], list[str]]:
    """The slices that quantities name, by name, rows as in the source's evaluation tables; and what is to be said."""
    names = list(dict.fromkeys(one.population.slice for _, one in asked if one.population.slice is not None))
    if not names:
        return {}, []
    known, columns = dict(gate.slices), all_columns(rows_of_source(source))
    _refuse_mistyped(names, known, columns)
    taken = {column.lower() for column in columns}
    said = [
        name if name in known and name.lower() not in taken and NAMED.fullmatch(f"{name}=x") else f"no. {place}"
        for place, name in enumerate(names, 1)
    ]
    conditions = tuple(f"{word}={known.get(name, name)}" for word, name in zip(said, names, strict=True))
    found = slices_of(source, Wanted(conditions=conditions))
    own = sorted_by_image(source, found.slices) if isinstance(source, Run) else found.slices
    return {name: replace(one, name=name) for name, one in zip(names, own, strict=True)}, list(found.notes)


def _refuse_mistyped(names: Sequence[str], known: Mapping[str, str], columns: Sequence[str]) -> None:
    """A word that is no column's name and nearly a slice's."""
    for name in names:
        hint = nearest(name, list(known))
        if name not in known and name.isidentifier() and hint and name not in columns:
            raise UsageError(f"[slices]: there is no slice {name!r}", hint)


def members_of(one: Slice, asked: Asked) -> Members:
    """A slice as an evaluation takes it. Raises UsageError for numbers that it says nothing of."""
    if one.level != OBJECT:
        return Members(True, one.images, None, None)
    if one.labels is None:
        raise UsageError(f"slice {one.name!r}: is of predictions alone", "slice by images or labels; see confidence")
    for check, quantity in asked if one.predictions is None else ():
        if quantity.population.slice == one.name and quantity.kind not in LABEL_NUMBERS:
            raise UsageError(
                f"{check.where}: slice {one.name!r} says nothing of predictions: {check.metric} is undefined there",
                f"of labels alone there are {', '.join(LABEL_NUMBERS)}",
            )
    return Members(False, one.images, one.labels, one.predictions)


def baseline_tables(
    gate: Gate, subject: Subject, asked: Asked, members: Mapping[str, Members]
) -> tuple[Tables, dict[str, Members], list[str]]:
    """The baseline's tables in the row order of the subject's, and what of its predictions belongs to the slices.

    Raises InputError for a baseline of other labels, with the difference, or of another schema version.
    """
    baseline = gate.baseline
    if baseline is None:
        raise UsageError("a check has max_drop and there is no baseline", "add [baseline] to the gate file")
    run = open_run(baseline.run, baseline.model)
    if baseline.model is None and len(run.models) > 1:
        raise UsageError(f"{run.path}: holds the models {', '.join(run.models)}", "name one: [baseline] model")
    if not run.models:
        raise InputError(f"{run.path}: the baseline holds no predictions", "score it with predictions")
    tables = detections(only_categories(tables_of_run(run), subject.settings.categories), run.path)
    own = {name: one.predictions for name, one in members.items() if one.predictions is not None}
    if own:
        chosen = [(check, quantity) for check, quantity in asked if quantity.population.slice in own]
        slices, _ = named_slices(gate, run, chosen)
        for name, one in slices.items():
            column = to_arrow(
                np.zeros(tables.count("prediction"), bool) if one.predictions is None else one.predictions
            )
            tables = replace(tables, prediction=tables.prediction.append_column(_column(name), column), _views={})
    try:
        tables = aligned(subject.tables, tables)
    except InputError as error:
        said = error.message.removeprefix("A and B are not of the same labels: ")
        raise InputError(
            f"{run.path}: the baseline (B) is of other labels than {subject.target} (A): {said}", error.hint
        ) from error
    moved = {
        name: replace(one, predictions=tables.values("prediction", _column(name))) if name in own else one
        for name, one in members.items()
    }
    return tables, moved, _notes(run, subject.settings)


def _column(name: str) -> str:
    return f"in slice {name}"


def _notes(run: Run, settings: Settings) -> list[str]:
    own = Settings.from_dict(run.manifest["settings"])
    return [
        f"the baseline was made at {name} {getattr(own, name):g}: it is compared at {getattr(settings, name):g}"
        for name in ("iou", "confidence")
        if getattr(own, name) != getattr(settings, name)
    ]
