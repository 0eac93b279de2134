"""SQL reads the run and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.query import answer, over_run, over_tables, rows_of
from qm_cli.run_folder import open_run
from tests.made_run import IDS, image_table, write_run

OUTSIDE = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/etc/passwd')",
    "SELECT * FROM read_parquet('{run}/../outside.parquet')",
    "SELECT * FROM read_json('{run}/run.json')",
    "SELECT * FROM '/etc/passwd'",
    "FROM '{run}/run.json'",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{run}/../stolen.csv''')",
    "SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='{run}/../stolen')",
    "SELECT * FROM duckdb_secrets()",
    "COPY image TO '{run}/../stolen.csv'",
    "EXPORT DATABASE '{run}/../stolen'",
    "IMPORT DATABASE '/etc'",
    "ATTACH '{run}/../stolen.db' AS stolen",
    "ATTACH ':memory:' AS more",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "PRAGMA enable_external_access = true",
    "SET lock_configuration = false",
    "SET allowed_paths = ['/etc/passwd']",
    "SET temp_directory = '/tmp'",
    "CALL enable_logging(storage='file', storage_path='{run}/../stolen')",
    "CREATE SECRET (TYPE s3)",
    "CREATE TABLE mine AS SELECT 1",
    "DROP VIEW image",
    "INSERT INTO image VALUES (1)",
    "SELECT 1; COPY image TO '{run}/../stolen.csv'",
    "EXPLAIN ANALYZE COPY image TO '{run}/../stolen.csv'",
]


@pytest.mark.parametrize("sql", OUTSIDE)
def test_nothing_outside_is_reached(tmp_path: Path, sql: str) -> None:
    run = open_run(write_run(tmp_path / "run"))
    (tmp_path / "outside.parquet").write_bytes((run.path / "image.parquet").read_bytes())
    before = sorted(tmp_path.iterdir())
    with over_run(run) as connection, pytest.raises(UsageError):
        answer(connection, sql.format(run=run.path))
    assert sorted(tmp_path.iterdir()) == before


def test_no_python_variable_is_a_table(tmp_path: Path) -> None:
    mine = image_table()
    with over_run(open_run(write_run(tmp_path / "run"))) as connection, pytest.raises(UsageError, match="mine"):
        answer(connection, f"SELECT * FROM {'mine' if mine.num_rows else ''}")


def test_a_column_of_another_table_is_told(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run", ("better", "worse")), "better")
    with over_run(run) as connection:
        with pytest.raises(
            UsageError, match=r"it is a column of image: image_id IN \(SELECT id FROM image WHERE Entropy"
        ):
            answer(connection, "SELECT Entropy FROM prediction")
        with pytest.raises(UsageError, match=r"it is a column of prediction: join them"):
            answer(connection, "SELECT score FROM image")
        with pytest.raises(UsageError, match=r"did you mean entropy"):
            answer(connection, "SELECT entropi FROM prediction")


@pytest.mark.parametrize("folder", ["run", "it's [a] run*?"])
def test_several_models(tmp_path: Path, folder: str) -> None:
    place = write_run(tmp_path / folder, ("better", "wo-rse"))
    with over_run(open_run(place, "better")) as connection:
        table = answer(connection, "SELECT id, entropy FROM image")
        assert table.to_pydict() == image_table().select(["id", "entropy"]).to_pydict()
        both = 'SELECT count(*) AS n FROM better.prediction JOIN "wo-rse".prediction USING (id)'
        assert answer(connection, both).to_pylist() == [{"n": 5}]
    with over_run(open_run(place)) as connection:
        assert "entropy" not in answer(connection, "FROM image").column_names
        with pytest.raises(UsageError, match=r"did you mean .*better\.prediction"):
            answer(connection, "FROM prediction")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT entropi FROM image", "did you mean entropy"),
        ("SELECT i.entropi FROM image i", "did you mean entropy"),
        ("FROM imag", "did you mean image"),
        ("SELEC 1", "syntax error"),
        ("", "one statement"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT cast('a' AS int)", "Could not convert"),
        ("SELECT flor(1)", "Did you mean"),
    ],
)
def test_wrong_sql_is_one_line(tmp_path: Path, sql: str, told: str) -> None:
    with over_run(open_run(write_run(tmp_path / "run"))) as connection, pytest.raises(UsageError) as caught:
        answer(connection, sql)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sql", ["EXPLAIN SELECT 1", "DESCRIBE image", "SUMMARIZE image", "SHOW TABLES", "VALUES (1)"])
def test_other_ways_to_read(tmp_path: Path, sql: str) -> None:
    with over_run(open_run(write_run(tmp_path / "run"))) as connection:
        assert answer(connection, sql).num_rows


def test_rows_where(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run"))
    assert rows_of(run, "image", "weather = 'fog' -- why not").tolist() == [0, 2, 4]
    assert rows_of({"image": image_table()}, "image", "id IN (SELECT max(id) FROM image)").tolist() == [3]
    assert rows_of(run, "image", "false").tolist() == []
    assert rows_of(run, "image", "entropy IS NULL OR entropy > 0.5").tolist() == [1, 3]
    for wrong in ("true) OR (true", "true); SELECT (1", "id = 1 ORDER BY id LIMIT 1", ""):
        with pytest.raises(UsageError):
            rows_of(run, "image", wrong)


def test_tables_in_memory() -> None:
    with over_tables({"image": image_table()}) as connection:
        assert answer(connection, "SELECT id FROM image")["id"].to_pylist() == IDS
        with pytest.raises(UsageError, match="outside"):
            answer(connection, "SELECT * FROM read_csv('/etc/passwd')")


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run")
    (place / "image.parquet").write_bytes(b"x")
    with pytest.raises(InputError, match=r"image\.parquet: is not a whole Parquet file"), over_run(open_run(place)):
        pass
