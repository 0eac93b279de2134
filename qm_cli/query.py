"""SQL over the tables of a run with DuckDB: it only reads, and reaches no file but the run's tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from qm_cli.arrays import to_numpy
from qm_cli.errors import InputError, QmError, UsageError, nearest, some
from qm_cli.run_folder import Run

NO_EXTENSIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
READS = ("SELECT", "EXPLAIN", "MULTI")
GLOB_CHARACTERS = "*?["
ROW = "qm_row"
Source = Run | Mapping[str, pa.Table]
UNKNOWN_NAME = re.compile(r'column named "([^"]+)"|Referenced column "([^"]+)"|Table with name "?([^"\s]+)')


@contextmanager
def over_run(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The run's tables as views, read from Parquet only as far as a query needs them.

    Of a run with several models each is a schema as well: `better.prediction`.
    """
    with _connection() as connection:
        files = _views(connection, run, "main")
        for model in run.models if len(run.models) > 1 else ():
            connection.execute(f"CREATE SCHEMA {quoted(model)}")
            files += _views(connection, replace(run, model=model), model)
        yield _shut(connection, files)


@contextmanager
def over_tables(tables: Mapping[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Arrow tables as views."""
    with _connection() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        yield _shut(connection, [])


def over(source: Source) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The tables of a run, or those in memory, as views."""
    return over_run(source) if isinstance(source, Run) else over_tables(source)


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=NO_EXTENSIONS) as connection:
        connection.execute("SET python_enable_replacements = false")
        yield connection


def _shut(connection: duckdb.DuckDBPyConnection, files: list[str]) -> duckdb.DuckDBPyConnection:
    """From here on no file is reached but `files`, and no setting can be changed back."""
    connection.execute(f"SET allowed_paths = [{', '.join(files)}]")
    connection.execute("SET temp_directory = ''")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _views(connection: duckdb.DuckDBPyConnection, run: Run, schema: str) -> list[str]:
    """A view per table of the run: the base columns, and beside them the model's, which win. Gives the files read."""
    read = []
    for name in run.table_names():
        files = run.files(name)
        place = f"{quoted(schema)}.{quoted(name)}"
        if any(character in str(file.resolve()) for file in files for character in GLOB_CHARACTERS):
            loaded = f"{schema}.{name}.loaded"
            connection.register(loaded, run.table(name))
            connection.execute(f"CREATE VIEW {place} AS SELECT * FROM {quoted(loaded)}")
            continue
        read += [_literal(file) for file in files]
        try:
            connection.execute(f"CREATE VIEW {place} AS {_merged(files)}")
        except (duckdb.Error, pa.ArrowException) as error:
            run.table(name)  # names the file that cannot be read
            raise InputError(f"{run.path}: table {name} cannot be read", "score the dataset again") from error
    return read


def _merged(files: list[Path]) -> str:
    """SQL of one or two files side by side."""
    first, *others = files
    if not others:
        return f"SELECT * FROM read_parquet({_literal(first)})"
    own = pq.read_schema(others[0]).names
    kept = [f"base.{quoted(column)}" for column in pq.read_schema(first).names if column not in own]
    columns = ", ".join([*kept, *(f"model.{quoted(column)}" for column in own)])
    base, model = f"read_parquet({_literal(first)}) base", f"read_parquet({_literal(others[0])}) model"
    return f"SELECT {columns} FROM {base} POSITIONAL JOIN {model}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path.resolve()).replace("'", "''") + "'"


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The rows of one reading statement. Raises UsageError for SQL that is wrong, writes or reaches outside."""
    _parsed(connection, sql)
    try:
        return connection.sql(sql).to_arrow_table()
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise _refusal(connection, error) from error


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse what is not one reading statement."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise _refusal(connection, error) from error
    if len(statements) != 1:
        raise UsageError(f"SQL: one statement is wanted, not {len(statements)}", "write one SELECT")
    kind = statements[0].type.name
    if kind not in READS:
        raise UsageError(f"SQL: {kind} is refused, as a query only reads", "write a SELECT")


def rows_of(source: Source, table: str, condition: str) -> npt.NDArray[np.int64]:
    """Rows of a run's table, or of one in memory, for which an SQL condition holds, ascending."""
    with over(source) as connection:
        return rows_where(connection, table, condition)


def rows_where(connection: duckdb.DuckDBPyConnection, table: str, condition: str) -> npt.NDArray[np.int64]:
    """Rows of a table for which an SQL condition holds, ascending."""
    numbered = f"(SELECT *, row_number() OVER () - 1 AS {ROW} FROM {quoted(table)})"
    return rows_numbered(connection, table, numbered, condition)


def rows_numbered(
    connection: duckdb.DuckDBPyConnection, table: str, numbered: str, condition: str
) -> npt.NDArray[np.int64]:
    """As `rows_where`, over SQL that gives the table with the number of each row as `qm_row`."""
    _parsed(connection, f"SELECT * FROM {quoted(table)} WHERE {condition}")
    rows = answer(connection, f"SELECT {ROW} FROM {numbered} WHERE (\n{condition}\n)")
    return np.sort(to_numpy(rows[ROW])).astype(np.int64)


def _refusal(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> QmError:
    """A DuckDB error as one line with the nearest name."""
    if isinstance(error, duckdb.PermissionException):
        return UsageError("SQL: it reaches outside the run, which is switched off", "use the run's own tables")
    first, *others = str(error).partition("\n\nLINE")[0].splitlines()
    message = first.partition("Error: ")[2] or first
    known = re.search(UNKNOWN_NAME, first)
    own = " ".join(line for line in others if line.startswith("Did you mean"))
    if known is None:
        return UsageError(
            f"SQL: {message}", own or f"write DuckDB's SQL; the tables are {some(_table_names(connection))}"
        )
    name = next(group for group in known.groups() if group)
    names = _table_names(connection) if known.group(3) else _column_names(connection)
    elsewhere = [] if known.group(3) else _tables_with(connection, name)
    if elsewhere:
        way = f"image_id IN (SELECT id FROM image WHERE {name} …)" if "image" in elsewhere else "join them"
        return UsageError(f"SQL: {message}", f"it is a column of {some(elsewhere)}: {way}")
    return UsageError(f"SQL: {message}", nearest(name, names) or f"there are {some(names)}")


def _table_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT CASE schema_name WHEN 'main' THEN view_name ELSE schema_name || '.' || view_name END"
        " FROM duckdb_views() WHERE NOT internal AND view_name NOT LIKE '%.loaded' ORDER BY ALL"
    ).fetchall()
    return [row[0] for row in found]


def _tables_with(connection: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    """The tables that have such a column, of the run itself and not of a model's schema."""
    found = connection.execute(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main'"
        " AND lower(column_name) = lower(?) AND table_name NOT LIKE '%.loaded' ORDER BY ALL",
        [column],
    ).fetchall()
    return [row[0] for row in found]


def _column_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    return [row[0] for row in found]
