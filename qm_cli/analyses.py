"""The analyses that add a part to the evaluation report when they are asked for, by name; a new one is a row here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from qm_cli.analysis.calibration import calibration_report
from qm_cli.analysis.error_impact import error_impact
from qm_cli.analysis.error_kinds import BACKGROUND_IOU
from qm_cli.analysis.error_report import error_report
from qm_cli.analysis.false_positive_reasons import false_positive_reasons
from qm_cli.analysis.optimal_lrp import lrp_report, optimal_lrp
from qm_cli.errors import UsageError
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import CONVENTIONS, Settings, measure_name
from qm_cli.subset import only_categories
from qm_cli.tables import Tables

Part = dict[str, Any]


def errors(evaluation: Evaluation) -> Part:
    """Error kinds, what each costs, and why predictions are false positives."""
    tables, settings, kinds = evaluation.tables, evaluation.settings, evaluation.error_kinds
    if kinds is None:
        at = f"{measure_name(settings.task)} {settings.iou:g}"
        return {"notes": [f"error kinds are undefined at {at}: {BACKGROUND_IOU:g} is still background"]}
    reasons = false_positive_reasons(evaluation.outcomes, evaluation.pairs.best_iou, settings.iou)
    return error_report(tables, kinds, error_impact(tables, kinds), reasons, settings)


def calibration(evaluation: Evaluation) -> Part:
    """Whether confidence is the share of right predictions."""
    return calibration_report(evaluation.tables, evaluation.every_outcome, evaluation.settings)


def lrp(evaluation: Evaluation) -> Part:
    """Optimal LRP, its components and the confidence it is reached at."""
    tables, settings, found = evaluation.tables, evaluation.settings, evaluation.every_outcome
    return lrp_report(
        tables, optimal_lrp(tables, evaluation.order, found, evaluation.every_iou, settings.iou), settings
    )


ANALYSES: dict[str, Callable[[Evaluation], Part]] = {
    "errors": errors,
    "calibration": calibration,
    "lrp": lrp,
}
"""Name → what it adds to the report under that name; `qm evaluate` has an option for each. `notes` in it are the
report's."""
EVERYTHING = tuple(ANALYSES)
DEFINED_UNDER: dict[str, tuple[str, ...]] = {
    "errors": ("coco",),
    "calibration": CONVENTIONS,
    "lrp": ("coco", "encord", "lvis"),
}
"""The conventions they are defined under: kinds of error cost COCO's AP; LRP needs true positives of at least the IoU
that no lower score undoes."""


def refuse_undefined(names: Iterable[str], settings: Settings) -> None:
    """Raise UsageError where the convention of the settings has not what the named analyses are read off."""
    undefined = [name for name in names if settings.convention not in DEFINED_UNDER[name]]
    if undefined:
        options = ", ".join(f"--{name}" for name in undefined)
        hint = f"use --convention {' or '.join(DEFINED_UNDER[undefined[0]])}"
        raise UsageError(f"{options}: not defined under convention {settings.convention}", hint)


def analysed_report(tables: Tables, settings: Settings, names: Iterable[str]) -> dict[str, Any]:
    """The evaluation report of tables with the named analyses, over the categories of the settings."""
    return with_analyses(evaluate_tables(only_categories(tables, settings.categories), settings), names)


def with_analyses(evaluation: Evaluation, names: Iterable[str]) -> dict[str, Any]:
    """The evaluation report with the named analyses."""
    report = evaluation_report(evaluation)
    parts, notes = analysed(evaluation, names)
    last = {"findings": report.pop("findings"), "notes": [*report.pop("notes"), *notes]}
    return {**report, **parts, **last}


def analysed(evaluation: Evaluation, names: Iterable[str]) -> tuple[dict[str, Part | None], list[str]]:
    """The parts of the named analyses, in the order of ANALYSES, and their notes; an undefined part is None.

    Those that the convention does not know are left out, and a note says so.
    """
    wanted, convention = set(names), evaluation.settings.convention
    asked = {name: analyse for name, analyse in ANALYSES.items() if name in wanted}
    chosen = {name: analyse for name, analyse in asked.items() if convention in DEFINED_UNDER[name]}
    left = [name for name in asked if name not in chosen]
    said = [f"left out: {', '.join(left)}, not defined under convention {convention}"] if left else []
    if not chosen:
        return {}, said
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        started = {name: threads.submit(analyse, evaluation) for name, analyse in chosen.items()}
        parts = {name: part.result() for name, part in started.items()}
    notes = [note for part in parts.values() for note in part.pop("notes", [])]
    return {name: part or None for name, part in parts.items()}, [*said, *notes]
