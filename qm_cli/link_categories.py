"""Predictions → the categories they are of: by id, by name, by place, by the user's mapping; and what would fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.findings import Finding, finding
from qm_cli.link_ids import Rows, distinct, integers_in, linked, shown, with_none
from qm_cli.raw import RawPredictions

CategoryMap = str | Mapping[str, str] | None
NAME_FIELDS = ("category_name", "category")
ALIKE = ("category", "class_id", "class", "cls", "label_id", "label", "category_index")


def category_rows(raw: RawPredictions, category: pa.Table, mapping: CategoryMap) -> tuple[Rows, list[Finding]]:
    """Row of each prediction's category, −1 for none, and how it was found when not by ids of one type.

    mapping: None (ids), "name", "contiguous" (the i-th category by ascending id is i, from 0 or from 1) or
    {id: id or name}. With "name" integer ids without any name are taken as contiguous.
    Raises UsageError where "name" or "contiguous" cannot be told to fit.
    """
    source = given(raw, mapping)
    if mapping is None:
        rows, as_text = linked(source, one_chunk(category["id"]))
        return rows, finding("ids-differ-in-type", [raw.where] if as_text else [])
    encoded = source.dictionary_encode()
    values = encoded.dictionary
    if isinstance(mapping, Mapping):
        by_value, how = _mapped(values, category, mapping), "by the given file"
    elif mapping == "name" and source.type == pa.string():
        by_value, how = named_rows(values, category), "by name"
    else:
        start = _first_place(raw, values, category, mapping)
        by_value, how = contiguous_rows(values, category, start), f"by place (contiguous, from {start})"
    rows = np.append(by_value, np.int32(-1))[with_none(encoded.indices)]
    detail = f"{int((by_value >= 0).sum())} of {len(by_value)} categories matched {how}"
    return rows, finding("mapping-category", [raw.where], detail)


def given(raw: RawPredictions, mapping: CategoryMap) -> pa.Array:
    """What the file calls each prediction's category: its id, or its name where that is asked for and there."""
    names = _names(raw)
    return names if mapping == "name" and names is not None else raw.columns["category_id"]


def _names(raw: RawPredictions) -> pa.Array | None:
    columns = (raw.columns.get(name) for name in NAME_FIELDS)
    return next((column for column in columns if column is not None and column.type == pa.string()), None)


def _first_place(raw: RawPredictions, ids: pa.Array, category: pa.Table, mapping: str) -> int:
    """Whether contiguous ids count from 0 or from 1. Raises UsageError where they do not tell."""
    start = counted_from(ids, category)
    if mapping == "name":
        plain = int((linked(ids, one_chunk(category["id"]))[0] >= 0).sum())
        if plain and (start is None or plain >= len(ids)):
            message = f"{raw.where}: no category names to map by, and {plain} of its {len(ids)} ids are the labels'"
            raise UsageError(message, "leave --map-categories out")
    if start is None:
        message = f"{raw.where}: {_uncounted(ids, category)}"
        raise UsageError(message, "--map-categories FILE: JSON or CSV from prediction to label ids")
    return start


def counted_from(ids: pa.Array, category: pa.Table) -> int | None:
    """0 or 1 where all distinct ids are places of categories and only counting from there fits; None otherwise."""
    places = _places(ids)
    count = category.num_rows
    low, high = places.min(initial=count), places.max(initial=-1)
    if low < 0 or high > count:
        return None
    if low == 0 or len(places) == 0:
        return 0 if high < count else None
    return 1 if high == count else None


def _uncounted(ids: pa.Array, category: pa.Table) -> str:
    """Why ids cannot be taken as contiguous."""
    places, count = _places(ids), category.num_rows
    there = f"its category ids ({shown(ids)})"
    if places.min() > 0 and places.max() < count:
        return f"{there} may count the {count} categories from 0 or from 1"
    return f"{there} do not count the {count} categories"


def _places(ids: pa.Array) -> npt.NDArray[np.int64]:
    """Ids as integers, −1 for what is none."""
    numbers = ids if ids.type == pa.int64() else integers_in(ids)
    return np.nan_to_num(to_numpy(numbers), nan=-1).astype(np.int64)


def named_rows(names: pa.Array, category: pa.Table) -> Rows:
    """Row of the category with each name; where none has it exactly, without regard to case and outer blanks."""
    if names.type != pa.string():
        return np.full(len(names), -1, np.int32)
    known = one_chunk(category["name"])
    exact = with_none(pc.index_in(names, value_set=known))
    loose = with_none(pc.index_in(_loose(names), value_set=_loose(known)))
    return np.where(exact >= 0, exact, loose)


def _loose(names: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.utf8_trim_whitespace(names))


def contiguous_rows(ids: pa.Array, category: pa.Table, start: int = 0) -> Rows:
    """Row of the i-th category by ascending id, for i = start, start + 1, …"""
    order = np.argsort(to_numpy(one_chunk(category["id"])), kind="stable").astype(np.int32)
    values = _places(ids) - start
    inside = (values >= 0) & (values < len(order))
    return np.where(inside, np.append(order, np.int32(-1))[np.where(inside, values, -1)], np.int32(-1))


def _mapped(values: pa.Array, category: pa.Table, mapping: Mapping[str, str]) -> Rows:
    ids = [str(value) for value in category["id"].to_pylist()]
    row_of = {**{name: row for row, name in enumerate(category["name"].to_pylist())}}
    row_of |= {identifier: row for row, identifier in enumerate(ids)}
    for target in mapping.values():
        if target not in row_of:
            known = [*ids, *category["name"].to_pylist()]
            raise InputError(
                f"--map-categories: {target!r} is neither id nor name of a category of the labels",
                nearest(target, known) or f"the labels have {', '.join(known[:3])}, …",
            )
    rows = [row_of[mapping[str(value)]] if str(value) in mapping else -1 for value in values.to_pylist()]
    return np.array(rows, np.int32)


def missing(raw: RawPredictions, category: pa.Table, tolerant: bool) -> str:
    """What would help where not a single prediction has a category id. Raises InputError with it, unless tolerant."""
    names = _names(raw)
    fits = 0 if names is None else int((named_rows(distinct(names), category) >= 0).sum())
    cause = f"--map-categories name would fit {fits} of {len(distinct(names))}" if fits else ""
    lacking = raw.lacking("category_id", ALIKE if names is None else ())
    if not tolerant:
        raise InputError(f"{raw.where}: {lacking}", cause or "write category_id")
    return cause or lacking


def unmatched(
    raw: RawPredictions, category: pa.Table, rows: Rows, mapping: CategoryMap, tolerant: bool
) -> tuple[str, list[Finding]]:
    """What would fit better, in words, and a finding when not a single category is the labels'.

    Raises InputError in that case, unless tolerant.
    """
    source = given(raw, mapping)
    called = "id" if source is raw.columns["category_id"] else "name"
    values = distinct(source)
    matched = len(distinct(source, rows >= 0))
    cause = _fitting(raw, category, values, matched, mapping)
    counted = f"{matched} of its {len(values)} category {called}s match"
    detail = f"{counted}; {cause}" if cause else counted
    if matched or not len(values):
        return detail, []
    if not tolerant:
        known = shown(one_chunk(category[called]))
        raise InputError(
            f"{raw.where}: none of its {len(values)} category {called}s ({shown(values)}) is among the "
            f"{category.num_rows} categories of the labels ({known})",
            cause or "see --map-categories FILE",
        )
    return detail, finding("prediction-other-categories", values.to_pylist(), detail)


def _fitting(raw: RawPredictions, category: pa.Table, values: pa.Array, matched: int, mapping: CategoryMap) -> str:
    """The mapping that fits more than now; one that counts places only where it fits all, and in one way."""
    names = _names(raw)
    named = values if names is None else distinct(names)
    by_name = 0 if mapping == "name" else int((named_rows(named, category) >= 0).sum())
    ids = distinct(raw.columns["category_id"])
    placed = matched < len(ids) and mapping != "contiguous"
    start = counted_from(ids, category) if placed else None
    if by_name > matched and (start is None or by_name >= len(ids)):
        return f"--map-categories name would fit {by_name} of {len(named)}"
    if start is not None:
        return f"--map-categories contiguous{' (from 1)' if start else ''} would fit {len(ids)} of {len(ids)}"
    places = _places(ids)
    if placed and places.min() > 0 and places.max() < category.num_rows:
        return f"{_uncounted(ids, category)}: --map-categories FILE says which"
    return ""
