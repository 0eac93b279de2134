"""Results → stdout, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from qm_cli.console import FOREIGN
from qm_cli.errors import InputError

STDOUT = "-"
ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".parquet": "parquet"}


def format_of(output: Path | None) -> str | None:
    """The format that the name of a file to write ends with; None for another, or none.

    >>> format_of(Path("next.CSV")), format_of(Path("next.txt"))
    ('csv', None)
    """
    return None if output is None else ENDINGS.get(output.suffix.lower())


def deliver(content: str | bytes | Iterator[str], output: Path | None) -> None:
    """Write a result to `output`, or in one go to stdout for None and `-`; one that comes in pieces whole or not."""
    if output is not None and str(output) != STDOUT:
        write_whole(content, output)
    elif isinstance(content, Iterator):
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.writelines(content)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout)
    elif isinstance(content, bytes):
        sys.stdout.buffer.write(content)
    else:
        sys.stdout.write(content)


def write_whole(content: str | bytes | Iterator[str], path: Path) -> None:
    """Write a file beside its place and move it in, so that a killed command leaves no half of one."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder", "name a file")
    if path.exists() and not path.is_file():
        with path.open("wb") as there:
            there.writelines(_as_bytes(content))
        return
    fresh = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            fresh = Path(file.name)
            file.writelines(_as_bytes(content))
        fresh.chmod(0o666 & ~_umask())
        fresh.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}", "name another place") from error
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def _as_bytes(content: str | bytes | Iterator[str]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, str):
        yield content.encode(errors=FOREIGN)
    else:
        yield from (piece.encode(errors=FOREIGN) for piece in content)


def _umask() -> int:
    """The permissions new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def named_lines(path: Path | None) -> tuple[str, ...]:
    """The names in a file (or stdin for `-`), one a line; blank lines and the space around a name do not count."""
    if path is None:
        return ()
    try:
        data = sys.stdin.buffer.read() if str(path) == STDOUT else path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}", "name a file with one id or file name a line"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text", "write one id or file name a line") from error
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
