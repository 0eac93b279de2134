"""A task as data: image files by name, the functions to call on each, and what they gave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field
from msgspec.structs import replace

from qm_cli.catalog import module_from_file
from qm_cli.decode import PIXEL_LIMIT
from qm_cli.errors import MetricError

PIXELS = "pixels"


class Function(Struct, frozen=True):
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


class Call(Struct, frozen=True):
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
    vector: bool = False

    def part(self, first: int, last: int) -> Call:
        """The call on the samples from `first` to before `last`."""
        inputs = tuple(value[first:last] if isinstance(value, np.ndarray) else value for value in self.inputs)
        return replace(self, inputs=inputs)


class Objects(Struct, frozen=True):
    """The objects of a shard: offsets int64[images + 1], boxes float64[n, 4], shapes of each (see `pixels.crop`)."""

    offsets: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    shapes: Sequence[Any] | None

    def part(self, first: int, last: int) -> Objects:
        """The objects of the images from `first` to before `last`."""
        begin, end = int(self.offsets[first]), int(self.offsets[last])
        shapes = None if self.shapes is None else self.shapes[begin:end]
        return Objects(self.offsets[first : last + 1] - begin, self.boxes[begin:end], shapes)


class Access(Struct, frozen=True):
    """pixel_limit: images with more pixels are not decoded. outside: names and links may leave the image folder."""

    pixel_limit: int = PIXEL_LIMIT
    outside: bool = False


class Task(Struct, frozen=True):
    """Images of one folder: their file names (None: not known) and sizes float64[images, 2] as the labels have them.

    Without calls only the sizes are read. objects: by level, for the levels the calls ask for.
    """

    folder: str
    names: Sequence[str | None]
    sizes: npt.NDArray[np.float64]
    calls: tuple[Call, ...] = ()
    objects: Mapping[str, Objects] = field(default_factory=dict)
    access: Access = field(default_factory=Access)

    def part(self, first: int, last: int) -> Task:
        """The task of the images from `first` to before `last`."""
        objects = {level: one.part(first, last) for level, one in self.objects.items()}
        bounds = {"image": (first, last)}
        bounds |= {level: (int(one.offsets[first]), int(one.offsets[last])) for level, one in self.objects.items()}
        calls = tuple(call.part(*bounds[call.level]) for call in self.calls)
        sizes = self.sizes[first:last]
        return Task(self.folder, self.names[first:last], sizes, calls, objects, self.access)

    def halves(self) -> tuple[Task, Task] | None:
        """The task in two; None for a single image."""
        count = len(self.names)
        return (self.part(0, count // 2), self.part(count // 2, count)) if count > 1 else None

    def joined(self, first: ShardResult, second: ShardResult) -> ShardResult:
        """The result of both halves in their order."""
        columns = {key: [*values, *second.columns[key]] for key, values in first.columns.items()}
        faults = [(image + len(first.sizes), code, detail) for image, code, detail in second.faults]
        return ShardResult(columns, np.concatenate([first.sizes, second.sizes]), [*first.faults, *faults])

    def given_up(self) -> ShardResult:
        """No value for any sample, and a fault for each image: it ends the process that opens it."""
        counts = {"image": len(self.names), **{level: int(one.offsets[-1]) for level, one in self.objects.items()}}
        columns = {(call.level, out): [None] * counts[call.level] for call in self.calls for out in call.outputs}
        faults = [(image, "image-ends-worker", "") for image in range(len(self.names))]
        return ShardResult(columns, np.full((len(self.names), 2), np.nan), faults)


class ShardResult(Struct, frozen=True):
    """columns: (level, column) → a value per sample, None where there is none. sizes: the files', NaN where unread.

    faults: (image of the shard, code of the finding, detail).
    """

    columns: Mapping[tuple[str, str], list[Any]]
    sizes: npt.NDArray[np.float64]
    faults: list[tuple[int, str, str]]
