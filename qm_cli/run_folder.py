"""A run folder on disk: written beside its place and swapped in whole; read back as tables."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from msgspec import Struct

from qm_cli import storage
from qm_cli.dataset import RUN_FOLDER
from qm_cli.errors import InputError, UsageError, nearest, some
from qm_cli.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MANIFEST = "run.json"
SUMMARY = "summary.json"
DEFAULT_NAME = RUN_FOLDER
OLD_SUFFIX = ".old"
STDOUT = "-"
AGAIN = "score the dataset again"


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well, and vanishes when it does not.

    An earlier qm run there is replaced; anything else is refused. A run killed in the middle leaves the old one.
    """
    path = storage.local(path)
    if path.name == STDOUT:
        raise UsageError("-o -: a run folder cannot go to stdout", "name a folder")
    if storage.uri_of(path):
        with tempfile.TemporaryDirectory(prefix="qm-") as folder:
            yield Path(folder)
            storage.send(Path(folder), path, MANIFEST)
        return
    path = path.resolve()
    storage.refuse_no_text(path, "name another place with -o")
    restore(path)
    _refuse_foreign(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.{os.getpid()}.", dir=path.parent))
    except OSError as error:
        raise InputError(f"{path}: cannot write there: {error.strerror}", "name another place with -o") from error
    try:
        yield fresh
        fresh.chmod(0o755)
        _swap_in(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _remove_abandoned(path: Path) -> None:
    """What runs that were killed left beside the place: temporary folders of processes that are no more."""
    for folder in path.parent.glob(f".{path.name}.*.*"):
        number = folder.name.removeprefix(f".{path.name}.").partition(".")[0]
        if number.isdigit() and not _lives(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path}: a file is in the way of the run folder", "name another place with -o")
    if any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise InputError(f"{path}: the folder holds something else than a qm run", "name another place with -o")


def _swap_in(fresh: Path, path: Path) -> None:
    old = old_place(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    fresh.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def old_place(path: Path) -> Path:
    """Where the run at `path`, which may be `.`, stands while a new one takes its place."""
    path = path.resolve()
    return path.parent / (path.name + OLD_SUFFIX)


def restore(path: Path) -> None:
    """Put the old run back when a swap was cut off between its two renames."""
    old = old_place(path)
    if not path.exists() and (old / MANIFEST).is_file():
        os.rename(old, path)  # noqa: PTH104


def _opened(file: Path) -> ParquetFile:
    """A Parquet file of a run. Raises InputError for one that is none."""
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: is not a whole Parquet file", AGAIN) from error


class Run(Struct, frozen=True):
    """A finished run. `model` picks one of several; the base tables and the model's are read as one.

    uri: of what `path` is a copy of, for one in an object store.
    """

    path: Path
    manifest: dict[str, Any]
    model: str | None
    uri: str | None = None

    @property
    def place(self) -> str:
        """Where it is, as users write it."""
        return self.uri or str(self.path)

    @property
    def models(self) -> list[str]:
        return list(self.manifest["models"])

    def files(self, name: str) -> list[Path]:
        """The Parquet files that make up a table: the base one and the model's, as far as they exist."""
        folders = [self.path, *([self.path / self.model] if self.model else [])]
        return [file for folder in folders if (file := folder / f"{name}.parquet").is_file()]

    def table_names(self) -> list[str]:
        folders = [self.path, *([self.path / self.model] if self.model else [])]
        return sorted({file.stem for folder in folders for file in folder.glob("*.parquet")})

    def columns(self, name: str) -> dict[str, pa.Field]:
        """Column name → field (with its notes) of a table, without reading the rows."""
        return {field.name: field for file in self.files(name) for field in _opened(file).schema_arrow}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A table of the run, all columns or the named ones. Unknown names are refused with the nearest."""
        files = self.files(name)
        if not files:
            known = self.table_names()
            raise InputError(
                f"{self.path}: the run has no table {name!r}", nearest(name, known) or f"it has {some(known)}"
            )
        if columns is not None:
            refuse_unknown(columns, list(self.columns(name)), f"{self.path}: table {name}")
        parts = []
        seen: set[str] = set()
        for file in reversed(files):
            opened = _opened(file)
            present = [
                column
                for column in opened.schema_arrow.names
                if column not in seen and (columns is None or column in columns)
            ]
            seen.update(present)
            parts.append(opened.read(columns=present))
        merged = parts[-1]
        for part in parts[:-1]:
            for field in part.schema:
                merged = merged.append_column(field, part[field.name])
        return merged if columns is None else merged.select(columns)

    def changed_inputs(self) -> list[str]:
        """Input files that are there and are not what was scored; a file that was only touched is read to tell."""
        recorded = [entry for entry in self.manifest.get("inputs", {}).values() if "sha256" in entry]
        return [entry["path"] for entry in recorded if Path(entry["path"]).is_file() and _differs(entry)]

    def summary(self) -> dict[str, Any]:
        """The summary of the whole run as it was written."""
        return _read_json(self.path / SUMMARY)

    def evaluation(self) -> dict[str, Any]:
        """The evaluation report of the picked model."""
        reports = self.summary()["models"]
        name = self.model or next(iter(reports), None)
        report: dict[str, Any] | None = reports.get(name)
        if report is None:
            raise InputError(f"{self.path}: the run holds no evaluation", "score a dataset with labels and predictions")
        return report


def _differs(entry: dict[str, Any]) -> bool:
    facts = Path(entry["path"]).stat()
    if facts.st_size != entry["bytes"]:
        return True
    touched: bool = facts.st_mtime_ns != entry["modified"]
    return touched and sha256_of(Path(entry["path"])) != entry["sha256"]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_unknown(names: list[str], known: list[str], where: str) -> None:
    """Raise InputError, with the nearest names, when a column is not among the known ones."""
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = nearest(unknown[0], known) or f"it has {some(known)}"
        raise InputError(f"{where}: no column {unknown[0]!r}", hint)


def is_run(path: Path) -> bool:
    """Whether `path` is a run folder (or one whose swap was cut off)."""
    path = storage.local(path)
    if storage.uri_of(path):
        return storage.is_file(path / MANIFEST)
    restore(path)
    return (path / MANIFEST).is_file()


def open_run(path: Path, model: str | None = None) -> Run:
    """The run at `path`. With several models one must be named; with one, it is the default."""
    path = storage.local(path)
    if not is_run(path):
        inside = path / DEFAULT_NAME
        if is_run(inside):
            return open_run(inside, model)
        raise InputError(f"{storage.shown(path)}: no qm run there", "make one with: qm score DATASET")
    uri = storage.uri_of(path)
    if uri:
        path = _fetched(uri)
    storage.refuse_no_text(path, "rename it")
    manifest = _read_json(path / MANIFEST)
    if manifest.get("schema_version") != SCHEMA_VERSION:
        found = manifest.get("schema_version")
        raise InputError(
            f"{path}: written by another version of qm (schema {found}, not {SCHEMA_VERSION})",
            AGAIN,
        )
    return Run(path, manifest, _picked(path, manifest["models"], model), uri)


@cache
def _fetched(uri: str) -> Path:
    """A copy of a run in an object store, for as long as this process lives."""
    folder = Path(tempfile.mkdtemp(prefix="qm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    storage.fetch_folder(uri, folder)
    return folder


def _picked(path: Path, models: list[str], model: str | None) -> str | None:
    """The model whose subfolder to read; None where the run has one model or none, whose tables stand at the top."""
    if model is not None and model not in models:
        raise InputError(
            f"{path}: the run has no model {model!r}", nearest(model, models) or f"it has {', '.join(models) or 'none'}"
        )
    return model if len(models) > 1 else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", AGAIN) from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {error}", AGAIN) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: cannot be read: it holds no JSON object", AGAIN)
    return content
