"""qm query from the command line: formats, and errors in one line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from qm_cli.main import run
from tests.made_run import IDS, write_run

Captured = pytest.CaptureFixture[str]
TABLE = """\
id    file_name     odd
10        a.jpg       –
9         b.jpg  1.0000
2      c, d.jpg       –

"""


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(write_run(tmp_path / "run"))


def test_table(place: str, capsys: Captured) -> None:
    assert run(["query", place, "SELECT id, file_name, odd FROM image LIMIT 3"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown] == [line.split() for line in TABLE.splitlines()]


def test_csv_and_json(place: str, capsys: Captured) -> None:
    sql = "SELECT id, odd, 'nan'::DOUBLE AS none FROM image LIMIT 2"
    assert run(["query", place, sql, "--format", "csv"]) == 0
    assert capsys.readouterr().out == "id,odd,none\n10,,\n9,1,\n"
    expected = [{"id": 10, "odd": None, "none": None}, {"id": 9, "odd": 1.0, "none": None}]
    assert run(["query", place, sql, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert run(["query", place, sql, "--format", "jsonl"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == expected


def test_files_and_stdin(place: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "ids.parquet"
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT id FROM image"))
    assert run(["query", place, "-", "--format", "parquet", "-o", str(out)]) == 0
    assert pq.read_table(out)["id"].to_pylist() == IDS
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [("n.csv", "id,n\n7,1\n"), ("n.jsonl", '{"id":7,"n":1}\n'), ("n.json", None), ("n.parquet", None)],
)
def test_a_file_is_written_as_its_name_says(place: str, tmp_path: Path, name: str, text: str | None) -> None:
    out = tmp_path / name
    assert run(["query", place, "SELECT 7 AS id, 1 AS n", "-o", str(out)]) == 0
    if text is not None:
        assert out.read_text() == text
    elif name.endswith("json"):
        assert json.loads(out.read_text()) == [{"id": 7, "n": 1}]
    else:
        assert pq.read_table(out).to_pylist() == [{"id": 7, "n": 1}]


def test_a_long_table_tells_of_the_rest(place: str, capsys: Captured) -> None:
    assert run(["query", place, "SELECT * FROM range(1003) t(n)"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1002
    assert shown.err == "qm: 3 more rows: --format csv gives all\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["SELECT entropi FROM image"], "did you mean entropy"),
        (["SELECT * FROM read_csv('/etc/passwd')"], "outside the run"),
        (["DROP VIEW image"], "only reads"),
        (["SELECT 1", "--format", "parquet"], "-o"),
        (["SELECT 1", "-o", "x.txt"], "--format"),
        (["SELECT 1", "--json", "--format", "csv"], "differ"),
        (["SELECT 1", "--format", "xml"], "xml"),
    ],
)
def test_refused_in_one_line(place: str, capsys: Captured, arguments: list[str], told: str) -> None:
    assert run(["query", place, *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert told in shown.err


def test_a_closed_pipe_ends_quietly(place: str) -> None:
    for shape in ("table", "csv"):
        command = [sys.executable, "-m", "qm_cli", "query", place, "FROM range(900000)", "--format", shape, "-q"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 0
