"""A run folder is swapped in whole, never over something else, and read back with clear errors."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli import run_folder
from qm_cli.errors import InputError, UsageError


def write_minimal(folder: Path, models: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"schema_version": 1, "models": models}))
    pq.write_table(pa.table({"id": [1, 2], "brightness": [0.1, 0.2]}), folder / "image.parquet")
    for model in models if len(models) > 1 else []:
        (folder / model).mkdir()
        pq.write_table(pa.table({"id": [1, 2], "entropy": [0.5, len(model)]}), folder / model / "image.parquet")


def test_new_run_replaces_the_old_one(tmp_path: Path) -> None:
    for models in (["a"], ["b"]):
        with run_folder.writing(tmp_path / "run") as fresh:
            write_minimal(fresh, models)
    assert run_folder.open_run(tmp_path / "run").models == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_folder.writing(tmp_path / "run") as fresh:
        write_minimal(fresh, ["a"])
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_swap_cut_off_between_the_renames_is_restored(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run.old", ["a"])
    assert run_folder.is_run(tmp_path / "run")
    assert run_folder.open_run(tmp_path / "run").models == ["a"]
    assert not (tmp_path / "run.old").exists()


def test_swap_cut_off_after_the_renames_leaves_the_new_one(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", ["new"])
    write_minimal(tmp_path / "run.old", ["old"])
    assert run_folder.open_run(tmp_path / "run").models == ["new"]
    with run_folder.writing(tmp_path / "run") as fresh:
        write_minimal(fresh, ["newer"])
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_foreign_folder_or_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    (tmp_path / "file").write_text("x")
    for name, words in (("mine", "something else"), ("file", "in the way")):
        with pytest.raises(InputError, match=words), run_folder.writing(tmp_path / name):
            pass
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with run_folder.writing(tmp_path / "run") as fresh:
        write_minimal(fresh, ["a"])
    assert run_folder.is_run(tmp_path / "run")


def test_model_columns_are_read_beside_the_base(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", ["one", "three"])
    run = run_folder.open_run(tmp_path / "run", "three")
    assert run.table("image").to_pydict() == {"id": [1, 2], "brightness": [0.1, 0.2], "entropy": [0.5, 5]}
    assert run.table("image", ["entropy", "brightness"]).column_names == ["entropy", "brightness"]
    assert run_folder.open_run(tmp_path / "run").table("image").column_names == ["id", "brightness"]


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", ["one", "three"])
    run = run_folder.open_run(tmp_path / "run", "three")
    with pytest.raises(InputError, match="brightness"):
        run.table("image", ["brightnes"])
    with pytest.raises(InputError, match="image"):
        run.table("imag")
    with pytest.raises(InputError, match="three"):
        run_folder.open_run(tmp_path / "run", "thre")


def test_run_inside_a_dataset_is_found(tmp_path: Path) -> None:
    write_minimal(tmp_path / run_folder.DEFAULT_NAME, ["a"])
    assert run_folder.open_run(tmp_path).path == tmp_path / run_folder.DEFAULT_NAME


def test_no_run_and_another_version(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no qm run"):
        run_folder.open_run(tmp_path)
    (tmp_path / "run.json").write_text('{"schema_version": 999, "models": []}')
    with pytest.raises(InputError, match="another version"):
        run_folder.open_run(tmp_path)
    for content in ("{", "[]", "5", ""):
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(InputError, match="cannot be read"):
            run_folder.open_run(tmp_path)


def test_a_link_leads_to_the_run_and_stays(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", ["a"])
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with run_folder.writing(tmp_path / "link") as fresh:
        write_minimal(fresh, ["b"])
    assert (tmp_path / "link").is_symlink()
    assert run_folder.open_run(tmp_path / "link").models == ["b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "run"]


def test_stdout_is_no_place_for_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="stdout"), run_folder.writing(Path("-")):
        pass
    with run_folder.writing(Path()) as fresh:
        write_minimal(fresh, ["a"])
    assert run_folder.open_run(tmp_path / "here").models == ["a"]


def test_the_run_one_stands_in_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_minimal(tmp_path / "run", ["a"])
    monkeypatch.chdir(tmp_path / "run")
    assert run_folder.open_run(Path()).models == ["a"]
    assert run_folder.old_place(Path()).parent == tmp_path
    assert not run_folder.is_run(Path("/"))


def test_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    abandoned, living = tmp_path / f".run.{process.pid}.abc", tmp_path / f".run.{os.getpid()}.abc"
    abandoned.mkdir()
    living.mkdir()
    with run_folder.writing(tmp_path / "run") as fresh:
        write_minimal(fresh, ["a"])
    assert living.is_dir()
    assert not abandoned.exists()


def test_a_table_that_is_no_whole_file_is_named(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", ["m"])
    (tmp_path / "run" / "image.parquet").write_bytes(b"x")
    run = run_folder.open_run(tmp_path / "run")
    for look in (lambda: run.columns("image"), lambda: run.table("image")):
        with pytest.raises(InputError, match=r"image\.parquet: is not a whole Parquet file \(score the dataset again"):
            look()


def test_a_summary_that_is_gone_is_told_of_once(tmp_path: Path) -> None:
    write_minimal(tmp_path / "run", [])
    (tmp_path / "run" / "summary.json").unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"summary\.json: cannot be read: No such file or directory \(score"):
        run_folder.open_run(tmp_path / "run").summary()
