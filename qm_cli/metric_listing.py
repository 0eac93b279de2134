"""The metrics there are, as data: what `qm metrics` prints."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from qm_cli.errors import UsageError, nearest
from qm_cli.metric import KINDS, LEVELS, Metric

FIRST = {"higher": "lowest", "lower": "highest"}


def listed(
    catalog: Mapping[str, Metric], levels: Collection[str] = (), kinds: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Every metric of these levels and kinds (none: all), by level, kind and name."""
    _refuse_unknown("--level", levels, LEVELS)
    _refuse_unknown("--kind", kinds, KINDS)
    kept = [
        metric
        for metric in catalog.values()
        if (not levels or metric.level in levels) and (not kinds or metric.note.kind in kinds)
    ]
    kept.sort(key=lambda metric: (LEVELS.index(metric.level), KINDS.index(metric.note.kind), metric.name))
    return [described(metric) for metric in kept]


def found(catalog: Mapping[str, Metric], name: str) -> list[dict[str, Any]]:
    """The metrics called `name`: an id, a name at any level, or one of the columns a metric gives."""
    hits = [metric for metric in catalog.values() if name in (metric.id, metric.name)]
    hits = hits or [metric for metric in catalog.values() if name.rpartition(".")[2] in metric.outputs]
    hits = [metric for metric in hits if "." not in name or name.startswith(f"{metric.level}.")]
    if not hits:
        columns = [column for metric in catalog.values() for column in (metric.name, *metric.outputs)]
        names = list(dict.fromkeys([*catalog, *columns]))
        raise UsageError(f"there is no metric {name!r}", nearest(name, names) or "list them with: qm metrics")
    return [described(metric) for metric in hits]


def described(metric: Metric) -> dict[str, Any]:
    """All that is known of a metric."""
    note = metric.note
    return {
        "id": metric.id,
        "name": metric.name,
        "level": metric.level,
        "kind": note.kind,
        "unit": note.unit,
        "range": None if note.range is None else list(note.range),
        "better": note.better,
        "ranked_first": FIRST.get(note.better),
        "meaning": metric.meaning,
        "explanation": metric.explanation,
        "needs": [column for name, column in metric.inputs.items() if name not in metric.optional],
        "takes": [column for name, column in metric.inputs.items() if name in metric.optional],
        "options": {name: _plain(value) for name, value in metric.options.items()},
        "columns": list(metric.outputs),
        "per_sample": metric.per_sample,
        "example": _example(metric),
        "module": metric.function.__module__,
    }


def _example(metric: Metric) -> str:
    """The doctest of the function."""
    text = inspect.getdoc(metric.function) or ""
    _, mark, rest = text.partition(">>>")
    return (mark + rest).strip()


def _plain(value: Any) -> Any:
    """An option's default as JSON holds it."""
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _refuse_unknown(option: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    for value in given:
        if value not in known:
            raise UsageError(f"{option} {value}: there is none", f"there are {', '.join(known)}")
