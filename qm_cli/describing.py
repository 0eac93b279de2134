"""How the metrics of a run are spread and what lies far outside, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qm_cli.analysis.distribution import distributions
from qm_cli.analysis.outliers import WORDS, furthest, odd_in_many, outliers
from qm_cli.run_columns import chosen_measures, groups_of, one_model
from qm_cli.run_folder import Run

TOP = 10
OUTCOME = "outcome"


def describe_report(run: Run, level: str, patterns: Sequence[str], by: str | None) -> dict[str, Any]:
    """Quartiles, mean, nulls and histogram of every metric of a level, side by side for the values of a column."""
    _named(run, level, by)
    count = len(run.table(level, ["id"]))
    groups = groups_of(run, level, by, count)
    found = [one for one in chosen_measures(run, level, patterns) if one.name != by]
    return {
        **_head(run, level, by, count),
        "groups": [{"group": name, "rows": len(rows)} for name, rows in groups.items()],
        "metrics": distributions(found, groups),
        "notes": [] if found else [f"the run has no metric of {level}s"],
    }


def outlier_report(run: Run, level: str, patterns: Sequence[str], by: str | None, top: int = TOP) -> dict[str, Any]:
    """Moderate and severe outliers of every metric of a level, and the samples that are outliers in many."""
    _named(run, level, by)
    ids = run.table(level, ["id"])["id"].to_pylist()
    groups = groups_of(run, level, by, len(ids))
    found = chosen_measures(run, level, patterns, coded=False)
    rows, degrees = outliers(found, groups, len(ids))
    for measure, row, degree in zip(found, rows, degrees, strict=True):
        odd = [
            (place, part)
            for part in row["groups"]
            if part["reason"] is None
            for place in furthest(measure, degree, part, groups[part["group"]]).tolist()
        ]
        odd.sort(key=lambda one: -int(degree[one[0]]))
        row["samples"] = [
            {"id": ids[place], "value": float(measure.values[place]), "degree": WORDS[int(degree[place])]}
            | ({} if by is None else {"group": part["group"]})
            for place, part in odd[:top]
        ]
    rows.sort(key=lambda row: (-(row["severe"] or 0), -(row["moderate"] or 0), row["metric"]))
    many = odd_in_many(degrees)
    samples = [
        {
            "id": ids[place],
            "metrics": [found[k].id for k in np.flatnonzero(degrees[:, place])],
            "severe": int((degrees[:, place] == 2).sum()),
        }
        for place in many[:top].tolist()
    ]
    notes = [] if found else [f"the run has no number to look at at level {level}"]
    return {
        **_head(run, level, by, len(ids)),
        "metrics": rows,
        "in_many": len(many),
        "samples": samples,
        "notes": notes,
    }


def outlier_counts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Counts per metric that has outliers, for a summary."""
    return [
        {name: row[name] for name in ("metric", "moderate", "severe")}
        for row in report["metrics"]
        if row["moderate"] or row["severe"]
    ]


def _named(run: Run, level: str, by: str | None) -> None:
    """A model must be named where the rows or the groups are a model's."""
    if level == "prediction" or (by or "").partition(".")[2] == OUTCOME or by == OUTCOME:
        one_model(run)


def _head(run: Run, level: str, by: str | None, count: int) -> dict[str, Any]:
    return {"target": run.place, "model": run.model, "level": level, "by": by, "rows": count}
