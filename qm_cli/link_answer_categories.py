"""Answers → the categories and questions they are of; where the labels list none, those that the rows name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli import link_categories
from qm_cli.arrays import compute, one_chunk, strings_to_arrow, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding, finding, flagged
from qm_cli.link_categories import CategoryMap
from qm_cli.link_ids import INTEGER, distinct, first_of_each, linked, rows_of
from qm_cli.raw import Columns, RawLabels, RawPredictions

RowArray = npt.NDArray[np.int64]


def listed(labels: RawLabels) -> tuple[pa.Table, list[Finding]]:
    """The categories that a label file lists, every id once: id, name, question."""
    columns = labels.category
    ids = columns["id"]
    names = columns["name"].to_pylist()
    shown = [str(one) if name is None else name for one, name in zip(ids.to_pylist(), names, strict=True)]
    table = pa.table({**columns, "name": strings_to_arrow(shown)})
    keep = valid(ids) & first_of_each(ids)
    found = flagged("category-missing-id", to_arrow(np.arange(len(ids))), ~valid(ids))
    found += flagged("category-duplicate-id", ids, valid(ids) & ~keep)
    return table.filter(to_arrow(keep)).combine_chunks(), found


def derived(sides: Sequence[Columns], names: Sequence[str], width: int | None) -> tuple[pa.Table, list[Finding]]:
    """Categories that no file lists: those named, else those the rows name, ascending; numbers as 0 … width − 1."""
    if names:
        values: pa.Array = strings_to_arrow(list(names))
    else:
        given = [distinct(one_chunk(side[name])).cast(pa.string()) for side in sides for name in _named(side)]
        values = distinct(pa.concat_arrays(given)) if given else pa.array([], pa.string())
    numeric = len(values) > 0 and compute.all(compute.match_substring_regex(values, INTEGER)).as_py()
    if numeric and not names:
        numbers = np.sort(to_numpy(values.cast(pa.int64())))
        if width is not None and len(numbers) < width and numbers[0] >= 0 and numbers[-1] < width:
            numbers = np.arange(width)
        values = to_arrow(numbers)
    elif not names:
        values = values.take(compute.array_sort_indices(values))
    texts = values.cast(pa.string())
    table = pa.table({"id": values, "name": texts, "question": pa.nulls(len(values), pa.string())})
    return table, finding("category-derived", texts.to_pylist())


def width_of(predictions: RawPredictions | npt.NDArray[Any] | None) -> int | None:
    """How many class probabilities a row has; None where there are none."""
    if predictions is None:
        return None
    if not isinstance(predictions, RawPredictions):
        return int(predictions.shape[1])
    if "probs" not in predictions.columns:
        return None
    return int(np.nan_to_num(to_numpy(compute.list_value_length(predictions.columns["probs"]))).max(initial=0))


def refuse_other_shape(shape: tuple[int, ...], where: str, rows: int, categories: int, names: Sequence[str]) -> None:
    """Raise InputError for a matrix of probabilities that is not one row a data row and one column a category.

    names: of its columns, empty for the order of the categories.
    """
    count, width = shape
    if count != rows:
        message = f"{where}: has {count:,} rows, the label file {rows:,} data rows"
        raise InputError(message, "one row for each data row, in the order of the label file")
    if width != categories and not names:
        message = f"{where}: has {width:,} columns, there are {categories:,} categories"
        raise InputError(message, "one column for each category, in their order; see --prob-categories")
    if names and len(names) != width:
        raise InputError(
            f"--prob-categories: {len(names):,} names for {width:,} columns of {where}", "name each column"
        )


def _named(side: Columns) -> list[str]:
    return ["category_id"] if "category_id" in side else ["category_name"] if "category_name" in side else []


def rows_of_categories(
    columns: Columns, where: str, category: pa.Table, mapping: CategoryMap = None
) -> tuple[RowArray, list[Finding]]:
    """Row of each answer's category, −1 for none: by id, else by name, and a name that is none as an id."""
    count = len(columns["image_id"])
    if mapping is not None and ("category_id" in columns or "category_name" in columns):
        given = {"category_id": pa.nulls(count, pa.int64()), **columns}
        mapped, found = link_categories.category_rows(RawPredictions(where, given), category, mapping)
        return mapped.astype(np.int64), found
    rows: RowArray = np.full(count, -1, np.int64)
    found = []
    if "category_id" in columns:
        by_id, as_text = linked(columns["category_id"], one_chunk(category["id"]))
        rows, found = by_id.astype(np.int64), finding("ids-differ-in-type", [where] if as_text else [])
    if "category_name" in columns:
        names = columns["category_name"]
        by_name = rows_of(names, one_chunk(category["name"]))
        if (by_name < 0).any():
            by_text = rows_of(names, one_chunk(category["id"]).cast(pa.string()))
            by_name = np.where(by_name >= 0, by_name, by_text)
        rows = np.where(rows >= 0, rows, by_name).astype(np.int64)
    return rows, found


def names_a_category(columns: Columns) -> npt.NDArray[np.bool_]:
    """Rows that name a category, known or not: bool[n]."""
    there = np.zeros(len(columns["image_id"]), bool)
    for name in ("category_id", "category_name"):
        if name in columns:
            there |= valid(columns[name])
    return there


def column_categories(names: Sequence[str], category: pa.Table, where: str) -> RowArray:
    """The category of each column of probabilities, by name or id: int64[columns]. Every category must stand once."""
    known, ids = category["name"].to_pylist(), [str(one) for one in category["id"].to_pylist()]
    by_name = {**{one: row for row, one in enumerate(ids)}, **{one: row for row, one in enumerate(known)}}
    rows = [by_name.get(name, -1) for name in names]
    if len(names) != len(known) or -1 in rows or len(set(rows)) < len(rows):
        missing = [name for row, name in enumerate(known) if row not in rows]
        unknown = [name for name, row in zip(names, rows, strict=True) if row < 0]
        hint = f"{unknown[0]!r} is no category" if unknown else f"{missing[0]!r} is missing" if missing else "one twice"
        message = f"{where}: class probabilities of {len(names)} categories, the labels have {len(known)}"
        raise InputError(message, f"name every category once: {hint}")
    return np.array(rows, np.int64)


def questions_of(labels: RawLabels, category: pa.Table, kinds: dict[str, str]) -> tuple[str | None, ...]:
    """The questions there are: declared, named by a category, named by a label; None alone where there is none."""
    named = list(kinds)
    named += [one for one in category["question"].to_pylist() if one is not None]
    if "question" in labels.label:
        named += distinct(labels.label["question"]).to_pylist()
    found: tuple[str | None, ...] = tuple(dict.fromkeys(named))
    if not found or ("question" in labels.label and labels.label["question"].null_count and len(found) > 1):
        return (*found, None)
    return found


def question_rows(
    columns: Columns, category_row: RowArray, category_question: RowArray, questions: tuple[str | None, ...]
) -> RowArray:
    """The question of each answer, −1 where it is none of them: its own, else its category's, else the only one."""
    count = len(columns["image_id"])
    fallback = questions.index(None) if None in questions else 0 if len(questions) == 1 else -1
    rows = np.append(category_question, -1)[category_row] if len(category_row) else np.zeros(count, np.int64)
    rows = np.where(rows < 0, fallback, rows)
    if "question" in columns:
        texts = columns["question"]
        own = rows_of(texts, strings_to_arrow([one if one is not None else "\x00" for one in questions]))
        rows = np.where(valid(texts), own, rows)
    return rows.astype(np.int64)
