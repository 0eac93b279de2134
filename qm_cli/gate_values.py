"""The values of a gate file: each of the kind its key asks for, or refused with its place and the nearest names."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from qm_cli.analysis.gate_checks import Ceiling, ThresholdFile
from qm_cli.errors import InputError, nearest
from qm_cli.settings import AreaRange


class Kind(Struct, frozen=True):
    """What a value must be, in words, and how it is taken; `take` raises ValueError for another."""

    words: str
    take: Callable[[Any], Any]


def values(table: Mapping[str, Any], kinds: Mapping[str, Kind], where: str) -> dict[str, Any]:
    """The values of a table that has no other keys than `kinds`. Raises InputError that names the place."""
    for key in table:
        if key not in kinds:
            hint = nearest(key, list(kinds)) or f"there are {', '.join(kinds)}"
            raise InputError(f"{where}: there is no key {key!r}", hint)
    return {key: _taken(value, kinds[key], f"{where}: {key}") for key, value in table.items()}


def _taken(value: Any, kind: Kind, where: str) -> Any:
    try:
        return kind.take(value)
    except ValueError as error:
        told = str(error) or f"{_shown(value)} is not {kind.words}"
        raise InputError(f"{where}: {told}", f"write {kind.words}") from error


def _shown(value: Any) -> str:
    return repr(value) if not isinstance(value, Mapping) else "a table"


def _of(*types: type) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ValueError
        return value

    return take


def _number(value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    if not low <= value <= high:
        raise ValueError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _several(take: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    """One value or a list of them, as a list that is not empty."""

    def all_of(value: Any) -> list[Any]:
        if value == []:
            raise ValueError("the list is empty")
        return [take(one) for one in (value if isinstance(value, list) else [value])]

    return all_of


def _name(value: Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _size(value: Any) -> str | AreaRange:
    """A name, or a range of areas; the range is called by its ends."""
    if isinstance(value, list):
        if len(value) != 2:
            raise ValueError
        low, high = (_number(one, 0) for one in value)
        if low >= high:
            raise ValueError(f"no area is at least {low:g} and at most {high:g}")
        return AreaRange(f"area {low:g}–{high:g}", float(low), float(high))
    return _text(value)


def _sizes(value: Any) -> list[str | AreaRange]:
    """One size, or a list of sizes: two numbers are one range."""
    if isinstance(value, list) and value and all(isinstance(one, str | list) for one in value):
        return [_size(one) for one in value]
    return [_size(value)]


def _level(value: Any) -> float:
    level = _number(value)
    if not 0.5 <= level < 1:
        raise ValueError
    return float(level)


def _confidence(value: Any) -> float | ThresholdFile:
    """A number, the path of a file of thresholds, or a table of its path and one of its targets."""
    if isinstance(value, str):
        return ThresholdFile(Path(_text(value)).expanduser())
    if isinstance(value, Mapping):
        if set(value) - {"file", "target"} or "file" not in value:
            raise ValueError
        target = _text(value["target"]) if "target" in value else None
        return ThresholdFile(Path(_text(value["file"])).expanduser(), target)
    return float(_number(value, 0, 1))


def _iou(value: Any) -> float:
    if not _number(value, 0, 1) > 0:
        raise ValueError
    return float(value)


def _share(value: Any) -> float:
    return float(_number(value, 0, 1))


def _ceiling(value: Any) -> Ceiling:
    """`0` is a count of images, `0.01` a share of them; a table says which with max or max_share."""
    if isinstance(value, Mapping):
        unknown = set(value) - {"max", "max_share"}
        if unknown or len(value) != 1:
            raise ValueError
        return Ceiling(_count(value["max"])) if "max" in value else Ceiling(share=_share(value["max_share"]))
    return Ceiling(share=_share(value)) if isinstance(value, float) else Ceiling(_count(value))


def choice(*words: str) -> Kind:
    """One of these words."""

    def take(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return Kind(" or ".join(f'"{word}"' for word in words), take)


def at_least(least: int) -> Kind:
    """A whole number not below `least`."""

    def take(value: Any) -> int:
        if _count(value) < least:
            raise ValueError
        return int(value)

    return Kind(f"a whole number of at least {least}", take)


TEXT = Kind("text in quotes", _text)
TEXTS = Kind("text, or a list of texts", _several(_text))
NAMES = Kind("a name or id, or a list of them", _several(_name))
NUMBER = Kind("a number", _number)
SHARE = Kind("a number from 0 to 1", _share)
IOUS = Kind("a number above 0 and at most 1, or a list of them", _several(_iou))
IOU = Kind("a number above 0 and at most 1", _iou)
CONFIDENCES = Kind(
    'a number from 0 to 1, "thresholds.json", { file = "thresholds.json", target = "f1" }, or a list of them',
    _several(_confidence),
)
SIZES = Kind('"small", "medium", "large", a range [low, high] in square pixels, or a list of them', _sizes)
LEVEL = Kind("a number from 0.5 to below 1, as 0.95", _level)
COUNT = Kind("a whole number, 0 or more", _count)
CEILING = Kind("a count as 0, a share as 0.01, or a table with max or max_share", _ceiling)
TABLE = Kind("a table", _of(dict))
TABLES = Kind("a list of tables", _several(_of(dict)))
