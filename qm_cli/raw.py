"""What a file holds before it is linked and checked: columns by name, in the file's order.

pyarrow imports pandas for `pa.array`, `to_numpy` and scalars in `pc` calls; what every file goes through does without.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field

from qm_cli.arrays import compute as pc
from qm_cli.arrays import strings_to_arrow, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.findings import Finding
from qm_cli.kernels.runs import Runs

Columns = dict[str, pa.Array]
LEAVES = r"^[/\\]|^[A-Za-z]:|^[a-z][a-z0-9+.-]*://"


class RawPredictions(Struct):
    """columns: image_id, category_id, bbox (list of doubles), score, and what else there is. `where` names the file.

    keys: the fields of the file's first prediction, kept or not, for telling what is there instead of what is missing.
    image_names: the file's own image table, id and file_name, where it has one. runs: the masks of the column
    `shape`, where they are compressed ones and were decoded already. unread: see `unread_answers`.
    """

    where: str
    columns: Columns
    keys: tuple[str, ...] = ()
    image_names: Columns = field(default_factory=dict)
    runs: Runs | None = None
    unread: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def lacking(self, field: str, alike: Sequence[str]) -> str:
        """'no prediction has a FIELD', with the fields there are and one that is perhaps meant to be it."""
        there = f"; the fields are {', '.join(self.keys)}" if self.keys else ""
        similar = next((f"; `{key}` looks like one: call it `{field}`" for key in self.keys if key in alike), "")
        return f"no prediction has {'an' if field[0] in 'aeiou' else 'a'} {field}{there}{similar}"


class RawLabels(Struct):
    """The three arrays of a COCO label file as columns; no label columns where the file has no annotations at all.

    derived: the images and categories are only those that the labels name, as in a prediction file.
    findings: what was seen while reading and the columns do not show. kinds: the declared type of each question; None
    where the file is not read as one of answers. runs, unread: as of `RawPredictions`.
    """

    where: str
    image: Columns
    category: Columns
    label: Columns
    derived: bool = False
    findings: list[Finding] = field(default_factory=list)
    kinds: dict[str, str] | None = None
    runs: Runs | None = None
    unread: list[str] = field(default_factory=list)


def with_shape(columns: Columns, fields: tuple[str, ...], count: int) -> Columns:
    """The columns with the first of the fields that is there as `shape`, the others left out; a box column always."""
    found = [name for name in fields if name in columns and columns[name].null_count < count]
    shape = {"shape": columns[found[0]]} if found else {}
    kept = {name: column for name, column in columns.items() if name not in fields or name == "bbox"}
    return {"bbox": pa.nulls(count, pa.list_(pa.float64())), **kept, **shape}


def identifiers(values: Sequence[int | str | None], where: str) -> pa.Array:
    """Ids as int64 or string, as the file has them; a mixture is refused with the position of the first odd one."""
    kinds = set(map(type, values))
    present = kinds - {type(None)}
    if present <= {int}:
        try:
            return to_arrow(np.array(values, np.int64)) if kinds == {int} else pa.array(values, pa.int64())
        except OverflowError:
            wide = (n for n, value in enumerate(values) if isinstance(value, int) and not -(2**63) <= value < 2**63)
            raise InputError(f"{where}[{next(wide)}]: the id does not fit 64 bits", "use smaller numbers") from None
    if present == {str}:
        return strings_to_arrow([value if isinstance(value, str) else None for value in values])
    given = [value for value in values if value is not None]
    texts = sum(isinstance(value, str) for value in given)
    odd, expected = (
        (str, "an integer") if _texts_are_odd(texts, len(given), isinstance(given[0], str)) else (int, "a string")
    )
    place = next(n for n, value in enumerate(values) if isinstance(value, odd))
    message = f"{where}[{place}]: the id {values[place]!r} is not {expected} like the other ids"
    raise InputError(message, "write all ids as integers or all as strings")


def typed_identifiers(column: pa.Array, where: str, name: str, hint: str) -> pa.Array:
    """A column of ids as int64 or string. Refuses other types, with what to write, and integers beyond 64 bits."""
    dtype = column.type
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        return column if pa.types.is_string(dtype) else column.cast(pa.string())
    if pa.types.is_integer(dtype) or pa.types.is_null(dtype):
        try:
            return column if dtype == pa.int64() else column.cast(pa.int64())
        except pa.ArrowInvalid:
            raise InputError(f"{where}: {name}: an id does not fit 64 bits", "use smaller numbers") from None
    raise InputError(f"{where}: {name}: expected a column of integers or strings, got {dtype}", hint)


def _texts_are_odd(texts: int, count: int, first: bool) -> bool:
    """Whether the strings among ids are the exception: fewer than the integers, or as many and not the first."""
    return 2 * texts < count or (2 * texts == count and not first)


def numbers(values: Sequence[float | None]) -> pa.Array:
    """Numbers as float64; None becomes null."""
    return to_arrow(np.array([np.nan if value is None else value for value in values], np.float64))


def lists_of(offsets: np.ndarray[tuple[int], np.dtype[np.int32]], values: pa.Array) -> pa.ListArray:
    """Runs of values as a list column."""
    return pa.ListArray.from_arrays(to_arrow(offsets), values)


def scalars(values: list[object]) -> pa.Array | None:
    """A metadata column: boolean, integer, float or string; mixed ones as text; None where no value is a scalar."""
    plain = [None if isinstance(value, list | dict) else value for value in values]
    if all(value is None for value in plain):
        return None
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in plain], pa.string())


def leaving(names: pa.Array) -> npt.NDArray[np.bool_]:
    """File names that would be looked for outside of the folder they are relative to: bool[n]."""
    if _stay(names):
        return np.zeros(len(names), bool)
    leaves: npt.NDArray[np.bool_] = to_numpy(pc.match_substring_regex(names, LEAVES))
    for row in np.flatnonzero(to_numpy(pc.match_substring(names, ".."))):
        depth = 0
        for part in names[int(row)].as_py().replace("\\", "/").split("/"):
            depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
            leaves[row] |= depth < 0
    return leaves


def _stay(names: pa.Array) -> bool:
    """Whether no name can leave: none starts with a slash or holds `..`, a backslash or a colon. True proves it."""
    _, offsets, content = names.buffers()
    if content is None:
        return True
    text = content.to_pybytes()
    starts = np.frombuffer(offsets, np.int32, len(names) + 1, names.offset * 4)[:-1]
    letters = np.frombuffer(text + b" ", np.uint8)
    return not any(mark in text for mark in (b"..", b"\\", b":")) and not (letters[starts] == ord("/")).any()


def texts_of(values: pa.Array) -> pa.Array:
    """JSON texts with null for a JSON null."""
    texts = values.cast(pa.string())
    null = pc.match_substring_regex(texts, "^null$")
    return pc.if_else(null, pa.nulls(len(texts), pa.string()), texts) if pc.any(null).as_py() else texts


def _refuse(texts: pa.Array, wrong: pa.Array, where: str, name: str, expected: str) -> None:
    row = int(np.flatnonzero(to_numpy(wrong) & valid(wrong))[0])
    raise InputError(f"{where}: [{row}].{name}: expected {expected}, got {texts[row].as_py()[:60]}", "mend the export")


def numbers_of(values: pa.Array, where: str, name: str) -> pa.Array:
    """JSON texts → float64. Refuses what is no number or not finite, naming the row."""
    texts = texts_of(values)
    plain = pc.match_substring_regex(texts, r"^-?[0-9]")
    if pc.all(plain).as_py() is False:
        _refuse(texts, pc.invert(plain), where, name, "a number")
    found = pc.cast(texts, pa.float64())
    finite = pc.is_finite(found)
    if pc.all(finite).as_py() is False:
        _refuse(texts, pc.invert(finite), where, name, "a finite number")
    return found


def number_lists_of(lists: pa.Array, where: str, name: str, *, lenient: bool = False) -> pa.Array:
    """Lists of JSON texts → lists of doubles; a null inside a list stays null. lenient: so does what is no number."""
    texts = lists.flatten()
    try:
        values = _numbers_or_null(texts) if lenient else numbers_of(texts, where, name)
    except InputError as error:
        place = int(error.message[len(where) + 3 :].partition("]")[0])
        row = pc.list_parent_indices(lists)[place].as_py()
        message = f"{where}: [{row}].{name}: expected finite numbers, got {texts[place].as_py()[:60]}"
        raise InputError(message, "mend the export") from None
    lengths = np.nan_to_num(to_numpy(pc.list_value_length(lists))).astype(np.int32)
    starts = to_arrow(np.concatenate([[0], lengths.cumsum()]).astype(np.int32))
    return pa.ListArray.from_arrays(starts, values, mask=lists.is_null() if lists.null_count else None)


def _numbers_or_null(values: pa.Array) -> pa.Array:
    """JSON texts → float64, null for what is no finite number."""
    texts = values.cast(pa.string())
    none = pa.nulls(len(texts), pa.string())
    found = pc.cast(pc.if_else(pc.match_substring_regex(texts, r"^-?[0-9]"), texts, none), pa.float64())
    return pc.if_else(pc.is_finite(found), found, pa.nulls(len(texts), pa.float64()))


def identifiers_of(values: pa.Array, where: str, name: str) -> pa.Array:
    """JSON texts of ids → int64, or string where they are quoted."""
    texts = texts_of(values)
    quoted = pc.starts_with(texts, '"')
    if pc.any(quoted).as_py():
        if pc.all(quoted).as_py():
            return _strings(texts)
        is_text = to_numpy(quoted)[valid(quoted)]
        if _texts_are_odd(int(is_text.sum()), len(is_text), bool(is_text[0])):
            _refuse(texts, quoted, where, name, "an integer like the other ids")
        _refuse(texts, pc.invert(quoted), where, name, "a string like the other ids")
    whole = pc.match_substring_regex(texts, r"^-?[0-9]+(\.0+)?$")
    if pc.all(whole).as_py() is False:
        _refuse(texts, pc.invert(whole), where, name, "an integer or a string")
    digits = pc.replace_substring_regex(texts, r"\.0+$", "")
    try:
        return pc.cast(digits, pa.int64())
    except pa.ArrowInvalid:
        found = enumerate(digits.to_pylist())
        row, text = next((n, text) for n, text in found if text and not -(2**63) <= int(text[:30]) < 2**63)
        raise InputError(f"{where}: [{row}].{name}: {text[:30]} does not fit 64 bits", "use smaller numbers") from None


def scalars_of(values: pa.Array) -> pa.Array | None:
    """JSON texts → a metadata column, typed where every value is of one JSON type; None for lists and objects."""
    texts = texts_of(values)
    if texts.null_count < len(texts) and pc.all(pc.starts_with(texts, '"')).as_py():
        return _strings(texts)
    return scalars([None if text is None or text[0] in "[{" else json.loads(text) for text in texts.to_pylist()])


def _strings(texts: pa.Array) -> pa.Array:
    """JSON strings → their text; only those with an escape need a parser."""
    if pc.any(pc.match_substring(texts, "\\")).as_py():
        return strings_to_arrow([None if text is None else json.loads(text) for text in texts.to_pylist()])
    return pc.utf8_slice_codeunits(texts, 1, -1)
