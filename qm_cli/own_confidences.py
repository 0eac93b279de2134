"""Each category at its own confidence, as a file of thresholds says: who it is for, and what is counted there."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from qm_cli.analysis.counts import mean_of_defined
from qm_cli.analysis.gate_checks import ThresholdFile
from qm_cli.analysis.gate_quantities import MACRO, Confidences, lowest_scores
from qm_cli.count_report import COUNTS, confusion_report
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.evaluation import Evaluation, evaluate_tables
from qm_cli.report import evaluation_report
from qm_cli.settings import Settings
from qm_cli.subset import only_categories, only_confident
from qm_cli.tables import Tables
from qm_cli.threshold_file import Thresholds, read_thresholds

NAMED = 3
FACTS = ("id", "name", "labels", "predictions")
AVERAGED = ("precision", "recall", "f1", "mean_iou")
COUNTED = (*AVERAGED, *COUNTS)
AT_FILE = re.compile(
    r"(?:iou=(?P<first>[^,]*),)?confidence=(?P<path>[^#]*?\.json)(?:#(?P<target>.+?))?(?:,iou=(?P<last>[^,]*))?", re.I
)


def own_of(
    thresholds: Thresholds, path: Path, where: str, task: str, convention: str, names: Sequence[str]
) -> Confidences:
    """The confidence of each of the named categories, None where none serves; where: what asks for it.

    Raises InputError for thresholds of another task, convention or set of categories: they are kept by name.
    """
    for name, own in (("task", task), ("convention", convention)):
        if thresholds.facts.get(name) != own:
            raise InputError(
                f"{where}: {path} is of {name} {thresholds.facts.get(name)}, not of {own}",
                "choose the thresholds anew with qm evaluate --thresholds … --thresholds-out",
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where}: two categories are called {twice[0]!r}", "thresholds are by name: rename one")
    missing = [name for name in names if name not in thresholds.categories]
    if missing:
        shown = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        hint = nearest(missing[0], list(thresholds.categories)) or f"it has {', '.join(thresholds.categories)}"
        raise InputError(f"{where}: {path} has no category {shown}", hint)
    return tuple(thresholds.categories[name] for name in names)


def evaluated_at_own(tables: Tables, settings: Settings, own: Confidences) -> tuple[Evaluation, dict[str, Any]]:
    """The evaluation of what each category keeps at its own confidence, and the counts and rates of its report.

    A category without one keeps nothing and has no numbers; means over categories leave it out.
    """
    evaluation = evaluate_tables(
        only_confident(tables, settings.convention, lowest_scores(own)), replace(settings, confidence=-math.inf)
    )
    found = evaluation_report(evaluation)
    rows = [
        {name: None if least is None and name in COUNTED else row[name] for name in (*FACTS, *COUNTED)}
        for row, least in zip(found["categories"], own, strict=True)
    ]
    macro = {f"{name}{MACRO}": _mean([row[name] for row in rows]) for name in AVERAGED}
    metrics = {**{name: found["metrics"][name] for name in COUNTED}, **macro}
    return evaluation, {**found, "metrics": metrics, "categories": rows}


def _mean(values: Sequence[float | None]) -> float | None:
    return mean_of_defined(np.array([np.nan if one is None else one for one in values], np.float64))


def own_cells(tables: Tables, settings: Settings, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Everything that is counted at the thresholds of a file: `confidence=t.json#precision=0.9,iou=0.6` each.

    The target behind # may be left out where the file has one, the IoU where it is the settings' own.
    """
    tables = only_categories(tables, settings.categories)
    return [_cell(tables, settings.of(tables.measure), text) for text in texts]


def _cell(tables: Tables, settings: Settings, text: str) -> dict[str, Any]:
    where, file, iou = cell_of(text)
    settings = settings if iou is None else replace(settings, iou=iou)
    thresholds = read_named(file, where, f"write confidence={file.path}#TARGET")
    names = tables.category["name"].to_pylist()
    own = own_of(thresholds, file.path, where, settings.task, settings.convention, names)
    evaluation, found = evaluated_at_own(tables, settings, own)
    rows = [
        {name: row[name] for name in row if name not in FACTS[2:]} | {"confidence": least}
        for row, least in zip(found["categories"], own, strict=True)
    ]
    confusion = confusion_report(evaluation.confusion, names, settings.iou, math.nan) | {"confidence": str(file)}
    metrics = found["metrics"]
    return {
        "confidence": str(file),
        "iou": settings.iou,
        "metrics": metrics,
        "categories": rows,
        "confusion": confusion,
    }


def cell_of(text: str) -> tuple[str, ThresholdFile, float | None]:
    """What is asked for, in words, the file, and the IoU, None for the settings' own."""
    where = f"--at {text!r}"
    match = AT_FILE.fullmatch(text.strip())
    if match is None or (match["first"] and match["last"]):
        raise UsageError(f"{where}: is no cell of the grid", "write --at confidence=thresholds.json,iou=0.6")
    iou = match["first"] or match["last"]
    file = ThresholdFile(Path(match["path"]).expanduser(), match["target"])
    return where, file, None if iou is None else _share(iou, where)


def read_named(file: ThresholdFile, where: str, way_out: str) -> Thresholds:
    """The thresholds of a file; where and way_out: for what is refused."""
    try:
        return read_thresholds(file.path, file.target)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", error.hint) from error
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", error.hint if file.target else way_out) from error


def _share(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise UsageError(f"{where}: {text.strip()!r} is no number from 0 to 1", "write --at confidence=t.json,iou=0.6")
    return value
