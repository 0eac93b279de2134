"""The summary of a run → Markdown, for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qm_cli.settings import HEADLINES, OBJECT_HEADLINES

RATES = OBJECT_HEADLINES
THRESHOLDS = (("iou", "IoU"), ("confidence", "confidence"))


def summary_markdown(summary: dict[str, Any]) -> str:
    """Models side by side, their categories, how the metrics are distributed, findings and notes."""
    parts = [
        "# qm run",
        f"{summary['images']:,} images, {summary['categories']:,} categories, {_count(summary['labels'])} labels.",
    ]
    evaluated = {name: report for name, report in summary["models"].items() if report}
    if evaluated:
        parts.append(_models(evaluated))
    for name, report in evaluated.items():
        rates = [rate for rate in (*RATES, "roc_auc") if any(rate in row for row in report["categories"])]
        rows = [[row["name"], row["labels"], *(row.get(rate) for rate in rates)] for row in report["categories"]]
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
    if summary["findings"]:
        rows = [
            [found["code"], found["severity"], found["count"], found["meaning"], ", ".join(found["examples"])]
            for found in summary["findings"]
        ]
        parts += ["## Findings", _table(["code", "severity", "count", "meaning", "first"], rows)]
    if summary["notes"]:
        parts += ["## Notes", "\n".join(f"* {' '.join(note.split())}" for note in summary["notes"])]
    return "\n\n".join(parts) + "\n"


def _models(evaluated: dict[str, dict[str, Any]]) -> str:
    first = next(iter(evaluated.values()))
    rates = HEADLINES.get(first["task"], RATES)
    rows = [[name, *(report["metrics"].get(rate) for rate in rates)] for name, report in evaluated.items()]
    parts = [f"{called} {first[name]:g}" for name, called in THRESHOLDS if first[name] is not None]
    at = f"Convention {first['convention']}; precision, recall and F1 at {', '.join(parts) or 'the best answer'}."
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
