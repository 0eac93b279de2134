"""What of a run is worth a look, as data: faults of the input, suspicious labels and copies, the worst first."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from qm_cli.analysis.suspicions import BADLY_LOCATED, LABELLED_TWICE, OVERLOOKED, REASONS, WRONG_CATEGORY, suspicions
from qm_cli.arrays import compute, one_chunk
from qm_cli.codes import Codes
from qm_cli.findings import ERROR, EXAMPLES_KEPT, INFO, WARNING, Finding
from qm_cli.headlines import headline
from qm_cli.label_flags import posed_labels
from qm_cli.scoring import Scored

RUN, DATASET = "RUN", "DATASET"
"""Words in a command that stand for the run folder and for the dataset with the options it was scored with."""
VALUES = "values"
"""What codes of custom values begin with, which are no part of what `qm check` reads."""
LEAST_SUSPICION = 0.5
SEVERITIES = (ERROR, WARNING, INFO)
EVIDENCE = (("prediction", "overlooked"), ("label", "swapped"), ("label", "badly_located"))
"""Metrics of what predictions say about labels: where they are measured, that is known at no further cost."""
SUSPICIOUS = {
    OVERLOOKED: ("prediction", "label-missing", "confident prediction where there is no label"),
    WRONG_CATEGORY: ("label", "label-wrong-category", "label whose category a confident prediction contradicts"),
    BADLY_LOCATED: ("label", "label-badly-located", "label whose place the prediction of it contradicts"),
    LABELLED_TWICE: ("label", "label-twice", "label on top of another one of its category"),
}
CONFIDENT_LEARNING = "label whose class confident learning calls wrong"
COPIES = {
    "duplicate_group": ("image-duplicate", WARNING, "image with the pixels of an earlier one"),
    "near_duplicate_group": ("image-near-duplicate", INFO, "image that looks nearly like an earlier one"),
}


def attention(
    data: Scored, models: Mapping[str, Scored], reports: Mapping[str, Any], findings: Iterable[Finding]
) -> list[dict[str, Any]]:
    """A row per kind of fault: code, severity, level, count, meaning, first examples, model, and the command for more.

    Labels are told from by the model with the highest first number; where it tells of none, those that lie on another
    are. Rows of one command stand together; commands stand by their worst severity, then by count.
    """
    rows = [_of_input(found, models) for found in findings if found.rule.severity != INFO]
    rows += _copies(data) + (_suspicious(models, _best(models, reports)) or _twice(data))
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=_rank):
        groups.setdefault(row["command"], []).append(row)
    ordered = sorted(groups.values(), key=lambda group: (_rank(group[0])[0], -sum(row["count"] for row in group)))
    return [row for group in ordered for row in group]


def _rank(row: Mapping[str, Any]) -> tuple[int, int]:
    return SEVERITIES.index(row["severity"]), -row["count"]


def _row(code: str, severity: str, level: str, count: int, meaning: str, examples: Any, **more: Any) -> dict[str, Any]:
    told = {"code": code, "severity": severity, "level": level, "count": count, "meaning": meaning}
    return {**told, "examples": [str(one) for one in examples[:EXAMPLES_KEPT]], "model": None, **more}


def _of_input(found: Finding, models: Mapping[str, Scored]) -> dict[str, Any]:
    rule, level = found.rule, found.code.partition("-")[0]
    own = [name for name, scored in models.items() if found in (*scored.tables.findings, *scored.scores.findings)]
    model = ", ".join(own) if len(own) < len(models) and own else None
    meaning = f"{rule.meaning}{', left out' if rule.drops else ''}{'' if model is None else f', of {model}'}"
    command = f"jq .findings {RUN}/run.json" if level == VALUES else f"qm check {DATASET}"
    return _row(found.code, rule.severity, level, found.count, meaning, found.examples, model=model, command=command)


def _copies(data: Scored) -> list[dict[str, Any]]:
    """Images that are not the first of their group; near copies are not exact ones too."""
    ids = np.array(data.tables.image["id"].to_pylist(), object)
    found = data.scores.columns.get("image", {})
    told = [column for column in COPIES if column in found]
    earlier = np.zeros(len(ids), bool)
    rows = []
    for column in told:
        first = np.asarray(found[column])
        copies = np.asarray(first != np.array(None)) & (first != ids) & ~earlier
        earlier |= copies
        if copies.any():
            code, severity, meaning = COPIES[column]
            sql = f"SELECT file_name, {', '.join(told)} FROM image WHERE {told[-1]} <> id"
            command = f'qm query {RUN} "{sql}"'
            rows.append(_row(code, severity, "image", int(copies.sum()), meaning, ids[copies], command=command))
    return rows


def _best(models: Mapping[str, Scored], reports: Mapping[str, Any]) -> str | None:
    """The model with the highest first number of its evaluation; the first of equals, None where none has one."""
    values = {}
    for name in models:
        report = reports.get(name)
        first = next(iter(headline(report, report["metrics"])), None) if report else None
        value = report["metrics"].get(first) if report and first else None
        if value is not None:
            values[name] = value
    return max(values, key=lambda name: values[name]) if values else None


def _suspicious(models: Mapping[str, Scored], name: str | None) -> list[dict[str, Any]]:
    """Labels that a model's predictions speak against, by reason, where that was measured of boxes or classes."""
    if name is None:
        return []
    scored = models[name]
    command = f"qm review {RUN}" + (f" --model {shlex.quote(name)}" if len(models) > 1 else "")
    if scored.classes is not None:
        return _misclassed(scored, name, command)
    measured = all(column in scored.scores.columns.get(level, {}) for level, column in EVIDENCE)
    if scored.evaluation is None or scored.evaluation.settings.task != "bbox" or not measured:
        return []
    tables = scored.evaluation.tables
    found = suspicions(tables, scored.evaluation.evidence, LEAST_SUSPICION)
    rows = []
    for place, reason in enumerate(REASONS):
        own = found.reason == place
        level, code, meaning = SUSPICIOUS[reason]
        places = (found.prediction if level == "prediction" else found.label)[own][:EXAMPLES_KEPT].tolist()
        if places:
            examples = tables.table(level)["id"].take(places).to_pylist()
            rows.append(_row(code, WARNING, level, int(own.sum()), meaning, examples, model=name, command=command))
    return rows


def _misclassed(scored: Scored, name: str, command: str) -> list[dict[str, Any]]:
    """Labels of whole images whose class the probabilities speak against."""
    issue = scored.scores.columns.get("label", {}).get("label_issue")
    if not isinstance(issue, Codes):
        return []
    rows = np.flatnonzero(issue.place >= 0)
    if not len(rows):
        return []
    level, code, _ = SUSPICIOUS[WRONG_CATEGORY]
    examples = scored.tables.label["id"].take(rows[:EXAMPLES_KEPT]).to_pylist()
    return [_row(code, WARNING, level, len(rows), CONFIDENT_LEARNING, examples, model=name, command=command)]


def _twice(data: Scored) -> list[dict[str, Any]]:
    """Labels that lie on an earlier one of their category, where the metric of them was measured."""
    partner = data.scores.columns.get("label", {}).get("duplicate_of")
    task = data.evaluation.settings.task if data.evaluation else "bbox"
    if partner is None or task != "bbox":
        return []
    ids, source = one_chunk(data.tables.label["id"]), data.tables.values("label", "source_row")
    real = posed_labels(data.tables, task)
    rows = np.flatnonzero((np.asarray(partner, object) != np.array(None)) & real)
    others = compute.index_in(pa.array(np.asarray(partner, object)[rows], ids.type), value_set=ids).to_numpy()
    later = rows[(source[rows] > source[others]) & real[others]]
    if not len(later):
        return []
    level, code, meaning = SUSPICIOUS[LABELLED_TWICE]
    command = f"qm rank {RUN} --level label -a duplicate_iou --top {2 * len(later)} --format csv"
    examples = ids.take(later[:EXAMPLES_KEPT]).to_pylist()
    return [_row(code, WARNING, level, len(later), meaning, examples, command=command)]
