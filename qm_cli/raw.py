"""What a file holds before it is linked and checked: columns by name, in the file's order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from qm_cli.errors import InputError

Columns = dict[str, pa.Array]


@dataclass
class RawPredictions:
    """columns: image_id, category_id, bbox (list of doubles), score, and what else the file has. `where` names the file."""

    where: str
    columns: Columns

    @property
    def count(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0


@dataclass
class RawLabels:
    """The three arrays of a COCO label file as columns."""

    where: str
    image: Columns
    category: Columns
    label: Columns
    notes: list[str] = field(default_factory=list)


def identifiers(values: list[int | str | None], where: str) -> pa.Array:
    """Ids as int64 or string, as the file has them; a mixture is refused with the position of the first odd one."""
    try:
        return pa.array(values, pa.int64())
    except OverflowError as error:
        raise InputError(f"{where}: an id does not fit 64 bits", "use smaller numbers or strings") from error
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        kind = next(type(value) for value in values if value is not None)
        place = next(n for n, value in enumerate(values) if value is not None and type(value) is not kind)
        message = f"{where}[{place}]: the id {values[place]!r} is not of the same type as the ids before it"
        raise InputError(message, "write all ids as integers or all as strings") from None
