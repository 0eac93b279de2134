"""What a fresh run tells beyond its numbers, for its summary: what drives right and wrong, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qm_cli.describing import outlier_counts, outlier_report
from qm_cli.explaining import Question, importance_report, top_importances
from qm_cli.performing import performance_reports
from qm_cli.run_folder import Run
from qm_cli.settings import Settings

JUDGED = ("label", "prediction")
LEVELS = ("image", "label")
MOST_SAMPLES, PERMUTATIONS = 10_000, 100
"""Importance in a summary is bounded: of at most so many samples, on whole images drawn by the seed."""


def insights(folder: Path, models: Sequence[str], settings: Settings, seed: int) -> dict[str, Any]:
    """Importances of each model's labels and predictions, the rates along the first of them, and counts of outliers.

    folder: of a run whose tables are written.
    """
    manifest = {"models": list(models), "settings": settings.as_dict(), "seed": seed}
    several = len(models) > 1
    runs = {name: Run(folder, manifest, name if several else None) for name in models}
    data = Run(folder, manifest, None)
    return {
        "importance": {name: _importance(run, seed) for name, run in runs.items()},
        "outliers": {
            "data": {level: _outliers(data, level) for level in LEVELS},
            "models": {name: _outliers(run, "prediction") for name, run in runs.items()},
        },
    }


def _importance(run: Run, seed: int) -> dict[str, Any]:
    return {level: _level(run, level, seed) for level in JUDGED if "outcome" in run.columns(level)}


def _level(run: Run, level: str, seed: int) -> dict[str, Any]:
    """The most important measures of one level, with how they were told."""
    question = Question(level, permutations=PERMUTATIONS, seed=seed, most=MOST_SAMPLES)
    report = importance_report(run, question)
    rows = top_importances(report)
    facts = ("samples", "of_samples", "images", "outcome", "rate", "permutations", "seed", "notes")
    return {**{name: report[name] for name in facts}, "metrics": rows, "performance": _rates(run, level, rows)}


def _rates(run: Run, level: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rates along the most important measures, in their order."""
    names = tuple(row["metric"] for row in rows)
    if not names:
        return []
    found = {row["metric"]: row for row in performance_reports(run, Question(metrics=names), level=level)["metrics"]}
    return [found[name] for name in names if name in found]


def _outliers(run: Run, level: str) -> list[dict[str, Any]]:
    """Counts per metric of a level; none where the run has no such table."""
    return outlier_counts(outlier_report(run, level, (), None, 0)) if level in run.table_names() else []
