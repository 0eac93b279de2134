"""Predictions → the categories they are of: by id, by name, by place, by the user's mapping; and what would fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from qm_cli.arrays import compute as pc
from qm_cli.arrays import one_chunk, to_numpy
from qm_cli.errors import InputError, nearest
from qm_cli.findings import Finding, finding
from qm_cli.link_ids import Rows, distinct, integers_in, linked, shown, with_none
from qm_cli.raw import RawPredictions

CategoryMap = str | Mapping[str, str] | None


def category_rows(raw: RawPredictions, category: pa.Table, mapping: CategoryMap) -> tuple[Rows, list[Finding]]:
    """Row of each prediction's category, −1 for none, and how it was found when not by ids of one type.

    mapping: None (ids), "name", "contiguous" (the i-th category by ascending id is i, from 0) or {id: id or name}.
    With "name" integer ids without any name are taken as contiguous.
    """
    ids = raw.columns["category_id"]
    if mapping is None:
        rows, as_text = linked(ids, one_chunk(category["id"]))
        return rows, finding("ids-differ-in-type", [raw.where] if as_text else [])
    names = raw.columns.get("category_name", ids)
    if mapping == "name" and names.type != pa.int64():
        source, how = names, "by name"
    elif isinstance(mapping, str):
        source, how = ids, "by place (contiguous)"
    else:
        source, how = ids, "by the given file"
    encoded = source.dictionary_encode()
    values = encoded.dictionary
    if isinstance(mapping, Mapping):
        by_value = _mapped(values, category, mapping)
    else:
        by_value = named_rows(values, category) if how == "by name" else contiguous_rows(values, category)
    rows = np.append(by_value, np.int32(-1))[with_none(encoded.indices)]
    detail = f"{int((by_value >= 0).sum())} of {len(by_value)} categories matched {how}"
    return rows, finding("mapping-category", [raw.where], detail)


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


def contiguous_rows(ids: pa.Array, category: pa.Table) -> Rows:
    """Row of the i-th category by ascending id, for i = 0, 1, …"""
    places = ids if ids.type == pa.int64() else integers_in(ids)
    order = np.argsort(to_numpy(one_chunk(category["id"])), kind="stable").astype(np.int32)
    values = np.nan_to_num(to_numpy(places), nan=-1).astype(np.int64)
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


def unmatched(
    raw: RawPredictions, category: pa.Table, rows: Rows, mapping: CategoryMap, tolerant: bool
) -> tuple[str, list[Finding]]:
    """What would fit better, in words, and a finding when not a single category id is the labels'.

    Raises InputError in that case, unless tolerant.
    """
    ids = distinct(raw.columns["category_id"])
    matched = len(distinct(raw.columns["category_id"], rows >= 0))
    cause = _fitting(raw, category, ids, matched, mapping)
    counted = f"{matched} of its {len(ids)} category ids match"
    detail = f"{counted}; {cause}" if cause else counted
    if matched or not len(ids):
        return detail, []
    if not tolerant:
        known = shown(one_chunk(category["id"]))
        raise InputError(
            f"{raw.where}: none of its {len(ids)} category ids ({shown(ids)}) is among the {category.num_rows} "
            f"categories of the labels ({known})",
            cause or "see --map-categories FILE",
        )
    return detail, finding("prediction-other-categories", ids.to_pylist(), detail)


def _fitting(raw: RawPredictions, category: pa.Table, ids: pa.Array, matched: int, mapping: CategoryMap) -> str:
    names = raw.columns.get("category_name")
    named = ids if names is None or names.type != pa.string() else distinct(names)
    fits = {"name": int((named_rows(named, category) >= 0).sum())}
    fits["contiguous"] = int((contiguous_rows(ids, category) >= 0).sum())
    best = max(fits, key=lambda option: fits[option])
    if fits[best] <= matched or best == mapping:
        return ""
    return f"--map-categories {best} would fit {fits[best]} of {len(named if best == 'name' else ids)}"
