"""The numbers of an evaluation report by name or path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from qm_cli.analysis.gate_checks import SIZES
from qm_cli.errors import UsageError

KEYS_OF_CATEGORY = ("id", "name")
QUESTION = "question"
METRICS, THRESHOLDS = "metrics", "thresholds"
OUTCOME_COUNTS = ("true_positives", "false_positives", "false_negatives")


def value_of(report: Mapping[str, Any], metric: str, category: str | None = None) -> float | None:
    """A number of the report; None when it is undefined. Raises UsageError for names the report does not have.

    metric: a name among the report's metrics (with category: among its row's), or of one number elsewhere in the
    report, or in a category's row of another part; or a path with dots, whose parts are keys, or the name or id of a
    row: `calibration.ECE`, `categories.person.AP`, `thresholds.precision=0.9.held_out.precision.low`. Below the
    metrics themselves capitals do not matter where nothing is called exactly so.
    """
    scope, where = _numbers(report, category)
    if metric in scope:
        value: float | None = scope[metric]
        return value
    node = _tree(report, category)
    for same in (_exactly, _whatever_case):
        found = list(_walked(node, metric, same) if "." in metric else _named(node, metric, same))
        if len(found) == 1:
            return found[0]
        if found:
            way_out = "write the path: calibration.ECE"
            raise UsageError(f"{metric}: {len(found)} numbers of {where} are called so", way_out)
    raise UsageError(f"{metric}: {where} has no such metric", hint(metric, [*scope, *_paths(node)]))


def support_of(report: Mapping[str, Any], metric: str, category: str | None = None) -> int | None:
    """How many samples a number is a share of: labels of recall, AP and AR, counted predictions of precision, both of
    F1; None for counts and for numbers of other kinds."""
    scope, _ = _numbers(report, category)
    if metric.startswith(("recall", "AP", "AR")):
        return _sum_of(scope, "labels")
    names = {"precision": OUTCOME_COUNTS[:2], "f1": OUTCOME_COUNTS}
    return _sum_of(scope, *names[plain]) if (plain := metric.removesuffix("_macro")) in names else None


def _sum_of(scope: Mapping[str, Any], *names: str) -> int | None:
    found = [scope.get(name) for name in names]
    return None if None in found else sum(int(one) for one in found if one is not None)


def _numbers(report: Mapping[str, Any], category: str | None) -> tuple[dict[str, Any], str]:
    if category is None:
        return {**{name: report[name] for name in SIZES}, **report["metrics"]}, "the evaluation"
    row = category_row(report["categories"], category)
    return {name: row[name] for name in row if name not in KEYS_OF_CATEGORY and _is_number(row[name])}, "a category"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _tree(report: Mapping[str, Any], category: str | None) -> dict[str, Any]:
    """The report, or a category's row in it with its rows in the other parts; thresholds by what they are to reach."""
    thresholds: Mapping[str, Any] = report.get(THRESHOLDS, {})
    targets = thresholds.get("targets", ())
    if category is None:
        told = {THRESHOLDS: {**thresholds, **{one["target"]: one["overall"] for one in targets}}}
        return {**report, **(told if targets else {})}
    place = category_place(report["categories"], category)
    of_parts = {
        name: part["categories"][place]
        for name, part in report.items()
        if isinstance(part, Mapping) and len(part.get("categories", ())) == len(report["categories"])
    }
    told = {THRESHOLDS: {one["target"]: one["categories"][place] for one in targets}}
    return {**report["categories"][place], **of_parts, **(told if targets else {})}


def _exactly(text: str) -> str:
    return text


def _whatever_case(text: str) -> str:
    return text.lower()


def _walked(node: Any, path: str, same: Callable[[str], str]) -> Iterator[float | None]:
    """The numbers a path leads to; parts may hold dots of their own, as names of categories do."""
    for key, child in _children(node):
        if same(key) == same(path) and _is_number(child):
            yield child
        elif same(path).startswith(f"{same(key)}."):
            yield from _walked(child, path[len(key) + 1 :], same)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    """Keys with their values; rows by name, and by id where no row is called so."""
    if isinstance(node, Mapping):
        yield from ((str(key), child) for key, child in node.items())
    elif isinstance(node, list):
        rows = [row for row in node if isinstance(row, Mapping)]
        names = {str(row.get("name")) for row in rows}
        yield from ((str(row["name"]), row) for row in rows if "name" in row)
        yield from ((str(row["id"]), row) for row in rows if "id" in row and str(row["id"]) not in names)


def _named(node: Mapping[str, Any], name: str, same: Callable[[str], str]) -> Iterator[float | None]:
    """Numbers called so one level down: `ECE` of `calibration`."""
    for key, child in node.items():
        if isinstance(child, Mapping) and key != METRICS:
            yield from (value for own, value in child.items() if same(own) == same(name) and _is_number(value))


def _paths(node: Mapping[str, Any], before: str = "") -> list[str]:
    """Paths of the numbers below the first level, rows left out."""
    found = []
    for key, child in node.items():
        if isinstance(child, Mapping) and key != METRICS:
            found += [f"{before}{key}.{name}" for name, value in child.items() if _is_number(value)]
            found += _paths(child, f"{before}{key}.")
    return found


def category_row(categories: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """The row of a category by name, else by id. Raises UsageError when there is none or several."""
    return dict(categories[category_place(categories, name)])


def category_keys(categories: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each category can be called by: its name, or question/name or its id where others have its name too."""
    names = [str(row["name"]) for row in categories]
    longer = [_with_question(row) if QUESTION in row else str(row["id"]) for row in categories]
    return [name if names.count(name) == 1 else long for name, long in zip(names, longer, strict=True)]


def category_place(categories: Sequence[Mapping[str, Any]], name: str) -> int:
    """Which row a category is: by name, else by id, else as question/name. Raises UsageError for none or several."""
    for key in reversed(KEYS_OF_CATEGORY):
        found = [place for place, row in enumerate(categories) if str(row[key]) == name]
        if len(found) > 1:
            first = categories[found[0]]
            way_out = f"write {_with_question(first)}" if QUESTION in first else "name its id"
            raise UsageError(f"{name}: {len(found)} categories have this {key}", way_out)
        if found:
            return found[0]
    for place, row in enumerate(categories):
        if QUESTION in row and _with_question(row) == name:
            return place
    raise UsageError(f"{name}: there is no such category", hint(name, [str(row["name"]) for row in categories]))


def _with_question(row: Mapping[str, Any]) -> str:
    return f"{row[QUESTION]}/{row['name']}"


def hint(name: str, known: Sequence[str]) -> str:
    """The nearest names whatever their case, digits in `map50` and the like; else all of them."""
    by_lower = {one.lower(): one for one in known}
    lowered = re.sub(r"^m(?=a[pr])", "", name.lower())
    found = get_close_matches(lowered, list(by_lower), n=3)
    if found:
        return f"did you mean {', '.join(by_lower[one] for one in found)}?"
    return f"there are {', '.join(known)}" if known else "there are none"
