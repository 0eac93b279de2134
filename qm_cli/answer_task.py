"""Whether two files hold answers or geometry: told from their bytes, before anything heavy is loaded."""

from __future__ import annotations

import gzip
import mmap
import re
from pathlib import Path

import pyarrow as pa

from qm_cli import dataset, settings, storage
from qm_cli.errors import UsageError, nearest

CLASSES = ("classification", "multilabel")
TEXT = "text"
TASKS = (*CLASSES, TEXT)
GEOMETRY = (
    *(b'"bbox"', b'"segmentation"', b'"keypoints"', b'"polygon"', b'"polyline"', b'"obb"'),
    *(b'"point"', b'"rotated_box"', b'"rbox"', b'"poly"'),
)
ANSWERS = (
    b'"category_id"',
    b'"category"',
    b'"category_name"',
    b'"label"',
    b'"answer"',
    b'"probs"',
    b'"span"',
    b'"location"',
)
OWN = (b'"answer"', b'"span"')
NAMES = (b'"category"', b'"category_name"', b'"label"')
TABLE_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".npy")
SHAPE = re.compile(rb"(?:" + b"|".join(GEOMETRY) + rb")\s*+:\s*+(?!null|\[\s*\])")
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
ENDS = 1 << 16
UNPACKED = 1 << 20


def asks_answers(task: str | None, labels: Path, predictions: Path) -> bool:
    """Whether answers are to be evaluated: as the task says, else by what the files hold.

    Raises UsageError for what is no task.
    """
    known = (*settings.TASKS, *TASKS)
    if task is not None and task not in known:
        raise UsageError(f"--task: {task!r} is no task", nearest(task, list(known)) or f"there are {', '.join(known)}")
    return task in TASKS or (task is None and holds_answers(labels, predictions))


def holds_answers(labels: Path, predictions: Path) -> bool:
    """Whether neither file names a geometry and one of them names an answer.

    A file that is not there, or a folder, says nothing: the reader of geometry has the words for it.
    """
    if not _readable(predictions) or not _readable(labels):
        return False
    answers = False
    for path in (predictions, labels):
        geometry, answer = _held(path)
        if geometry:
            return False
        answers = answers or answer
    return answers


def beginning(path: Path, folder: Path) -> Path:
    """The file itself; of a packed one its beginning, unpacked into the folder."""
    with path.open("rb") as file:
        head = file.read(len(PACKED[0]) + 2)
    if not head.startswith(PACKED):
        return path
    target = folder / "beginning"
    target.write_bytes(_unpacked(path, head))
    return target


def document_of_answers(path: Path) -> bool:
    """Whether a plain JSON document names no geometry, and its data rows or answers as no COCO file does."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if _shaped(whole):
            return False
        return _names(whole, (b'"data_rows"', b'"data_row_id"', *OWN)) or (
            _names(whole, NAMES) and not _names(whole, (b'"category_id"',))
        )


def _readable(path: Path) -> bool:
    return path == dataset.STDIN or (storage.exists(path) and not storage.is_folder(path))


def _held(path: Path) -> tuple[bool, bool]:
    """Whether the file names a geometry, and whether it names an answer."""
    place = dataset.on_disk(path)
    plain_name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    with place.open("rb") as file:
        head = file.read(ENDS)
        if head.startswith(PACKED):
            content = _unpacked(place, head)
            return _shaped(content), _names(content, ANSWERS) or plain_name.endswith(TABLE_ENDINGS)
        if head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
            file.seek(max(place.stat().st_size - ENDS, 0))
            schema = head + file.read()
            return any(key.strip(b'"') in schema for key in GEOMETRY[:3]), True
        if head.startswith(b"\x93NUMPY"):
            return False, True
        if _shaped(head):
            return True, False
        if plain_name.endswith(TABLE_ENDINGS):
            return False, True
        if len(head) < ENDS:
            return False, _names(head, ANSWERS)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return _shaped(whole), _names(whole, ANSWERS)


def _names(content: bytes | mmap.mmap, keys: tuple[bytes, ...]) -> bool:
    return any(content.find(key) >= 0 for key in keys)


def _shaped(content: bytes | mmap.mmap) -> bool:
    """Whether a geometry is there that is neither null nor an empty list."""
    return _names(content, GEOMETRY) and SHAPE.search(content) is not None


def _unpacked(path: Path, head: bytes) -> bytes:
    """The beginning of a packed file; nothing of a damaged one."""
    try:
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as packed:
                return packed.read(UNPACKED)
        with pa.CompressedInputStream(str(path), "zstd") as stream:
            content: bytes = stream.read(UNPACKED)
            return content
    except (OSError, EOFError):
        return b""
