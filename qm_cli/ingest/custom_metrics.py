"""Custom metrics as Labelbox takes them: one row a value, of a data row, a feature of it, a label, a prediction.

metric_name; value: a number, or [TP, FP, TN, FN]; or one of them per confidence, {"0.1": …, "0.5": …}. feature_name:
the category, where the value is of one. aggregation: arithmetic_mean (the default), geometric_mean, harmonic_mean, sum,
or confusion_matrix. The key is image_id, data_row_id, file_name, label_id or prediction_id. Labelbox's own spelling
(metricName, metricValue, featureName, dataRow: {"id" or "globalKey"}) is read as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from qm_cli.errors import InputError, nearest
from qm_cli.kernels.aggregation import AGGREGATIONS, CONFUSION, COUNTS

SPELLINGS = {
    "metricName": "metric_name",
    "metricValue": "value",
    "metric_value": "value",
    "featureName": "feature_name",
    "subclassName": "subclass",
    "subclass_name": "subclass",
    "category": "feature_name",
    "data_row_id": "image_id",
}
KEYS = {"prediction_id": "prediction", "label_id": "label", "image_id": "image", "file_name": "image"}
"""What a row may name its sample by, the closest first: a prediction's row may tell its image as well."""
MOST = 1e10
DEFAULT = "arithmetic_mean"


class CustomValue(Struct, frozen=True):
    """One value. confidence: None where it holds for all. counts: [TP, FP, TN, FN] in place of a number."""

    metric: str
    level: str
    key: str
    name: int | str
    feature: str | None
    aggregation: str
    confidence: float | None
    value: float | None
    counts: tuple[int, ...] | None
    subclass: str | None = None


def is_custom(path: Path) -> bool:
    """Whether a file of values is in this form: JSON rows with a metric's name."""
    if path.suffix.lower() not in (".json", ".jsonl", ".ndjson") or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return b'"metric_name"' in head or b'"metricName"' in head


def read(path: Path) -> list[CustomValue]:
    """All values of a file. Raises InputError, with the row, for what is none."""
    return [one for number, row in enumerate(_rows(path)) for one in _values(row, f"{path}: [{number}]")]


def _rows(path: Path) -> Sequence[Any]:
    try:
        text = path.read_text("utf-8-sig")
        parts = [text] if path.suffix.lower() == ".json" else [one for one in text.splitlines() if one.strip()]
        read = [json.loads(one, object_pairs_hook=_once_each) for one in parts]
    except RecursionError:
        raise InputError(f"{path}: not valid JSON: nested too deeply", "write the file again") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not valid JSON: {error}", "write the file again") from error
    rows = read[0] if path.suffix.lower() == ".json" else read
    if not isinstance(rows, list):
        raise InputError(f"{path}: expected a list of values", '[{"metric_name": …, "value": …, "image_id": …}, …]')
    return rows


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand there once. Raises ValueError otherwise."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice in one object")
    return found


def _values(given: Any, where: str) -> list[CustomValue]:
    if not isinstance(given, dict):
        raise InputError(f"{where}: expected an object", '{"metric_name": …, "value": …, "image_id": …}')
    row = {SPELLINGS.get(str(name), str(name)): value for name, value in given.items()}
    key, name = _key(row, where)
    metric = row.get("metric_name")
    if not isinstance(metric, str) or not metric.strip():
        raise InputError(f"{where}: no metric_name", "call the metric by a name")
    feature, subclass = (None if row.get(name) is None else str(row[name]) for name in ("feature_name", "subclass"))
    value = row.get("value")
    by_confidence: Mapping[Any, Any] = value if isinstance(value, Mapping) else {None: value}
    parsed = {_confidence(one, where): _parsed(number, where) for one, number in by_confidence.items()}
    if len(parsed) < len(by_confidence) or not parsed:
        raise InputError(f"{where}: {len(by_confidence)} values at {len(parsed)} confidences", "give each its own")
    is_counts = any(isinstance(number, tuple) for number in parsed.values())
    if is_counts and not all(isinstance(number, tuple) for number in parsed.values()):
        raise InputError(f"{where}: numbers and counts in one value", "give one of them")
    how = _aggregation(row.get("aggregation"), is_counts, where)
    shared = (metric.strip(), KEYS[key], key, name, feature, how)
    return [
        CustomValue(*shared, confidence, None, one, subclass)
        if isinstance(one, tuple)
        else CustomValue(*shared, confidence, one, None, subclass)
        for confidence, one in parsed.items()
    ]


def _key(row: Mapping[str, Any], where: str) -> tuple[str, int | str]:
    data_row = row.get("dataRow")
    if isinstance(data_row, Mapping):
        row = {**row, "image_id": data_row.get("id", data_row.get("globalKey"))}
    for key in KEYS:
        name = row.get(key)
        if isinstance(name, int | str) and not isinstance(name, bool):
            return key, name
    raise InputError(f"{where}: says not what it is of", f"name it by one of {', '.join(KEYS)}")


def _confidence(text: Any, where: str) -> float | None:
    if text is None:
        return None
    try:
        confidence = float(text)
    except ValueError:
        confidence = math.nan
    if not 0 <= confidence <= 1:
        raise InputError(f"{where}: {text!r} is no confidence", "write confidences from 0 to 1")
    return confidence


def _parsed(value: Any, where: str) -> float | tuple[int, ...]:
    if isinstance(value, list):
        if len(value) != len(COUNTS):
            raise InputError(f"{where}: {len(value)} counts", f"write four: {', '.join(COUNTS)}")
        return tuple(_count(one, where) for one in value)
    return _number(value, where)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        raise InputError(f"{where}: {value!r} is no number from 0 to {MOST:g}", "mend the value")
    return float(value)


def _count(value: Any, where: str) -> int:
    number = _number(value, where)
    if not number.is_integer():
        raise InputError(f"{where}: {value!r} is no count", "write whole numbers")
    return int(number)


def _aggregation(given: Any, is_counts: bool, where: str) -> str:
    known = (CONFUSION,) if is_counts else tuple(AGGREGATIONS)
    how = str(given).lower() if given is not None else known[0] if is_counts else DEFAULT
    if how not in known:
        raise InputError(f"{where}: aggregation {given!r}", nearest(how, list(known)) or f"one of {', '.join(known)}")
    return how
