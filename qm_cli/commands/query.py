"""qm query: SQL over the tables of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qm_cli import console, options
from qm_cli.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_SHOWN = 1000

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
Sql = Annotated[
    str,
    typer.Argument(
        metavar="SQL", help="One SELECT over image, label, prediction, category, pair, match …; - reads stdin."
    ),
]
Format = Annotated[
    Literal["table", "csv", "jsonl", "json", "parquet"] | None,
    typer.Option(
        "--format", help="Default what -o ends with, else table; parquet needs -o.", rich_help_panel=options.OUTPUT
    ),
]


def query(
    run: RunFolder,
    sql: Sql,
    model: options.Model = None,
    format: Format = None,
    output: options.Output = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Ask anything in SQL: every table of the run is a view. No file outside the run can be read or written.

    Of a run with several models --model adds one's columns; each is a schema as well, as in better.prediction.
    """
    if json and format not in (None, "json"):
        raise UsageError(f"--json and --format {format} differ", "say one of them")
    from qm_cli.output import format_of

    chosen = "json" if json else format or format_of(output) or "table"
    if chosen == "parquet" and output is None:
        raise UsageError("--format parquet needs a file", "name it with -o")
    if chosen == "table" and output is not None:
        raise UsageError("a table goes to the screen", "choose a file's --format: csv, jsonl, json or parquet")
    from qm_cli.query import answer, over_run
    from qm_cli.run_folder import open_run

    text = sys.stdin.read() if sql == "-" else sql
    with over_run(open_run(run, model)) as connection:
        rows = answer(connection, text)
    _deliver(rows, chosen, output)
    return 0


def _deliver(table: pa.Table, chosen: str, output: Path | None) -> None:
    from qm_cli.output import deliver
    from qm_cli.render import rows

    if chosen == "table":
        _show(table)
    elif chosen == "json":
        from qm_cli.render.as_json import as_json

        deliver(as_json(rows.as_records(table)), output)
    else:
        render = {"csv": rows.as_csv, "jsonl": rows.as_json_lines, "parquet": rows.as_parquet}[chosen]
        deliver(render(table), output)


def _show(table: pa.Table) -> None:
    """The first rows on the terminal; stderr tells of the rest."""
    from qm_cli.render.rows import as_records, plain
    from qm_cli.render.terminal import show_table

    columns = plain(table.slice(0, 0)).column_names
    records = as_records(table.slice(0, ROWS_SHOWN))
    show_table(columns, [[_shown(record[column]) for column in columns] for record in records])
    if table.num_rows > ROWS_SHOWN:
        console.say(f"qm: {table.num_rows - ROWS_SHOWN:,} more rows: --format csv gives all")


def _shown(value: object) -> object:
    """Integers and nested values as text of their own, so that ids keep their digits together."""
    return value if value is None or isinstance(value, str | float) else str(value)
