"""Further fields of a COCO label file that a matching convention asks for: scalars, and lists of category ids."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from qm_cli.arrays import to_arrow
from qm_cli.errors import InputError
from qm_cli.ingest.labels_json import Extras, with_images
from qm_cli.raw import RawLabels, identifiers, scalars

LISTS = ("neg_category_ids", "not_exhaustive_category_ids")
Entries = list[dict[str, msgspec.Raw]]


def add_fields(raw: RawLabels, path: Path, fields: Mapping[str, tuple[str, ...]]) -> None:
    """Add the named fields, by level, as columns; one that no entry has is passed over, as is one that is there.

    Raises InputError for lists of category ids that are no lists, or hold what is no id.
    """
    content = with_images(path.read_bytes())
    if not any(f'"{name}"'.encode() in content for names in fields.values() for name in names):
        return
    extras = msgspec.json.decode(content, type=Extras)
    entries = {"image": extras.images, "category": extras.categories, "label": extras.annotations}
    columns = {"image": raw.image, "category": raw.category, "label": raw.label}
    for level, names in fields.items():
        rows = [row or {} for row in entries[level]]
        for name in names:
            if name in columns[level] or not any(name in row for row in rows):
                continue
            column = _lists(rows, name, raw.where) if name in LISTS else _scalars(rows, name)
            if column is not None:
                columns[level][name] = column


def _scalars(rows: Entries, name: str) -> pa.Array | None:
    values = [_decoded(row.get(name)) for row in rows]
    return scalars(values)


def _decoded(value: msgspec.Raw | None) -> Any:
    return None if value is None else msgspec.json.decode(value)


def _lists(rows: Entries, name: str, where: str) -> pa.ListArray:
    """Lists of ids; null counts as empty."""
    lists: list[list[int | str | None]] = []
    for place, row in enumerate(rows):
        try:
            value = row.get(name)
            lists.append([] if value is None else msgspec.json.decode(value, type=list[int | str] | None) or [])
        except msgspec.ValidationError:
            raise InputError(
                f"{where}: images[{place}].{name}: expected a list of category ids", "write [] for none"
            ) from None
    ids = identifiers(list(chain.from_iterable(lists)), f"{where}: images.{name}")
    offsets = np.cumsum([0, *map(len, lists)]).astype(np.int32)
    return pa.ListArray.from_arrays(to_arrow(offsets), ids)
