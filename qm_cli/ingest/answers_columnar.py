"""Answers as CSV, TSV, Parquet or Arrow IPC → raw columns.

Columns: image_id, data_row_id or id; category_id, or category, category_name, label; question; answer; score or
confidence; start and end; probs, a list, or a column prob_NAME for each category.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from qm_cli.arrays import all_finite, compute, one_chunk, to_arrow, to_numpy, valid
from qm_cli.errors import InputError
from qm_cli.raw import Columns, RawPredictions, lists_of, typed_identifiers

ROW_IDS = ("image_id", "data_row_id", "id")
NAMES = ("category", "category_name", "label")
SCORES = ("score", "confidence")
TEXTS = ("question", "answer")
OFFSETS = ("start", "end")
PROBABILITY = "prob_"
INTEGER = r"^(0|-?[1-9][0-9]{0,17})$"
FIRST_ROWS = 1000
NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$"
BOOLEAN = r"^([Tt]rue|[Ff]alse)$"
HINT = "write id, and category (or category_id), answer or probs; see qm evaluate --help"


def read(path: Path, where: str) -> RawPredictions:
    """Columns of a table of answers; `keys` are all columns of the file. Messages call the file `where`.

    In text files ids and categories are integers where every one is written as such (007 is text), empty is null.
    Raises InputError for a damaged file, a column twice, no column of ids or of answers, wrong types and numbers not
    finite.
    """
    table = _columnar(path, where) if path_is_columnar(path) else _text(path, where)
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{where}: the column {repeated[0]!r} stands twice", "keep one of the two")
    row_id = _first(names, ROW_IDS)
    if row_id is None:
        raise InputError(f"{where}: no column image_id, data_row_id or id; it has {', '.join(names) or 'none'}", HINT)
    columns: Columns = {"image_id": _identifiers(table, row_id, where)}
    if row_id != "id" and "id" in names:
        columns["id"] = _identifiers(table, "id", where)
    if "category_id" in names:
        columns["category_id"] = _identifiers(table, "category_id", where)
    if (name := _first(names, NAMES)) is not None:
        columns["category_name"] = _identifiers(table, name, where).cast(pa.string())
    columns |= {name: _texts(table, name, where) for name in TEXTS if name in names}
    if (score := _first(names, SCORES)) is not None:
        columns["score"] = _numbers(table, score, where)
    columns |= {name: _numbers(table, name, where) for name in OFFSETS if name in names}
    probabilities = [name for name in names if name.startswith(PROBABILITY)]
    if "probs" in names:
        columns["probs"] = _lists(one_chunk(table["probs"]), where)
    elif probabilities:
        columns["probs"] = _stacked([_numbers(table, name, where, finite=False) for name in probabilities])
    if columns.keys().isdisjoint(("category_id", "category_name", "answer", "probs")):
        raise InputError(f"{where}: no column says what the answer is; it has {', '.join(names)}", HINT)
    return RawPredictions(where, columns, tuple(names))


def further_columns(path: Path, where: str) -> Columns:
    """The scalar columns that `read` has no use for: booleans, integers, floats and texts, in the order of the file.

    Of text files a column whose every value is written as a number (007 is none), or as true or false, is one of these.
    """
    columnar = path_is_columnar(path)
    table = _columnar(path, where) if columnar else _text(path, where)
    own = {*ROW_IDS, "category_id", *NAMES, *TEXTS, *SCORES, *OFFSETS, "probs"}
    names = [name for name in table.column_names if name and name not in own and not name.startswith(PROBABILITY)]
    found = {name: _plain(table, name) for name in names}
    if not columnar:
        return {name: _typed(column) for name, column in found.items()}
    return {name: _scalars(column) for name, column in found.items() if not pa.types.is_nested(column.type)}


def _typed(texts: pa.Array) -> pa.Array:
    for pattern, dtype in ((INTEGER, pa.int64()), (NUMBER, pa.float64()), (BOOLEAN, pa.bool_())):
        if texts.null_count < len(texts) and _all_match(texts, pattern):
            return texts.cast(dtype)
    return texts


def _scalars(column: pa.Array) -> pa.Array:
    """Times and decimals as texts."""
    types = pa.types
    if types.is_integer(column.type) and column.type != pa.uint64():
        return column.cast(pa.int64())
    if types.is_floating(column.type):
        return column.cast(pa.float64())
    return column if types.is_boolean(column.type) else column.cast(pa.string())


def probability_names(keys: Sequence[str]) -> tuple[str, ...]:
    """The categories of a file's columns prob_NAME, in their order; none where it has `probs`."""
    return (
        () if "probs" in keys else tuple(key.removeprefix(PROBABILITY) for key in keys if key.startswith(PROBABILITY))
    )


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def path_is_columnar(path: Path) -> bool:
    """Whether the first bytes are those of Parquet or Arrow."""
    with path.open("rb") as file:
        return file.read(6).startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"))


def column_names(path: Path) -> list[str]:
    """The columns of a Parquet or Arrow file; none of a damaged one."""
    from pyarrow.parquet import read_schema

    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        return list(read_schema(path).names) if parquet else list(_columnar(path, str(path)).column_names)
    except (pa.ArrowException, InputError):
        return []


def _columnar(path: Path, where: str) -> pa.Table:
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        if magic.startswith(b"PAR1"):
            from pyarrow.parquet import ParquetFile

            with ParquetFile(path) as parquet:
                return parquet.read()
        from pyarrow import ipc

        with pa.memory_map(str(path)) as source:
            return (ipc.open_file(source) if magic == b"ARROW1" else ipc.open_stream(source)).read_all()
    except (pa.ArrowException, OSError) as error:
        message = f"{where}: damaged Parquet or Arrow file: {' '.join(str(error).split())[:120]}"
        raise InputError(message, "write the file again; it may be cut off") from None


def _text(path: Path, where: str) -> pa.Table:
    """A CSV file, tabs between the values where its first line has them and no comma; every column as text."""
    from pyarrow.csv import ConvertOptions, ParseOptions, read_csv

    with path.open("rb") as file:
        head = file.readline(1 << 16)
    if not head.strip():
        raise InputError(f"{where}: the file is empty", HINT)
    delimiter = "\t" if b"\t" in head and b"," not in head else ","
    names = _header(head, delimiter, where)
    convert = ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""]
    )
    try:
        return read_csv(path, parse_options=ParseOptions(delimiter=delimiter), convert_options=convert)
    except pa.ArrowException as error:
        raise InputError(f"{where}: no CSV: {' '.join(str(error).split())[:120]}", "write the file again") from None


def _header(head: bytes, delimiter: str, where: str) -> list[str]:
    try:
        return next(csv.reader([head.decode("utf-8-sig").rstrip("\r\n")], delimiter=delimiter))
    except UnicodeDecodeError:
        raise InputError(f"{where}: not UTF-8 text", "save the file as UTF-8") from None


def _plain(table: pa.Table, name: str) -> pa.Array:
    column = one_chunk(table[name])
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    text = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return column.cast(pa.string()) if text else column


def _identifiers(table: pa.Table, name: str, where: str) -> pa.Array:
    """Ids as int64 or string; texts of a CSV file that are all integers, written as such, as int64."""
    column = typed_identifiers(_plain(table, name), where, name, HINT)
    if not pa.types.is_string(column.type) or column.null_count == len(column):
        return column
    whole = all(_all_match(part, INTEGER) for part in (column[:FIRST_ROWS], column))
    return column.cast(pa.int64()) if whole else column


def _all_match(texts: pa.Array, pattern: str) -> bool:
    """Whether all that are not null do."""
    return compute.all(compute.match_substring_regex(texts, pattern)).as_py() is not False


def _texts(table: pa.Table, name: str, where: str) -> pa.Array:
    column = _plain(table, name)
    if pa.types.is_nested(column.type):
        raise InputError(f"{where}: {name}: expected a column of texts, got {column.type}", HINT)
    return column.cast(pa.string())


def _numbers(table: pa.Table, name: str, where: str, finite: bool = True) -> pa.Array:
    """A column as float64; what is no number, and not finite where that is asked for, is refused with its row."""
    column = _plain(table, name)
    if pa.types.is_string(column.type):
        column = _parsed(column, name, where)
    elif not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise InputError(f"{where}: {name}: expected a column of numbers, got {column.type}", HINT)
    column = column.cast(pa.float64())
    wrong = ~np.isfinite(to_numpy(column)) & valid(column)
    if finite and wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = f"{where}: row {row + 1}: {name}: expected a finite number, got {column[row].as_py()}"
        raise InputError(message, "mend the export")
    return column


def _parsed(texts: pa.Array, name: str, where: str) -> pa.Array:
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        for row, text in enumerate(texts.to_pylist()):
            try:
                float(text or 0)
            except ValueError:
                message = f"{where}: row {row + 1}: {name}: expected a number, got {text[:40]!r}"
                raise InputError(message, "mend the export") from None
        raise InputError(f"{where}: {name}: expected numbers", "mend the export") from None


def _lists(column: pa.Array, where: str) -> pa.Array:
    """Lists of numbers as list<double>; in a CSV file as text of numbers between blanks, commas or brackets."""
    dtype = column.type
    if pa.types.is_string(dtype):
        texts = compute.replace_substring_regex(column, r"^[\s\[(]+|[\s\])]+$", "")
        parts = compute.split_pattern_regex(texts, r"[\s,;]+")
        try:
            return parts.cast(pa.list_(pa.float64()))
        except pa.ArrowInvalid as error:
            raise InputError(f"{where}: probs: expected numbers: {str(error)[:80]}", "mend the export") from None
    nested = pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype)
    number = nested and (pa.types.is_floating(dtype.value_type) or pa.types.is_integer(dtype.value_type))
    if not number:
        raise InputError(f"{where}: probs: expected a column of lists of numbers, got {dtype}", HINT)
    return column if pa.types.is_floating(dtype.value_type) else column.cast(pa.list_(pa.float64()))


def _stacked(columns: Sequence[pa.Array]) -> pa.Array:
    """One column for each category as a list column; a row without any of them is null."""
    values = np.stack([np.asarray(to_numpy(column), np.float64) for column in columns], 1)
    count, size = values.shape
    flat = values.ravel()
    content = to_arrow(flat) if all_finite(flat) else pa.array(flat, from_pandas=True)
    offsets = np.arange(0, count * size + 1, size, dtype=np.int32)
    missing = np.asarray(np.isnan(values).all(1))
    if not missing.any():
        return lists_of(offsets, content)
    return pa.ListArray.from_arrays(to_arrow(offsets), content, mask=to_arrow(missing))
