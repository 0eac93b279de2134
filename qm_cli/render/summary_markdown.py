"""The summary of a run → Markdown, for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qm_cli.headlines import category_headline, headline, thresholds

RATES = ("precision", "recall", "f1")


def summary_markdown(summary: dict[str, Any]) -> str:
    """Models side by side, their categories, how the metrics are distributed, findings and notes."""
    parts = [
        "# qm run",
        f"{summary['images']:,} images, {summary['categories']:,} categories, {_count(summary['labels'])} labels.",
    ]
    evaluated = {name: report for name, report in summary["models"].items() if report}
    if evaluated:
        parts.append(_models(evaluated))
    parts += _attention(summary.get("attention", []))
    for name, report in evaluated.items():
        rates = category_headline(report)
        ordered = sorted(report["categories"], key=lambda row: -row["labels"])
        rows = [[row["name"], row["labels"], *(row.get(rate) for rate in rates)] for row in ordered]
        parts += [f"## {name}: categories", _table(["category", "labels", *rates], rows)]
    for title, rows in (
        ("Metrics", summary["metrics"]),
        *((f"{n}: metrics", r) for n, r in summary["model_metrics"].items()),
    ):
        numeric = [row for row in rows if "median" in row]
        if numeric:
            cells = [
                [f"{row['level']}.{row['name']}", row["unit"], *(row[k] for k in ("nulls", "min", "median", "max"))]
                for row in numeric
            ]
            parts += [f"## {title}", _table(["metric", "unit", "null", "min", "median", "max"], cells)]
    parts += _custom(summary.get("custom_metrics", []))
    parts += _importances(summary.get("importance", {})) + _outliers(summary.get("outliers", {}))
    if summary["findings"]:
        rows = [
            [found["code"], found["severity"], found["count"], found["meaning"], ", ".join(found["examples"])]
            for found in summary["findings"]
        ]
        parts += ["## Findings", _table(["code", "severity", "count", "meaning", "first"], rows)]
    if summary["notes"]:
        parts += ["## Notes", "\n".join(f"* {' '.join(note.split())}" for note in summary["notes"])]
    return "\n\n".join(parts) + "\n"


def _attention(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of what is worth a look, the worst first."""
    columns = ["count", "code", "meaning", "command"]
    cells = [[row[column] for column in columns] for row in rows]
    return ["## Worth a look", _table(columns, cells)] if rows else []


def _custom(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of the user's own metrics; of counts the three rates."""
    columns = ["metric", "level", "category", "subclass", "confidence", "aggregation", "value", *RATES]
    cells = [[row.get(column) for column in columns] for row in rows]
    return ["## Custom metrics", _table(columns, cells)] if rows else []


def _importances(importance: Mapping[str, Any]) -> list[str]:
    """A table of the most important measures per model and level."""
    parts = []
    for name, levels in importance.items():
        for level, told in levels.items():
            columns = ["metric", "importance", "p", "q", "spearman"]
            rows = [[row[column] for column in columns] for row in told["metrics"]]
            if rows:
                parts += [f"## {name}: what tells {level}s {told['outcome']}", _table(columns, rows)]
    return parts


def _outliers(outliers: Mapping[str, Any]) -> list[str]:
    """A table of the metrics with outliers."""
    counted = [*outliers.get("data", {}).values(), *outliers.get("models", {}).values()]
    rows = [[row["metric"], row["moderate"], row["severe"]] for level in counted for row in level]
    return ["## Outliers", _table(["metric", "moderate", "severe"], rows)] if rows else []


def _models(evaluated: dict[str, dict[str, Any]]) -> str:
    first = next(iter(evaluated.values()))
    rates = headline(first, first["metrics"])
    rows = [[name, *(report["metrics"].get(rate) for rate in rates)] for name, report in evaluated.items()]
    task = "" if first["task"] == "bbox" else f"Task {first['task']}. "
    at = f"{task}Convention {first['convention']}; precision, recall and F1 at {thresholds(first)}."
    return f"{_table(['model', *rates], rows)}\n\n{at}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [_line(columns), _line(["---"] * len(columns))]
    return "\n".join([*lines, *(_line([_shown(cell) for cell in row]) for row in rows)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return str(value)


def _count(value: int | None) -> str:
    return "no" if value is None else f"{value:,}"
