"""What a pass measured, put together sample by sample: columns that take little memory while they grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from qm_cli.image_task import ShardResult

Output = tuple[str, str]
IMAGES_PACKED = 1024
KINDS = {float: pa.float64(), str: pa.string(), bool: pa.bool_(), int: pa.int64()}


class Gathered:
    """(level, column) → a value for each sample, None where there is none; each has the type it was given with."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._packed: dict[Output, list[Any]] = {output: [] for output in outputs}
        self._loose: dict[Output, list[Any]] = {output: [] for output in outputs}
        self._images = 0

    def add(self, result: ShardResult) -> None:
        """Append the samples of a result."""
        for output, values in self._loose.items():
            values.extend(result.columns[output])
        self._images += len(result.sizes)
        if self._images >= IMAGES_PACKED:
            self._pack()

    def __getitem__(self, output: Output) -> list[Any]:
        parts = [part if isinstance(part, list) else part.to_pylist() for part in self._packed[output]]
        return [value for part in (*parts, self._loose[output]) for value in part]

    def _pack(self) -> None:
        for output, values in self._loose.items():
            self._packed[output].append(_packed(values))
        self._loose = {output: [] for output in self._loose}
        self._images = 0


def _packed(values: list[Any]) -> Any:
    """Values of one type as an Arrow array, which gives back the same; all others as they are."""
    kinds = {type(value) for value in values if value is not None}
    kind = KINDS.get(kinds.pop()) if len(kinds) == 1 else None
    if kind is None:
        return values
    try:
        return pa.array(values, kind)
    except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid):
        return values
