"""Files on disk, or in an object store by URI (s3://, gs://, file://), which is read through Arrow's filesystems."""

from __future__ import annotations

import atexit
import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from qm_cli.errors import InputError

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, FileSystem

URI = re.compile(r"^[a-z][a-z0-9+.-]+:/")
ONE_SLASH = re.compile(r":/(?!/)")
LONGEST_KEY = 1024
"""Bytes; no store has longer ones."""
FILES_AT_ONCE = 16
Stamp = tuple[int, int]


def uri_of(path: Path | str) -> str | None:
    """The URI a path stands for, None for a path of this machine. `Path` folds the two slashes of a URI into one.

    >>> uri_of(Path("s3://bucket/images")), uri_of(Path("C:/images")), uri_of(Path("images"))
    ('s3://bucket/images', None, None)
    """
    text = str(path)
    if not URI.match(text):
        return None
    return text if "://" in text else ONE_SLASH.sub("://", text).replace("file://", "file:///", 1)


def shown(path: Path | str) -> str:
    """A path as users write it."""
    return uri_of(path) or str(path)


def local(path: Path) -> Path:
    """The path of this machine that a file URI stands for; any other path as it is.

    >>> str(local(Path("file:///data/a%20b"))), str(local(Path("images")))
    ('/data/a b', 'images')
    """
    uri = uri_of(path) or ""
    return Path(unquote(uri.removeprefix("file://"))) if uri.startswith("file:") else path


def is_text(path: Path) -> bool:
    """Whether the whole path is UTF-8 text; DuckDB and Arrow open no other."""
    return not re.search("[\ud800-\udfff]", str(path.absolute()))


def by_text(path: Path) -> Path:
    """The path itself; where it is no UTF-8 text a link to it that is, removed at the end."""
    return path if is_text(path) or not path.exists() else _linked(path.absolute())


@cache
def _linked(path: Path) -> Path:
    folder = tempfile.mkdtemp(prefix="qm-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = Path(folder) / path.name.encode(errors="replace").decode().replace("?", "_")
    link.symlink_to(path)
    return link


def refuse_no_text(path: Path, hint: str) -> None:
    """Raise InputError for a run folder that its tables cannot be opened in."""
    if uri_of(path) is None and not is_text(path):
        raise InputError(f"{path.absolute()}: its name is no UTF-8 text", hint)


def exists(path: Path | str) -> bool:
    """Whether there is such a file or folder. Raises InputError when the store cannot be asked."""
    if uri_of(path) is None:
        return Path(path).exists()
    from pyarrow.fs import FileType

    found: bool = _info(path).type != FileType.NotFound
    return found


def is_file(path: Path | str) -> bool:
    """Whether there is such a file. Raises InputError when the store cannot be asked."""
    found: bool = Path(path).is_file() if uri_of(path) is None else _info(path).is_file
    return found


def is_folder(path: Path | str) -> bool:
    """Whether there is such a folder. Raises InputError when the store cannot be asked."""
    if uri_of(path) is None:
        return Path(path).is_dir()
    from pyarrow.fs import FileType

    found: bool = _info(path).type == FileType.Directory
    return found


def _info(path: Path | str) -> FileInfo:
    uri = str(uri_of(path))
    system, place = _opened(uri)
    return _asked(uri, lambda: system.get_file_info(place))


def file_names(folder: Path | str) -> list[str]:
    """Names of the files in a folder."""
    uri = uri_of(folder)
    if uri is None:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_file()]
    return [name for name, _ in _files(uri, below=False)]


def names_below(uri: str) -> list[str]:
    """Names of all files of a folder of an object store and of the folders below it, relative to it."""
    return [name for name, _ in _files(str(uri_of(uri)), below=True)]


def _files(uri: str, below: bool) -> list[tuple[str, FileInfo]]:
    """The files of a folder of a store, by their names relative to it."""
    from pyarrow.fs import FileSelector

    system, place = _opened(uri)
    found = _asked(uri, lambda: system.get_file_info(FileSelector(place, recursive=below)))
    return [(info.path[len(place) + 1 :], info) for info in found if info.is_file]


def read(folder: str, name: str) -> bytes:
    """The content of a file below a folder. Raises FileNotFoundError, other OSErrors with their reason."""
    with opened(folder, name) as file:
        return file.read()


def opened(folder: str, name: str) -> IO[bytes]:
    """A file below a folder, to read from; from an object store it comes as a whole. Raises what `read` does."""
    uri = uri_of(folder)
    if uri is None:
        path = _place(folder, name)
        kind = os.stat(path).st_mode  # noqa: PTH116
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise OSError(errno.EINVAL, "a pipe or a device, not a file")
        return open(path, "rb", buffering=0)  # noqa: PTH123
    system, place = _opened(uri)
    with system.open_input_file(_key(place, name)) as file:
        return BytesIO(file.read())


def is_inside(folder: str, name: str) -> bool:
    """Whether the file lies below the folder, whatever its name says and whatever it links to."""
    if "\0" in name:
        return False
    if uri_of(folder) is not None:
        return not os.path.normpath(f"/{name}").startswith("/..") and ".." not in name.split("/")
    if name == os.path.basename(name) not in ("", ".", "..") and not os.path.islink(_place(folder, name)):  # noqa: PTH114, PTH119
        return True
    root = os.path.realpath(folder)
    return os.path.realpath(_place(root, name)).startswith(os.path.join(root, ""))  # noqa: PTH118


def _place(folder: str, name: str) -> str:
    return os.path.normpath(os.path.join(folder, name))  # noqa: PTH118


def stamps(folder: str, names: Sequence[str | None]) -> list[Stamp | None]:
    """Size in bytes and time of the last change in nanoseconds of each file, None for one that is not there."""
    uri = uri_of(folder)
    if uri is None:
        return [None if name is None else _stamp(_place(folder, name)) for name in names]
    system, place = _opened(uri)
    keys = [_key(place, name) if name else "" for name in names]
    asked = [key for key in keys if key and "\0" not in key and len(key.encode(errors="replace")) <= LONGEST_KEY]
    infos = dict(zip(asked, _asked(uri, lambda: system.get_file_info(asked)), strict=True))
    found = {key: (info.size, info.mtime_ns or 0) for key, info in infos.items() if info.is_file}
    return [found.get(key) for key in keys]


def _key(place: str, name: str) -> str:
    """Where a file lies in a store; as on disk, `./` and `//` mean nothing."""
    return os.path.normpath(f"{place}/{name}")


def _stamp(path: str) -> Stamp | None:
    try:
        facts = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return facts.st_size, facts.st_mtime_ns


def fetch(path: Path, target: Path) -> None:
    """Copy a file of an object store to this machine. Raises InputError when that fails."""
    uri = str(uri_of(path))
    system, place = _opened(uri)
    _asked(uri, lambda: _copied(system, place, target))


def fetch_folder(uri: str, target: Path) -> None:
    """Copy all files of a folder of an object store to this machine, several at once.

    Raises InputError when that fails, and before anything is copied for a name that leads out of the folder.
    """
    uri = str(uri_of(uri))
    system, _ = _opened(uri)
    files = _files(uri, below=True)
    outside = [name for name, _ in files if not is_inside(str(target), name)]
    if outside:
        raise InputError(f"{uri}: the name {outside[0]!r} leads out of the folder", "rename it")

    def copied(name: str, info: FileInfo) -> None:
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        _asked(uri, lambda: _copied(system, info.path, copy))

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        for _ in pool.map(lambda one: copied(*one), files):
            pass


def _copied(system: FileSystem, place: str, target: Path) -> None:
    with target.open("wb") as file, system.open_input_stream(place) as source:
        shutil.copyfileobj(source, file)


def send(folder: Path, path: Path | str, last: str) -> None:
    """Copy the files of a folder to an object store, the one named `last` at the very end: it says all are there."""
    uri = str(uri_of(path))
    system, place = _opened(uri)
    files = sorted((file for file in folder.rglob("*") if file.is_file()), key=lambda file: (file.name == last, file))
    for file in files:
        name = f"{place}/{file.relative_to(folder).as_posix()}"
        if uri.startswith("file:"):
            system.create_dir(name.rpartition("/")[0], recursive=True)
        _asked(uri, partial(_sent, system, file, name))


def _sent(system: FileSystem, file: Path, place: str) -> None:
    with file.open("rb") as source, system.open_output_stream(place) as target:
        shutil.copyfileobj(source, target)


@cache
def _opened(uri: str) -> tuple[FileSystem, str]:
    from pyarrow.fs import FileSystem

    try:
        system, place = FileSystem.from_uri(uri)
    except (ValueError, OSError, NotImplementedError) as error:
        raise InputError(
            f"{uri}: {_reason(error)}", "write s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or file:///FOLDER"
        ) from error
    return system, place.rstrip("/")


def _asked(uri: str, question: Any) -> Any:
    try:
        return question()
    except OSError as error:
        hint = "check the address, and the credentials in the environment or in ~/.aws"
        raise InputError(f"{uri}: {_reason(error)}", hint) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
