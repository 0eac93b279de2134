"""Columns and their notes ⇄ Parquet: unit, range, direction and meaning travel in the field's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import rows_to_arrow, strings_to_arrow, to_arrow
from qm_cli.codes import Codes
from qm_cli.metric import Metric
from qm_cli.schema import SCHEMA_VERSION, known_columns

ROW_GROUP_ROWS = 1 << 17
ROW_GROUP_NUMBERS = 1 << 22


def metric_field(name: str, array: pa.Array, metric: Metric) -> pa.Field:
    """A field that says what the column means."""
    note = metric.note
    low, high = note.range or (None, None)
    facts = {
        "metric": metric.id,
        "kind": note.kind,
        "unit": metric.unit,
        "better": note.better,
        "meaning": metric.meaning,
        "range": "" if note.range is None else f"{_end(low)}..{_end(high)}",
    }
    return pa.field(name, array.type, metadata=facts)


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def with_metrics(
    table: pa.Table, columns: Mapping[str, npt.NDArray[Any] | Codes], metrics: Mapping[str, Metric]
) -> pa.Table:
    """The table with one more column per metric output; `metrics` says which metric each output is of."""
    for name, values in columns.items():
        array = _texts(values) if isinstance(values, Codes) else to_arrow(values)
        field = metric_field(name, array, metrics[name])
        place = table.schema.get_field_index(name)
        table = table.append_column(field, array) if place < 0 else table.set_column(place, field, array)
    return table


def _texts(codes: Codes) -> pa.Array:
    """A string column; of type null where there is no text at all."""
    if not codes.names or codes.place.max(initial=-1) < 0:
        return pa.nulls(len(codes))
    return strings_to_arrow(codes.names).take(rows_to_arrow(codes.place))


def described(level: str, table: pa.Table) -> pa.Table:
    """The table with the contract's meaning and unit on the columns the contract knows."""
    known = known_columns(level)
    fields = []
    for field in table.schema:
        contract = known.get(field.name)
        facts = (
            {"meaning": contract.meaning, "unit": contract.unit} if contract else {"meaning": "metadata of the input"}
        )
        fields.append(field if field.metadata else field.with_metadata(facts))
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def write_parquet(table: pa.Table, path: Path, order: npt.NDArray[np.int64] | None = None) -> None:
    """One Parquet file with fixed row groups, so that equal tables give equal bytes.

    order: the rows in the order they are written in, as they stand by default; they are put in it group by group.
    """
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata({"qm_schema_version": str(SCHEMA_VERSION)})
    repeating = [field.name for field in table.schema if field.type in (pa.string(), pa.int32())]
    rows = _rows_per_group(table.schema)
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", use_dictionary=repeating, store_schema=True
    ) as writer:
        for first in range(0, max(len(table), 1), rows):
            part = table.slice(first, rows) if order is None else table.take(to_arrow(order[first : first + rows]))
            writer.write_table(part.combine_chunks(), row_group_size=rows)


def _rows_per_group(schema: pa.Schema) -> int:
    """Fewer rows of long vectors, as a group is held in memory while it is written."""
    sizes = [int(field.type.list_size) for field in schema if pa.types.is_fixed_size_list(field.type)]
    return max(min(ROW_GROUP_ROWS, ROW_GROUP_NUMBERS // max(*sizes, 1, 1)), 1)


def input_order(source_row: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Rows of a table sorted by their place in the input: int64[n]."""
    return np.argsort(source_row, kind="stable")
