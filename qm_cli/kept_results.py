"""What a pass over image files measured, kept under a key of content, so that another run takes it up.

A key says all that a result depends on: the file (name, size, time), what the labels say of the image, the metrics with
their options, and the code that computes them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from qm_cli import __version__
from qm_cli.errors import InputError, UsageError
from qm_cli.image_task import Call, ShardResult, Task
from qm_cli.storage import stamps, uri_of

SUFFIX = ".msgpack"
FOLDER = ".parts"
"""In the run folder; beside its place while a run is under way."""
VECTOR = 1
"""Extension code of a float32 vector."""
OUR_CODE = ("decode.py", "pixels.py", "work.py", "kernels/*.py", "metrics/*.py")
PACKAGES = ("numpy", "cv2", "PIL")
Entry = tuple[bytes, msgspec.Raw]


@dataclass
class Kept:
    """place: the folder results are written to, one file for each task that is done. earlier: folders to look into."""

    place: Path
    earlier: Sequence[Path] = ()
    _known: dict[bytes, msgspec.Raw] = field(default_factory=dict, repr=False)
    _written: set[bytes] = field(default_factory=set, repr=False)
    """Keys of what lies in `place`."""

    def __post_init__(self) -> None:
        for folder in (*self.earlier, self.place):
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                self._known.update(_read(path))
        self._written.update(key for path in sorted(self.place.glob(f"*{SUFFIX}")) for key, _ in _read(path))

    def keys(self, task: Task) -> list[bytes | None]:
        """A key for each image; None for one whose file is not there, of which nothing is worth keeping."""
        calls = _digest(_code(), task.access, *(_call_facts(call) for call in task.calls))
        files = stamps(task.folder, task.names)
        return [
            None if file is None else _digest(calls, task.folder, task.names[image], file, *_image_facts(task, image))
            for image, file in enumerate(files)
        ]

    def found(self, keys: Sequence[bytes | None]) -> list[ShardResult | None]:
        """What was measured under each key; what other folders hold is written to `place`, which is then complete."""
        known = [None if key is None else self._known.get(key) for key in keys]
        pairs = zip(keys, known, strict=True)
        self._write([(key, one) for key, one in pairs if key and one is not None and key not in self._written])
        return [None if one is None else _result(one) for one in known]

    def keep(self, results: Iterable[tuple[bytes | None, ShardResult]]) -> None:
        """Write the results of images that have a key, all to one file that appears whole."""
        self._write([(key, _raw(result)) for key, result in results if key is not None])

    def _write(self, entries: list[Entry]) -> None:
        if entries:
            self.place.mkdir(parents=True, exist_ok=True)
            path = self.place / f"{_digest(*(key for key, _ in entries)).hex()}{SUFFIX}"
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_bytes(msgspec.msgpack.encode(entries))
            unfinished.replace(path)
            self._written.update(key for key, _ in entries)


def kept_for(path: Path, resume: bool) -> Kept | None:
    """Where a run to `path` keeps what it measures; to resume, with what an earlier run, finished or killed, has kept.

    None for a run that goes to an object store.
    """
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


def _read(path: Path) -> list[Entry]:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=list[Entry])
    except (msgspec.DecodeError, OSError) as error:
        raise InputError(f"{path}: cannot be read: {error}", "remove it, or run without --resume") from error


def _raw(result: ShardResult) -> msgspec.Raw:
    columns = [(level, name, values) for (level, name), values in result.columns.items()]
    faults = [(code, detail) for _, code, detail in result.faults]
    return msgspec.Raw(msgspec.msgpack.encode((columns, result.sizes[0].tolist(), faults), enc_hook=_vector_out))


def _result(raw: msgspec.Raw) -> ShardResult:
    columns, size, faults = msgspec.msgpack.decode(raw, ext_hook=_vector_in)
    by_name = {(level, name): values for level, name, values in columns}
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
    text = b"" if call.built_in or code is None else Path(code.co_filename).read_bytes()
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
        facts += [one.boxes[rows[level]].tobytes(), None if one.polygons is None else one.polygons[rows[level]]]
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


def joined(results: Sequence[ShardResult]) -> ShardResult:
    """Results of consecutive images as one, without their columns: sizes and faults."""
    sizes = np.concatenate([result.sizes for result in results]) if results else np.zeros((0, 2))
    starts = np.append(0, np.cumsum([len(result.sizes) for result in results]))
    faults = [
        (int(start) + image, code, detail)
        for start, result in zip(starts, results, strict=False)
        for image, code, detail in result.faults
    ]
    return ShardResult({}, sizes, faults)
