"""The summary of a run as data: evaluations, how each metric is distributed, what was skipped and what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qm_cli.analyses import with_analyses
from qm_cli.attention import attention
from qm_cli.classification_report import class_report
from qm_cli.codes import Codes
from qm_cli.embedding import NOT_EMBEDDED
from qm_cli.findings import Finding
from qm_cli.scoring import Scored

VALUES_KEPT = 5
SKIPPED_NAMED = 3


def run_summary(data: Scored, models: Mapping[str, Scored]) -> dict[str, Any]:
    """One object for the whole run. `data` holds what does not depend on a model; with one model it is that model's."""
    parts = {id(part): part for part in (data, *models.values())}.values()
    reports = {name: _evaluation(scored) for name, scored in models.items()}
    findings = _findings([found for part in parts for found in all_findings(part)])
    return {
        "images": data.tables.count("image"),
        "categories": data.tables.count("category"),
        "labels": data.tables.count("label") if data.tables.has_labels else None,
        "attention": attention(data, models, reports, findings),
        "models": reports,
        "metrics": distributions(data),
        "model_metrics": {name: distributions(scored) for name, scored in models.items() if scored is not data},
        "skipped": [{"metric": skipped.metric, "reason": skipped.reason} for skipped in _skipped(data, models)],
        "findings": [found.as_dict() for found in findings],
        "notes": _notes(data, models),
    }


def _evaluation(scored: Scored) -> dict[str, Any] | None:
    if scored.classes is not None:
        return class_report(scored.classes)
    return with_analyses(scored.evaluation, scored.analyses) if scored.evaluation else None


def all_findings(scored: Scored) -> list[Finding]:
    """Of input and images; a code that both found is told once, as the pass over the images has the whole of it."""
    again = {found.code for found in scored.scores.findings}
    return [*(found for found in scored.tables.findings if found.code not in again), *scored.scores.findings]


def _findings(findings: list[Finding]) -> list[Finding]:
    """Each finding once, in the order found."""
    return list(dict.fromkeys(findings))


def _skipped(data: Scored, models: Mapping[str, Scored]) -> list[Any]:
    """Metrics no part of the run could compute."""
    done = {step.metric.id for scored in (data, *models.values()) for step in scored.plan.steps}
    every = [
        skipped for scored in (data, *models.values()) for skipped in scored.plan.skipped if skipped.metric not in done
    ]
    return list({skipped.metric: skipped for skipped in every}.values())


def _notes(data: Scored, models: Mapping[str, Scored]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for item in _skipped(data, models):
        reasons.setdefault(item.reason, []).append(item.metric)
    notes = [_skipping(names, reason) for reason, names in reasons.items()]
    if len(notes) > 1:
        count = sum(map(len, reasons.values()))
        told = "; ".join(f"{len(names)} × {reason}" for reason, names in reasons.items())
        notes = [f"{count} metrics were skipped (--dry-run names them): {told}"]
    parts = {id(part): part for part in (data, *models.values())}.values()
    notes += dict.fromkeys(note for part in parts for note in (*_embedders(part), *part.scores.notes))
    for name, scored in models.items():
        if scored.evaluation is None and scored.classes is None:
            notes.append(f"{name}: not evaluated: {_why_not(scored)}")
    return notes


def _skipping(names: list[str], reason: str) -> str:
    """Which metrics were skipped for one reason, the first of them by name."""
    if len(names) == 1:
        return f"{names[0]} was skipped: {reason}"
    shown = ", ".join(names[:SKIPPED_NAMED])
    more = f" and {len(names) - SKIPPED_NAMED} more" if len(names) > SKIPPED_NAMED else ""
    return f"{len(names)} metrics were skipped: {reason}: {shown}{more}"


def _embedders(scored: Scored) -> list[str]:
    """What made the embeddings, in words; of which samples it could make none."""
    made: dict[str, list[str]] = {}
    for level, facts in scored.embedders.items():
        count, size = scored.scores.vectors[level, "embedding"].shape
        told = f"{facts['name']}, {size} numbers each" if size else f"none; {NOT_EMBEDDED[level]}"
        if count:
            made.setdefault(told, []).append(f"{level}s")
    return [f"embeddings of {' and '.join(levels)}: {maker}" for maker, levels in made.items()]


def _why_not(scored: Scored) -> str:
    if not scored.tables.has_labels:
        return "there is no label file"
    return "there are labels or predictions without a box"


def distributions(scored: Scored) -> list[dict[str, Any]]:
    """Per metric column: its unit and how its values are distributed, undefined ones counted apart."""
    rows = []
    for level, columns in scored.scores.columns.items():
        for name, values in columns.items():
            metric = scored.scores.metrics[level, name]
            facts = {
                "level": level,
                "name": name,
                "kind": metric.note.kind,
                "unit": metric.unit,
                "better": metric.note.better,
            }
            rows.append({**facts, "rows": len(values), **_distribution(values)})
    return rows


def _distribution(values: npt.NDArray[Any] | Codes) -> dict[str, Any]:
    """Nulls, minimum, quartiles, maximum and mean of numbers; the commonest values of everything else."""
    if isinstance(values, Codes) or values.dtype == object:
        counts = values.counts() if isinstance(values, Codes) else _counts(values.tolist())
        nulls = counts.pop(None, 0)
        common = sorted(((str(value), count) for value, count in counts.items()), key=lambda one: (-one[1], one[0]))
        return {"nulls": nulls, "values": dict(common[:VALUES_KEPT])}
    numbers = values.astype(np.float64)
    nulls, infinite = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
    defined = numbers[np.isfinite(numbers)]
    if len(defined) == 0:
        return {
            "nulls": nulls,
            "infinite": infinite,
            "min": None,
            "q1": None,
            "median": None,
            "q3": None,
            "max": None,
            "mean": None,
        }
    low, q1, median, q3, high = (float(value) for value in np.quantile(defined, [0, 0.25, 0.5, 0.75, 1]))
    facts = {"min": low, "q1": q1, "median": median, "q3": q3, "max": high, "mean": float(defined.mean())}
    return {"nulls": nulls, "infinite": infinite, **facts}


def _counts(values: list[Any]) -> Counter[Any]:
    """How often each value stands there; lists and the like as text."""
    try:
        return Counter(values)
    except TypeError:
        return Counter(value if value is None else str(value) for value in values)
