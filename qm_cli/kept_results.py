"""What a pass over image files measured, kept under a key of content, so that another run takes it up.

A key says all that a result depends on: the file (name, size, time), what the labels say of the image, the metrics with
their options, and the code that computes them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from qm_cli import __version__
from qm_cli.errors import InputError, UsageError
from qm_cli.image_task import Call, ShardResult, Task
from qm_cli.storage import local, stamps, uri_of

SUFFIX = ".msgpack"
FOLDER = ".parts"
"""In the run folder; beside its place while a run is under way."""
VECTOR = 1
"""Extension code of a float32 vector."""
OUR_CODE = ("decode.py", "pixels.py", "work.py", "kernels/*.py", "metrics/*.py")
PACKAGES = ("numpy", "cv2", "PIL")
KEY_BYTES = 16
SETTLED = ("image-size-differs",)
"""Faults that stay while the file does. All others (missing, not allowed, out of memory) may be gone next time."""
Header = list[tuple[str, str]]
Entry = tuple[bytes, msgspec.Raw]


@dataclass
class Kept:
    """place: the folder results are written to, one file for each task that is done. earlier: folders to look into.

    Memory holds where each result lies, not the results.
    """

    place: Path
    earlier: Sequence[Path] = ()
    _files: dict[bytes, Path] = field(default_factory=dict, repr=False)
    _open: tuple[Path, Header, dict[bytes, msgspec.Raw]] | None = field(default=None, repr=False)
    _passing: int = 0

    def __post_init__(self) -> None:
        for folder in (*self.earlier, self.place):
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                self._files.update((key, path) for key in self._entries(path)[1] if len(key) == KEY_BYTES)

    def keys(self, task: Task) -> list[bytes | None]:
        """A key for each image; None for one whose file is not there, of which nothing is worth keeping."""
        calls = _digest(_code(), task.access, *(_call_facts(call) for call in task.calls))
        files = stamps(task.folder, task.names)
        return [
            None if file is None else _digest(calls, task.folder, task.names[image], file, *_image_facts(task, image))
            for image, file in enumerate(files)
        ]

    def known(self, keys: Sequence[bytes | None]) -> list[bool]:
        """What was measured under each key before; what other folders hold is copied to `place`, then complete."""
        elsewhere: dict[Path, list[bytes]] = {}
        for key in keys:
            if key in self._files and self._files[key].parent != self.place:
                elsewhere.setdefault(self._files[key], []).append(key)
        for path, wanted in elsewhere.items():
            columns, entries = self._entries(path)
            self._write(columns, [(key, entries[key]) for key in dict.fromkeys(wanted)])
        return [key in self._files for key in keys]

    def keep(self, keys: Sequence[bytes | None], results: Sequence[ShardResult]) -> list[bytes]:
        """Write the results of a task's images to one file that appears whole; the keys to take them by.

        What may be otherwise next time has a key for this pass only.
        """
        columns = list(results[0].columns) if results else []
        names = [self._key(key, result) for key, result in zip(keys, results, strict=True)]
        self._write(columns, [(key, _raw(columns, one)) for key, one in zip(names, results, strict=True)])
        return names

    def result(self, key: bytes) -> ShardResult:
        """What is kept under a key."""
        columns, entries = self._entries(self._files[key])
        return _result(columns, entries[key])

    def _key(self, key: bytes | None, result: ShardResult) -> bytes:
        if key is not None and all(code in SETTLED for _, code, _ in result.faults):
            return key
        self._passing += 1
        return self._passing.to_bytes(KEY_BYTES // 2, "big")

    def _entries(self, path: Path) -> tuple[Header, dict[bytes, msgspec.Raw]]:
        """The columns and results of a file; the last one that was read stays in memory."""
        if self._open is None or self._open[0] != path:
            columns, entries = _read(path)
            self._open = (path, columns, dict(entries))
        return self._open[1:]

    def _write(self, columns: Header, entries: list[Entry]) -> None:
        if not entries:
            return
        self.place.mkdir(parents=True, exist_ok=True)
        path = self.place / f"{_digest(*(key for key, _ in entries)).hex()}{SUFFIX}"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.msgpack.encode((columns, entries)))
        unfinished.replace(path)
        self._open = None
        self._files.update((key, path) for key, _ in entries)


def kept_for(path: Path, resume: bool) -> Kept | None:
    """Where a run to `path` keeps what it measures; to resume, with what an earlier run, finished or killed, has kept.

    None for a run that goes to an object store.
    """
    path = local(path)
    if uri_of(path):
        if resume:
            raise UsageError("--resume: the run folder is not on this machine", "write to a local folder, then copy it")
        return None
    path = path.resolve()
    beside = path.with_name(f".{path.name}{FOLDER}")
    if not resume:
        shutil.rmtree(beside, ignore_errors=True)
    return Kept(beside, (path / FOLDER,) if resume else ())


def settle(kept: Kept | None, run: Path) -> None:
    """Move what was kept into the run folder it belongs to."""
    if kept is not None and kept.place.is_dir():
        kept.place.rename(run / FOLDER)


def _read(path: Path) -> tuple[Header, list[Entry]]:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=tuple[Header, list[Entry]])
    except (msgspec.DecodeError, OSError) as error:
        raise InputError(f"{path}: cannot be read: {error}", "remove it, or run without --resume") from error


def _raw(columns: Header, result: ShardResult) -> msgspec.Raw:
    values = [result.columns[column] for column in columns]
    faults = [(code, detail) for _, code, detail in result.faults]
    return msgspec.Raw(msgspec.msgpack.encode((values, result.sizes[0].tolist(), faults), enc_hook=_vector_out))


def _result(columns: Header, raw: msgspec.Raw) -> ShardResult:
    values, size, faults = msgspec.msgpack.decode(raw, ext_hook=_vector_in)
    by_name = dict(zip(columns, values, strict=True))
    return ShardResult(by_name, np.array([size], np.float64), [(0, code, detail) for code, detail in faults])


def _vector_out(value: Any) -> msgspec.msgpack.Ext:
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return msgspec.msgpack.Ext(VECTOR, value.tobytes())
    raise TypeError(f"a metric gave {type(value).__name__}")


def _vector_in(code: int, content: memoryview) -> Any:
    return np.frombuffer(content, np.float32)


def parts_of(task: Task, result: ShardResult) -> list[ShardResult]:
    """The result of each image of a task."""
    faults: dict[int, list[tuple[int, str, str]]] = {}
    for image, code, detail in result.faults:
        faults.setdefault(image, []).append((0, code, detail))
    bounds = {level: one.offsets.tolist() for level, one in task.objects.items()}
    bounds["image"] = list(range(len(task.names) + 1))
    return [
        ShardResult(
            {key: values[bounds[key[0]][n] : bounds[key[0]][n + 1]] for key, values in result.columns.items()},
            result.sizes[n : n + 1],
            faults.get(n, []),
        )
        for n in range(len(task.names))
    ]


def _call_facts(call: Call) -> Any:
    """Which function, with which options; of a user's, its whole file."""
    code = getattr(call.function.call, "__code__", None)
    text = b""
    if code is not None and not call.built_in:
        file = Path(code.co_filename)
        text = file.read_bytes() if file.is_file() else code.co_code
    inputs = [None if isinstance(value, np.ndarray) else value for value in call.inputs]
    files = [_stamp(value) for value in call.options.values() if isinstance(value, str) and ":" in value]
    return [call.metric, call.outputs, sorted(call.options.items()), text, inputs, files]


def _stamp(option: str) -> Any:
    """Size and time of the file that an option names, as in onnx:FILE."""
    path = Path(option.partition(":")[2])
    return (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None


def _image_facts(task: Task, image: int) -> list[Any]:
    """What the labels say of the image and its objects, and what the calls read of them."""
    facts: list[Any] = [task.sizes[image].tobytes()]
    rows = {"image": slice(image, image + 1)}
    for level, one in task.objects.items():
        rows[level] = slice(int(one.offsets[image]), int(one.offsets[image + 1]))
        facts += [one.boxes[rows[level]].tobytes(), None if one.shapes is None else one.shapes[rows[level]]]
    for call in task.calls:
        arrays = (value[rows[call.level]] for value in call.inputs if isinstance(value, np.ndarray))
        facts += [array.tolist() if array.dtype == object else array.tobytes() for array in arrays]
    return facts


@cache
def _code() -> bytes:
    """All that computes built-in metrics: this package's code and the packages that decode."""
    here = Path(__file__).parent
    ours = [path.read_bytes() for pattern in OUR_CODE for path in sorted(here.glob(pattern))]
    specs = [importlib.util.find_spec(name) for name in PACKAGES]
    theirs = [Path(spec.origin).stat() for spec in specs if spec and spec.origin]
    return _digest(__version__, *ours, *((one.st_size, one.st_mtime_ns) for one in theirs))


def _digest(*facts: Any) -> bytes:
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).digest()
