"""A task: image files by name and the functions to call on each; and doing it, in whatever process."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from qm_cli.catalog import module_from_file, told
from qm_cli.errors import InputError, MetricError, UsageError
from qm_cli.metric import Metric
from qm_cli.pixels import Pixels, crop, one_thread, open_pixels, size_of

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]
Work = TypeVar("Work")
Done = TypeVar("Done")
PIXELS = "pixels"


class Backend(Protocol):
    """An ordered map: results come in the order of the tasks; progress hears how many are done, of how many."""

    @property
    def workers(self) -> int: ...

    def map(
        self, function: Callable[[Work], Done], tasks: Sequence[Work], progress: Progress | None = None
    ) -> Iterator[Done]: ...


@dataclass(frozen=True)
class Function:
    """A function that travels between processes by module and name; one from a plugin file by its file as well."""

    call: Callable[..., Any]

    def __reduce__(self) -> tuple[Callable[..., Function], tuple[str, str, str]]:
        file = self.call.__code__.co_filename if hasattr(self.call, "__code__") else ""
        return _found, (self.call.__module__, self.call.__qualname__, file)


def _found(module: str, name: str, file: str) -> Function:
    home: Any
    try:
        home = sys.modules.get(module) or import_module(module)
    except ImportError:
        home = module_from_file(Path(file))
    try:
        return Function(reduce(getattr, name.split("."), home))
    except AttributeError:
        raise MetricError(f"{file}: {name} cannot be found in a worker process", "define it in a .py file") from None


@dataclass(frozen=True)
class Call:
    """A per-sample metric and what it reads.

    inputs: in the order of its parameters: PIXELS, an array with a value for each of the shard's samples, or one value
    for all of them.
    """

    metric: str
    level: str
    function: Function
    outputs: tuple[str, ...]
    inputs: tuple[Any, ...]
    options: Mapping[str, Any]
    built_in: bool
    vector: bool


@dataclass(frozen=True)
class Objects:
    """The objects of a shard: offsets int64[images + 1], boxes float64[n, 4], polygons: parts or None, n of them."""

    offsets: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    polygons: Sequence[Any] | None


@dataclass(frozen=True)
class Task:
    """Images of one folder: their file names (None: not known) and sizes float64[images, 2] as the labels have them.

    Without calls only the sizes are read. objects: by level, for the levels the calls ask for.
    """

    folder: str
    names: Sequence[str | None]
    sizes: npt.NDArray[np.float64]
    calls: tuple[Call, ...] = ()
    objects: Mapping[str, Objects] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardResult:
    """columns: (level, column) → a value per sample, None where there is none. sizes: the files', NaN where unread.

    faults: (image of the shard, code of the finding, detail).
    """

    columns: Mapping[tuple[str, str], list[Any]]
    sizes: npt.NDArray[np.float64]
    faults: list[tuple[int, str, str]]


def do(task: Task) -> ShardResult:
    """Open each file once and call every function on it. Raises MetricError for a function that fails."""
    columns: dict[tuple[str, str], list[Any]] = {(call.level, out): [] for call in task.calls for out in call.outputs}
    result = ShardResult(columns, np.full((len(task.names), 2), np.nan), [])
    with one_thread() if task.calls else nullcontext():
        for image, name in enumerate(task.names):
            pixels = _opened(task, image, name, result) if _wanted(task, image) else None
            if task.calls:
                _measure(task, image, pixels, result)
    return result


def _wanted(task: Task, image: int) -> bool:
    """False for an image without objects when only objects are asked about."""
    of_image = not task.calls or any(call.level == "image" for call in task.calls)
    return of_image or any(one.offsets[image] < one.offsets[image + 1] for one in task.objects.values())


def _opened(task: Task, image: int, name: str | None, result: ShardResult) -> Pixels | None:
    """The image's pixels, its size and what is wrong with it noted; None when there are none or nobody asks."""
    path = _path(task.folder, name)
    if path is None or not path.is_file():
        code = "image-outside-folder" if path is None else "image-missing-file"
        result.faults.append((image, code, "" if name else "no file name"))
        return None
    width, height = (float(value) for value in task.sizes[image])
    size = None if np.isnan(width + height) else (width, height)
    try:
        pixels = open_pixels(path, size) if task.calls else None
        result.sizes[image] = (pixels.width, pixels.height) if pixels else size_of(path, size)
    except InputError as error:
        result.faults.append((image, "image-unreadable", error.message.removeprefix(f"{path}: ")))
        return None
    if size and size != tuple(result.sizes[image]):
        found = "{:g} × {:g} in the file".format(*result.sizes[image])
        result.faults.append((image, "image-size-differs", f"{width:g} × {height:g} in the labels, {found}"))
    return pixels


def _path(folder: str, name: str | None) -> Path | None:
    """The file's place; None when its name leaves the folder. Links are followed, as users link files in."""
    place = Path(os.path.normpath(Path(folder, name or "?/")))
    return place if place.is_relative_to(os.path.normpath(folder)) and "\0" not in (name or "") else None


def _measure(task: Task, image: int, pixels: Pixels | None, result: ShardResult) -> None:
    """Call every function on the image and on its objects, in the order of their rows."""
    of_image = [call for call in task.calls if call.level == "image"]
    _append(of_image, image, pixels, task.names[image], result)
    for level, objects in task.objects.items():
        calls = [call for call in task.calls if call.level == level]
        for row in range(objects.offsets[image], objects.offsets[image + 1]):
            shape = objects.polygons[row] if objects.polygons is not None else None
            part = crop(pixels, objects.boxes[row], shape) if pixels else None
            _append(calls, row, part, task.names[image], result)


def _append(calls: Sequence[Call], row: int, pixels: Pixels | None, name: str | None, result: ShardResult) -> None:
    for call in calls:
        values = [None] * len(call.outputs) if pixels is None else _called(call, row, pixels, name)
        for output, value in zip(call.outputs, values, strict=True):
            result.columns[call.level, output].append(value)


def _called(call: Call, row: int, pixels: Pixels, name: str | None) -> list[Any]:
    """One sample's value for each output."""
    inputs = [_of_row(value, row, pixels) for value in call.inputs]
    try:
        with quiet(call.built_in):
            given = call.function.call(*inputs, **call.options)
    except Exception as error:
        raise failure(call.metric, call.function.call, error, f" on {name}") from error
    values = list(given) if len(call.outputs) > 1 else [given]
    if len(values) != len(call.outputs):
        raise MetricError(f"metric {call.metric}: {len(values)} values for {', '.join(call.outputs)}")
    return [_vector(value, call.metric) if call.vector else _plain(value, call.metric) for value in values]


def _of_row(value: Any, row: int, pixels: Pixels) -> Any:
    if isinstance(value, np.ndarray):
        return value[row]
    return pixels if isinstance(value, str) and value == PIXELS else value


def _plain(value: Any, metric: str) -> Any:
    """A NumPy scalar as Python's own. Raises MetricError for what is no single value."""
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    kind = f"{type(value).__name__} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
    raise MetricError(f"metric {metric}: gives a {kind} for one sample", "return one number, text or None")


def _vector(value: Any, metric: str) -> npt.NDArray[np.float32] | None:
    """A vector of finite numbers. Raises MetricError for anything else but None."""
    if value is None:
        return None
    vector = np.asarray(value)
    if vector.ndim != 1 or vector.dtype != np.float32 or not np.isfinite(vector).all():
        kind = f"{vector.dtype} of shape {vector.shape}"
        raise MetricError(f"metric {metric}: gives {kind} for one sample", "return finite numbers, float32[d], or None")
    return vector


@contextmanager
def quiet(built_in: bool) -> Iterator[None]:
    """A user's function warns nobody meanwhile, and what it prints goes to stderr: stdout is for results."""
    if built_in:
        yield
        return
    with warnings.catch_warnings(action="ignore"), redirect_stdout(sys.stderr):
        yield


def failure(metric: str, function: Callable[..., Any], error: Exception, where: str = "") -> MetricError:
    """What a metric's function raised, with the line of its file."""
    if isinstance(error, UsageError):
        return MetricError(f"metric {metric}: {error.message}", error.hint)
    file = function.__code__.co_filename if hasattr(function, "__code__") else ""
    told_where = f"{Path(file).name}, " if file else ""
    path = Path(file) if file else None
    return MetricError(f"metric {metric} failed{where}: {told_where}{told(error, path)}", "mend the metric")


def call_of(metric: Metric, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Call:
    """The call of a metric on inputs that are resolved."""
    function = Function(metric.function)
    return Call(metric.id, metric.level, function, metric.outputs, inputs, options, metric.built_in, metric.vector)
