"""Whatever a file is called and packed as → a plain file and its kind, told by its first bytes."""

from __future__ import annotations

import gzip
import shutil
import zlib
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from qm_cli.errors import InputError

GZIP, ZSTD, PARQUET, ARROW, FEATHER_1 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"ARROW1", b"FEA1"
ARROW_STREAM = b"\xff\xff\xff\xff"
COPY_BYTES = 1 << 20


def plain(path: Path, folder: Path, where: str) -> Path:
    """The file itself, or its content unpacked into the folder when it is .gz or .zst. `where` names it in messages."""
    magic = _head(path, where, 4)
    if magic[:2] != GZIP and magic != ZSTD:
        return path
    target = folder / f"{len(list(folder.iterdir()))}-{path.name}.plain"
    try:
        with _opened(path, magic) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, COPY_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        message = f"{where}: damaged archive: {' '.join(str(error).split())[:120]}"
        raise InputError(message, "copy or compress the file again") from None
    return target


def _opened(path: Path, magic: bytes) -> IO[bytes]:
    if magic[:2] == GZIP:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return cast("IO[bytes]", pa.CompressedInputStream(str(path), "zstd"))


def kind(path: Path, where: str) -> str:
    """parquet | arrow | list | object | other: what the first bytes of a plain file say."""
    head = _head(path, where, 1 << 12)
    if head.startswith(PARQUET):
        return "parquet"
    if head.startswith((ARROW, ARROW_STREAM)):
        return "arrow"
    if head.startswith(FEATHER_1):
        raise InputError(f"{where}: Feather version 1 is not read", "write Feather version 2 or Parquet")
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"[": "list", b"{": "object"}.get(first, "other")


def _head(path: Path, where: str, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except IsADirectoryError:
        raise InputError(f"{where}: a folder, not a file", "name the file in it") from None
    except FileNotFoundError:
        raise InputError(f"{where}: no such file", "check the path") from None
    except OSError as error:
        raise InputError(f"{where}: cannot be read: {error.strerror}", "check the path and its permissions") from None
