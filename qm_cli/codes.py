"""A column of few texts, kept as the place of each text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

CodeArray = npt.NDArray[np.int8]


class Codes(Struct, frozen=True, eq=False):
    """place: of each row's text in `names`, −1 for none: int8[n]. As an array it is the texts, None for none."""

    place: CodeArray
    names: tuple[str, ...]

    dtype = np.dtype(object)

    def __len__(self) -> int:
        return len(self.place)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[np.object_]:
        return np.array([*self.names, None], object)[self.place]

    def tolist(self) -> list[str | None]:
        texts: list[str | None] = np.asarray(self).tolist()
        return texts

    def counts(self) -> dict[str | None, int]:
        """How often each text stands there, None among them, without those that never do."""
        counts = np.bincount(self.place.astype(np.int64) + 1, minlength=len(self.names) + 1).tolist()
        return {name: count for name, count in zip((None, *self.names), counts, strict=True) if count}
