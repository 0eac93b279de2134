"""Parameter name → own column, another metric's, the parent's, the children's, their runs; and the arrays of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli import schema
from qm_cli.codes import Codes
from qm_cli.errors import MetricError, nearest
from qm_cli.kernels.segments import numbered, offsets_of
from qm_cli.metric import LEVELS
from qm_cli.tables import Tables

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Sources = Mapping[tuple[str, str], Array]
Outputs = Mapping[tuple[str, str], str]
CELLS = ("label", "prediction", "image_category")
PARENTS = ("image", "category")
RELATED: dict[str, tuple[str, ...]] = {
    "image": CELLS,
    "category": CELLS,
    "image_category": ("label", "prediction"),
    "label": ("label", "prediction"),
    "prediction": ("label", "prediction"),
    "dataset": ("image", "category", *CELLS),
}
WHOLE = {("image", "category")}
BY_IMAGE = ("image", "label", "prediction")
FILE_SIZE = ("file_width", "file_height")
GROUPED = ("image", "category", "image_category", "dataset")


class Origin(Struct, frozen=True):
    """Where an input comes from.

    kind: column (a row for each of mine, or flat for `level`'s own rows) | parent (gathered to my rows) | offsets |
    parent_row | count | pixels | absent (optional, and not there). level, name: the column. maker: id of the metric
    that computes it, "" for a column that is given. flat: the rows are not mine.
    """

    kind: str
    level: str = ""
    name: str = ""
    maker: str = ""
    flat: bool = False


class Available(Struct, frozen=True):
    """What a dataset has, by name: enough to plan with, no data.

    contract: per level the columns `schema` knows and those of `sources`; metadata: per level the user's own.
    """

    contract: Mapping[str, frozenset[str]]
    metadata: Mapping[str, frozenset[str]]
    labels: bool = True
    predictions: bool = True
    images: bool = True

    def without(self, level: str) -> str:
        """Why a level has no rows by nature, in words; "" when it can have some."""
        if level == "label" and not self.labels:
            return "needs labels (no label file)"
        if level == "prediction" and not self.predictions:
            return "needs predictions (no prediction file)"
        if level == "image_category" and not (self.labels or self.predictions):
            return "needs labels or predictions"
        return ""


def available(tables: Tables, sources: Sources | None = None, images: bool = False) -> Available:
    """What these tables, further columns and an image folder make available."""
    contract: dict[str, frozenset[str]] = {"image_category": frozenset({"image_row", "category_row"})}
    metadata: dict[str, frozenset[str]] = {}
    for level in (*PARENTS, "label", "prediction"):
        names, known = set(tables.table(level).column_names), schema.known_columns(level)
        contract[level] = frozenset(names & known.keys())
        metadata[level] = frozenset(names - known.keys())
    contract["image"] |= frozenset(FILE_SIZE if images else ())
    for level, name in sources or {}:
        contract[level] = contract.get(level, frozenset()) | {name}
    return Available(contract, metadata, tables.has_labels, tables.has_predictions, images)


def resolve(name: str, level: str, have: Available, outputs: Outputs, asking: str = "") -> Origin | None:
    """Where column `name` comes from for a metric of `level`; None when it is nowhere.

    outputs: (level, column) → id of the metric that computes it. asking: id of the metric that asks; it never feeds
    itself. Order: own column, another metric's, the user's metadata, the parent's, the children's.
    Raises MetricError when two related levels offer the name.
    """
    if name == "pixels":
        return Origin("pixels")
    own = _at(name, level, have, outputs, asking) or _structure(name, level)
    if own:
        return own
    found = [origin for other in LEVELS if (origin := _across(name, level, other, have, outputs, asking))]
    if len(found) > 1:
        offers = " and ".join(f"{origin.level}.{origin.name}" for origin in found)
        raise MetricError(f"metric {asking}: `{name}` can be read as {offers}", "rename one of the columns")
    return found[0] if found else None


def _at(name: str, level: str, have: Available, outputs: Outputs, asking: str) -> Origin | None:
    """A column with a row for each row of `level`: given, computed, or the user's metadata, in this order."""
    if name in have.contract.get(level, ()):
        return Origin("column", level, name)
    maker = outputs.get((level, name), asking)
    if maker != asking:
        return Origin("column", level, name, maker)
    return Origin("column", level, name) if name in have.metadata.get(level, ()) else None


def _structure(name: str, level: str) -> Origin | None:
    """Counts and runs that follow from the tables alone."""
    if name == "row_count":
        return Origin("count", level)
    if name == "offsets" and level in ("label", "prediction"):
        return Origin("offsets", level)
    for other in LEVELS:
        if name == f"{other}_row_count":
            return Origin("count", other)
        if other in RELATED[level] and name == f"{other}_offsets" and level in BY_IMAGE:
            return Origin("offsets", other)
        if other in RELATED[level] and name == f"{other}_parent_row" and level in GROUPED:
            return Origin("parent_row", other)
    return None


def _across(name: str, level: str, other: str, have: Available, outputs: Outputs, asking: str) -> Origin | None:
    """`other_x`: the parent's x, gathered, or a related level's x, flat; an image sees all categories."""
    prefix, column = f"{other}_", name.removeprefix(f"{other}_")
    gathered = level in CELLS and other in PARENTS
    if not name.startswith(prefix) or not (gathered or other in RELATED[level] or (level, other) in WHOLE):
        return None
    origin = _at(column, other, have, outputs, asking)
    if origin is None:
        return None
    kind = "parent" if gathered else "column"
    return Origin(kind, other, column, origin.maker, flat=not gathered)


def lacking(name: str, level: str, have: Available) -> str:
    """Why this dataset cannot have column `name`, though others can; "" when it never could."""
    if name == "pixels":
        return "" if have.images else "needs images"
    across = [other for other in LEVELS if name.startswith(f"{other}_")]
    for home, column in [(level, name), *((other, name.removeprefix(f"{other}_")) for other in across)]:
        if have.without(home):
            return have.without(home)
        if home == "image" and column in FILE_SIZE and not have.images:
            return "needs images"
        if column in ("probs", "logits") and home == "prediction":
            return f"needs class probabilities (`{column}`)"
        if column in schema.EVALUATED.get(home, {}):
            other = "prediction" if home == "label" else "label"
            probable = " and class probabilities (`probs`)" if column in schema.PROBABLE else ""
            return have.without(other) or f"needs labels and predictions with boxes{probable}"
        known = schema.known_columns(home) if home in schema.TABLES else {}
        if column in known:
            return f"needs {home}.{column}, which the dataset does not have"
    return ""


def unknown(name: str, level: str, have: Available, outputs: Outputs) -> str:
    """The nearest names to one that nobody knows, as a hint."""
    names = ["pixels", "row_count", "offsets"]
    for other in (level, *LEVELS):
        prefix = "" if other == level else f"{other}_"
        columns = {*have.contract.get(other, ()), *have.metadata.get(other, ())}
        columns |= {column for at, column in outputs if at == other}
        names += [prefix + column for column in sorted(columns)]
        names += [f"{other}_offsets", f"{other}_parent_row"]
    return nearest(name, names) or "`qm metrics` lists what there is"


class Cells(Struct, frozen=True):
    """The image_category table: one row per (image, category) with a label or prediction, sorted; int32[cells] each."""

    image_row: npt.NDArray[np.int32]
    category_row: npt.NDArray[np.int32]
    label: Rows
    prediction: Rows


def cells_of(tables: Tables) -> Cells:
    """The filled cells, and the cell of each label and prediction as int64 rows."""
    categories = np.int64(max(tables.count("category"), 1))
    keys = [
        tables.values(level, "image_row").astype(np.int64) * categories + tables.values(level, "category_row")
        for level in ("label", "prediction")
    ]
    filled, cell = numbered(np.concatenate(keys))
    label, prediction = np.split(cell, [len(keys[0])])
    return Cells((filled // categories).astype(np.int32), (filled % categories).astype(np.int32), label, prediction)


class Columns:
    """The arrays behind the names: tables, further sources, what metrics have computed; each made once, read-only."""

    def __init__(self, tables: Tables, sources: Sources | None = None) -> None:
        self.tables = tables
        self._made: dict[tuple[str, str], Array] = {}
        self._codes: dict[tuple[str, str], Codes] = {}
        self._derived: dict[tuple[str, str, str], Array] = {}
        self._cells: Cells | None = None
        for (level, name), values in (sources or {}).items():
            self.add(level, name, np.asarray(values))

    @property
    def cells(self) -> Cells:
        if self._cells is None:
            self._cells = cells_of(self.tables)
        return self._cells

    def count(self, level: str) -> int:
        """Number of rows of a level; 1 for the dataset."""
        if level == "dataset":
            return 1
        return len(self.cells.image_row) if level == "image_category" else self.tables.count(level)

    def add(self, level: str, name: str, values: Array | Codes) -> None:
        """Put a column in place, before any of the tables' with this name and before anyone has read it."""
        if isinstance(values, Codes):
            self._codes[level, name] = values
        else:
            self._made[level, name] = read_only(values)

    def made(self, level: str, name: str) -> Array | Codes:
        """A column as it was put in place."""
        return self._codes[level, name] if (level, name) in self._codes else self.column(level, name)

    def column(self, level: str, name: str) -> Array:
        """A whole column of a level, without a copy; codes as texts."""
        if (level, name) in self._codes and (level, name) not in self._made:
            self._made[level, name] = read_only(np.asarray(self._codes[level, name]))
        if (level, name) in self._made:
            return self._made[level, name]
        if level == "image_category":
            return read_only(getattr(self.cells, name))
        return self.tables.values(level, name)

    def value(self, origin: Origin, level: str) -> Array | int | None:
        """The input a metric of `level` gets from this origin."""
        if origin.kind == "count":
            return self.count(origin.level)
        if origin.kind == "column":
            return self.column(origin.level, origin.name)
        if origin.kind == "parent":
            return self._once((level, origin.level, origin.name), lambda: self._gathered(origin, level))
        if origin.kind == "offsets":
            return self.offsets(origin.level)
        if origin.kind == "parent_row":
            return self._once(("parent_row", level, origin.level), lambda: self._parent_row(level, origin.level))
        return None

    def offsets(self, level: str) -> Rows:
        """Where each image's rows of `level` start, and the last end: int64[images + 1]."""
        if level == "image_category":
            return offsets_of(self.cells.image_row, self.tables.count("image"))
        return read_only(self.tables.offsets(level))

    def _gathered(self, origin: Origin, level: str) -> Array:
        values: Array = self.column(origin.level, origin.name)[self.column(level, f"{origin.level}_row")]
        return values

    def _parent_row(self, level: str, child: str) -> Rows:
        if level == "dataset":
            return np.zeros(self.count(child), np.int64)
        if level == "image_category":
            return self.cells.label if child == "label" else self.cells.prediction
        return self.column(child, f"{level}_row").astype(np.int64)

    def _once(self, key: tuple[str, str, str], make: Callable[[], Array]) -> Array:
        if key not in self._derived:
            self._derived[key] = read_only(make())
        return self._derived[key]


def read_only(values: Array) -> Array:
    """A view of the array that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view
