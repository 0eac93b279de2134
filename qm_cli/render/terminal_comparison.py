"""The comparison of two models → the terminal."""

from __future__ import annotations

from typing import Any

from qm_cli.headlines import thresholds
from qm_cli.render.terminal import chance, plain_console, print_table_on, show_notes, show_prose

CATEGORIES_SHOWN = 20
CATEGORY_METRICS = ("AP", "precision", "recall")
AVERAGES = ("AP", "AP50-95", "f1")
"""Which of its numbers a category is told by first."""
SLICE_AVERAGES = ("AP", "mAP", "AP50-95", "accuracy", "f1")
"""The same of a slice."""
OF_ANSWERS = ("classification", "multilabel", "text")
ERRORS = {
    "errors_a": "errors A",
    "errors_b": "errors B",
    "broken": "broken",
    "fixed": "fixed",
    "new_false_positives": "new FP",
}
IMAGES_SHOWN = 20
UNCHANGED = ("still_", "kept")
DETECTABLE = "p: of no difference; detectable: the difference that a set of this size would nearly always show"


def show_comparison(report: dict[str, Any]) -> None:
    """What differs and how sure that is, category by category; what became of labels and detections; worst images."""
    console = plain_console()
    a, b = report["a"], report["b"]
    units = f"{report['units']:,} {_units(report)}"
    own = [name for name in ("iou", "confidence") if report[name] is not None]
    at = ", ".join([*([thresholds(report)] if own else []), f"{report['resamples']:,} resamples of {units}"])
    console.print(f"A {a['model']} ({a['target']}), B {b['model']} ({b['target']})", style="bold", markup=False)
    at = at if report.get("convention", "coco") == "coco" else f"convention {report['convention']}, {at}"
    console.print(at if report.get("task", "bbox") == "bbox" else f"task {report['task']}, {at}", highlight=False)
    columns = ["", "A", "B", "B − A", "95 % interval", "p", "detectable"]
    print_table_on(console, columns, [(row["metric"], *_values(row)) for row in report["metrics"]])
    show_prose(console, DETECTABLE, "dim")
    console.print()
    for one in report.get("questions", []):
        rows = [(row["metric"], *_values(row)) for row in one["metrics"]]
        print_table_on(console, [one["question"] or "other", *columns[1:]], rows)
    _show_categories(report)
    _show_slices(report)
    for kind, counts in report["changes"].items():
        _show_changes(kind, counts)
    images = report["regressed_images"][:IMAGES_SHOWN]
    if images:
        names = {name: word for name, word in ERRORS.items() if name in images[0]}
        rows = [(str(row["file_name"] or row["id"]), *(row[name] for name in names)) for row in images]
        print_table_on(console, [f"most regressed {_rows(report)}", *names.values()], rows)
    show_notes(report["notes"], console)


def _rows(report: dict[str, Any]) -> str:
    return "data rows" if report.get("task", "bbox") in OF_ANSWERS else "images"


def _units(report: dict[str, Any]) -> str:
    return _rows(report) if report["cluster"] is None else f"clusters of {report['cluster']}"


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    interval = None if row["low"] is None else f"{row['low']:+.4f} … {row['high']:+.4f}"
    difference = None if row["difference"] is None else f"{row['difference']:+.4f}"
    return row["a"], row["b"], difference, interval, chance(row["p"]), row["smallest_difference"]


def _show_categories(report: dict[str, Any]) -> None:
    """The categories that differ most, the largest drop first; those without a difference come in last."""
    console = plain_console()
    rows = []
    for category in report["categories"]:
        metrics = {row["metric"]: row for row in category["metrics"]}
        shown_metrics = (next(name for name in AVERAGES if name in metrics), *CATEGORY_METRICS[1:])
        first = metrics[shown_metrics[0]]
        cells = [_difference(metrics[name]) for name in shown_metrics]
        rows.append((first["difference"], (_called(category), *cells, chance(first["p"]))))
    if not rows:
        return
    rows.sort(key=lambda row: (row[0] is None, -abs(row[0] or 0.0)))
    told = sorted(rows[:CATEGORIES_SHOWN], key=lambda row: (row[0] is None, row[0] or 0.0))
    columns = ["category: B − A", *shown_metrics, f"p of {shown_metrics[0]}"]
    print_table_on(console, columns, [row for _, row in told])
    if len(rows) > len(told):
        left = f"… and {len(rows) - len(told)} more categories, which differ less: --json has all"
        console.print(left, style="dim", highlight=False)


def _called(category: dict[str, Any]) -> str:
    """A category with the question it answers, where there are several."""
    return f"{category['question']}: {category['name']}" if "question" in category else str(category["name"])


def _show_slices(report: dict[str, Any]) -> None:
    """The differences on each slice, in the order asked for."""
    if not report["slices"]:
        return
    rows = []
    for one in report["slices"]:
        metrics = {row["metric"]: row for row in one["metrics"]}
        first = next((name for name in SLICE_AVERAGES if name in metrics), "recall")
        names = [first, *(name for name in CATEGORY_METRICS[1:] if name in metrics and name != first)]
        cells = [_difference(metrics[name]) for name in names]
        chances = [chance(metrics[name]["p_corrected"]) for name in dict.fromkeys((first, names[-1]))]
        rows.append((one["name"], one["images"], *cells, *chances))
    corrected = [f"corrected p of {first}", *([f"of {names[-1]}"] if names[-1] != first else [])]
    columns = ["slice: B − A", _rows(report), *names, *corrected]
    print_table_on(plain_console(), columns, rows)


def _difference(row: dict[str, Any]) -> str | None:
    if row["difference"] is None:
        return None
    reach = "" if row["low"] is None else f" ± {(row['high'] - row['low']) / 2:.4f}"
    return f"{row['difference']:+.4f}{reach}"


def _show_changes(kind: str, counts: dict[str, Any]) -> None:
    """Counts in all, by size, category (most changed first) and slice."""
    console, words = plain_console(), list(counts["total"])
    changed = [word for word in words if not word.startswith(UNCHANGED)]
    ordered = sorted(counts["by_category"], key=lambda row: -sum(row[word] for word in changed))
    groups = [("all", counts["total"]), *((row["name"], row) for row in counts["by_size"])]
    groups += [(row["name"], row) for row in ordered[:CATEGORIES_SHOWN]]
    groups += [(row["name"], row) for row in counts["by_slice"]]
    rows = [(name, *(row[word] for word in words)) for name, row in groups]
    print_table_on(console, [kind, *(word.replace("_", " ") for word in words)], rows)
    if len(ordered) > CATEGORIES_SHOWN:
        left = len(ordered) - CATEGORIES_SHOWN
        console.print(f"… and {left} more categories: --json has all", style="dim", highlight=False)
