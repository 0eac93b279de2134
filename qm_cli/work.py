"""Doing a task, in whatever process: each image file is opened once and every function called on it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from qm_cli import storage
from qm_cli.catalog import told
from qm_cli.errors import InputError, MetricError, UsageError
from qm_cli.heap import keep_freed
from qm_cli.image_task import PIXELS, Call, Function, ShardResult, Task
from qm_cli.metric import Metric
from qm_cli.pixels import Pixels, crop, one_thread, pixels_of, size_of

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]
Work = TypeVar("Work")
Done = TypeVar("Done")
ALOUD = nullcontext()


class Backend(Protocol):
    """An ordered map: results come in the order of the tasks; progress hears how many are done, of how many."""

    @property
    def workers(self) -> int: ...

    def map(
        self, function: Callable[[Work], Done], tasks: Sequence[Work], progress: Progress | None = None
    ) -> Iterator[Done]: ...


def do(task: Task) -> ShardResult:
    """Open each file once and call every function on it. Raises MetricError for a function that fails."""
    columns: dict[tuple[str, str], list[Any]] = {(call.level, out): [] for call in task.calls for out in call.outputs}
    result = ShardResult(columns, np.full((len(task.names), 2), np.nan), [])
    keep_freed()
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
    content = _content(task, image, name, result)
    if content is None:
        return None
    width, height = (float(value) for value in task.sizes[image])
    size = None if np.isnan(width + height) else (width, height)
    try:
        pixels = pixels_of(content, size, task.access.pixel_limit) if task.calls else None
        result.sizes[image] = (pixels.width, pixels.height) if pixels else size_of(content, size)
    except InputError as error:
        result.faults.append((image, "image-unreadable", error.message))
        return None
    if size and size != tuple(result.sizes[image]):
        found = "{:g} × {:g} in the file".format(*result.sizes[image])
        result.faults.append((image, "image-size-differs", f"{width:g} × {height:g} in the labels, {found}"))
    return pixels


def _content(task: Task, image: int, name: str | None, result: ShardResult) -> bytes | None:
    """The file's bytes; None, and why, when there is no such file, it may not be read or lies outside of the folder."""
    code, detail = "image-missing-file", "" if name else "no file name"
    if name and not task.access.outside and not storage.is_inside(task.folder, name):
        code = "image-outside-folder"
    elif name:
        try:
            return storage.read(task.folder, name)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            pass
        except (OSError, ValueError) as error:
            code, detail = "image-unreadable", getattr(error, "strerror", None) or " ".join(str(error).split())
    result.faults.append((image, code, detail))
    return None


def _measure(task: Task, image: int, pixels: Pixels | None, result: ShardResult) -> None:
    """Call every function on the image and on its objects, in the order of their rows."""
    of_image = [call for call in task.calls if call.level == "image"]
    _append(of_image, image, image, pixels, task.names[image], result)
    for level, objects in task.objects.items():
        calls = [call for call in task.calls if call.level == level]
        for row in range(objects.offsets[image], objects.offsets[image + 1]):
            shape = objects.shapes[row] if objects.shapes is not None else None
            part = crop(pixels, objects.boxes[row], shape) if pixels else None
            _append(calls, image, row, part, task.names[image], result)


def _append(
    calls: Sequence[Call], image: int, row: int, pixels: Pixels | None, name: str | None, result: ShardResult
) -> None:
    """A value for each output, None without pixels, and where memory does not suffice, which is a fault."""
    for call in calls:
        values = [None] * len(call.outputs)
        try:
            values = values if pixels is None else _called(call, row, pixels, name)
        except MemoryError:
            result.faults.append((image, "image-unreadable", f"not enough memory for {call.metric}"))
        for output, value in zip(call.outputs, values, strict=True):
            result.columns[call.level, output].append(value)


def _called(call: Call, row: int, pixels: Pixels, name: str | None) -> list[Any]:
    """One sample's value for each output."""
    inputs = [_of_row(value, row, pixels) for value in call.inputs]
    try:
        with ALOUD if call.built_in else quiet(False):
            given = call.function.call(*inputs, **call.options)
    except MemoryError:
        raise
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
