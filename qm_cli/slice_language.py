"""The one slice language: which images, labels and predictions a slice holds.

A slice is said by SQL, by the values of a column, or by a manifest of images. SQL is written over the columns of images
(then the slice holds the images for which it is true, with all their labels and predictions), or over those of labels
and predictions, with their image's beside them (then it holds the labels and the predictions for which it is true).
A name without a level is the image's where images have such a column: `width` is `image.width`. `object.width` is the
label's or prediction's own, `label.width` and `prediction.width` that of one of them alone.
A column that only labels have says nothing of predictions, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.arrays import compute, to_numpy
from qm_cli.errors import InputError, UsageError, nearest
from qm_cli.findings import Finding, finding
from qm_cli.query import Source, over, quoted, rows_numbered
from qm_cli.run_columns import KEYS, MOST_GROUPS
from qm_cli.run_folder import Run
from qm_cli.slice_manifest import NONE, Definition, read_manifest
from qm_cli.slice_rows import (
    SliceRows,
    all_columns,
    coded_column,
    column_of,
    columns_of,
    image_rows,
    joined,
    levels_of,
    rows_of_source,
    shared_names,
)

Mask = npt.NDArray[np.bool_]

IMAGE, OBJECT = "image", "object"
NAMED = re.compile(r"\s*([^=<>!'\"()]+?)\s*=(?!=)\s*(.+)", re.DOTALL)
QUALIFIED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(image|object|label|prediction)\.(\w+)""")
UNKNOWN_COLUMN = "not found in FROM clause"


class Slice(Struct, frozen=True):
    """Members in the row order of the tables: bool[images], bool[labels], bool[predictions].

    level: image, where whole images are in it or not; object, where labels and predictions are. There `labels` or
    `predictions` is None where the condition says nothing of them, and `images` are those with a member.
    """

    name: str
    definition: str
    level: str
    images: Mask
    labels: Mask | None
    predictions: Mask | None

    @property
    def empty(self) -> bool:
        return not self.images.any()


class Slices(Struct, frozen=True):
    """Slices in the order asked for: manifest, conditions, columns; and what was wrong with the manifest."""

    slices: tuple[Slice, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


class Wanted(Struct, frozen=True):
    """What to slice by: a manifest, columns (`weather`, `category`, `label.annotator`), conditions (`dark=brightness <
    0.2`, or the condition alone)."""

    manifest: Path | None = None
    columns: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return self.manifest is None and not self.columns and not self.conditions


def slices_of(source: Source, wanted: Wanted) -> Slices:
    """The slices of a run (of one model), or of tables in memory (see `named_tables`).

    Raises UsageError for SQL that is wrong, unknown columns (with the nearest) and names given twice; InputError for a
    manifest that cannot be used.
    """
    rows = rows_of_source(source)
    findings: list[Finding] = []
    found: list[Slice] = []
    definitions = [parsed_slice(text, all_columns(rows)) for text in wanted.conditions]
    if wanted.manifest is not None:
        named = read_manifest(wanted.manifest)
        findings = _unknown_images(source, named, wanted.manifest)
        definitions = [*named, *definitions]
    with over(source) as connection:
        for one in definitions:
            if one.condition is None:
                found.append(_of_images(rows, one.name, one.text, _listed(source, one)))
            else:
                found.append(_of_condition(connection, rows, one.name, one.condition))
    found = [one for one in found if not (one.empty and one.name.endswith(f"={NONE}"))]
    for column in wanted.columns:
        found += by_column(source, column)
    _refuse_twice([one.name for one in found])
    notes = [f"slice {one.name} has no members" for one in found if one.empty]
    return Slices(tuple(found), tuple(findings), (*_shadowed(rows, definitions, wanted.columns), *notes))


def parsed_slice(text: str, columns: Sequence[str] = ()) -> Definition:
    """`NAME=CONDITION`, or a condition alone, which is its own name; what begins with a column is a condition.

    >>> parsed_slice("dark=brightness < 0.2")
    Definition(name='dark', condition='brightness < 0.2', images=(), rest=False)
    >>> parsed_slice("weather = 'fog'", ["weather"]).name
    "weather = 'fog'"
    """
    match = NAMED.fullmatch(text)
    if match is not None and match.group(1).lower() not in {name.lower() for name in columns}:
        return Definition(match.group(1), condition=match.group(2).strip())
    if not text.strip():
        raise UsageError("an empty slice", 'write NAME=CONDITION: "dark=brightness < 0.2"')
    return Definition(text.strip(), condition=text.strip())


def by_column(source: Source, column: str) -> list[Slice]:
    """A slice `COLUMN=VALUE` for each value of a column, in their order, and one for those without."""
    rows = rows_of_source(source)
    levels, name = levels_of(rows, column)
    said = column if "." in column else quoted(name) if not name.isidentifier() else name
    codes, names = coded_column(source, levels, name)
    if len(names) > MOST_GROUPS:
        raise UsageError(
            f"{column}: has {len(names):,} different values, at most {MOST_GROUPS} go",
            f'name a column of few values, or a slice: --slice "low={name} < 0.2"',
        )
    found = []
    for code, value in [*enumerate(names), (-1, NONE)]:
        members = {level: own == code for level, own in codes.items()}
        if code < 0 and not any(mask.any() for mask in members.values()):
            continue
        text = value.replace("'", "''")
        definition = f"{said} = '{text}'" if code >= 0 else f"{said} IS NULL"
        if levels == ["image"]:
            found.append(_of_images(rows, f"{column}={value}", definition, members["image"]))
        else:
            found.append(_of_objects(rows, f"{column}={value}", definition, members))
    return found


def sorted_by_image(source: Run, slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """A run's slices in the row order of `run_tables.tables_of_run`: labels and predictions by image."""
    wanted = {
        "label": any(one.labels is not None for one in slices),
        "prediction": any(one.predictions is not None for one in slices),
    }
    order = {level: _order_by_image(source, level) for level, is_wanted in wanted.items() if is_wanted}

    def ordered(level: str, mask: Mask | None) -> Mask | None:
        place = order.get(level)
        return mask if mask is None or place is None else mask.take(place)

    return tuple(
        replace(one, labels=ordered("label", one.labels), predictions=ordered("prediction", one.predictions))
        for one in slices
    )


def _order_by_image(source: Run, level: str) -> npt.NDArray[np.int64] | None:
    """The rows of labels or predictions by image; None where they stand so."""
    image_row = image_rows(source, level)
    return None if (image_row[1:] >= image_row[:-1]).all() else np.argsort(image_row, kind="stable")


def _of_images(rows: SliceRows, name: str, definition: str, images: Mask) -> Slice:
    members = {level: images[rows.image_row[level]] for level in rows.objects()}
    return Slice(name, definition, IMAGE, images, members.get("label"), members.get("prediction"))


def _of_objects(rows: SliceRows, name: str, definition: str, members: dict[str, Mask]) -> Slice:
    images = np.zeros(rows.count["image"], bool)
    for level, mask in members.items():
        images[rows.image_row[level][mask]] = True
    return Slice(name, definition, OBJECT, images, members.get("label"), members.get("prediction"))


def _of_condition(connection: duckdb.DuckDBPyConnection, rows: SliceRows, name: str, condition: str) -> Slice:
    """Of images where it is a condition on them, else of labels and predictions, as far as it is one on them."""
    told = QUALIFIED.sub(lambda one: quoted(f"{one[1]}.{one[2]}") if one[1] else one[0], condition)
    refused: list[UsageError] = []

    def members(level: str) -> Mask | None:
        try:
            found = rows_numbered(connection, level, joined(rows, level), told)
        except UsageError as error:
            if UNKNOWN_COLUMN not in error.message:
                raise UsageError(f"slice {name!r}: {error.message}", error.hint) from error
            refused.append(error)
            return None
        mask = np.zeros(rows.count[level], bool)
        mask[found] = True
        return mask

    images = members("image")
    if images is not None:
        return _of_images(rows, name, condition, images)
    objects = {level: mask for level in rows.objects() if (mask := members(level)) is not None}
    if not objects:
        if {"label", "prediction"} <= {one[1] for one in QUALIFIED.finditer(condition)}:
            raise UsageError(
                f"slice {name!r}: no row is a label and a prediction", "name a column that both have: object.width"
            )
        raise UsageError(f"slice {name!r}: {_missing_column(refused)}", _nearest_column(rows, refused))
    return _of_objects(rows, name, condition, objects)


def _shadowed(rows: SliceRows, definitions: Sequence[Definition], columns: Sequence[str]) -> list[str]:
    """Which names could as well have meant a label's or a prediction's column."""
    conditions = [QUALIFIED.sub("", one.condition) for one in definitions if one.condition is not None]
    words = {word.lower() for text in (*conditions, *columns) for word in re.findall(r"[\w.]+", text)}
    return [
        f"{name} is the image's: object.{name} is a label's or prediction's own"
        for name in shared_names(rows)
        if name.lower() in words
    ]


def _missing_column(refused: Sequence[UsageError]) -> str:
    return f"there is no column {_unknown(refused[-1])!r}" if _unknown(refused[-1]) else refused[-1].message


def _unknown(error: UsageError) -> str:
    found = re.search(r'Referenced column "([^"]+)"', error.message)
    return found.group(1) if found else ""


def _nearest_column(rows: SliceRows, refused: Sequence[UsageError]) -> str:
    known = [one for one in all_columns(rows) if one.rpartition(".")[2] not in KEYS]
    return nearest(_unknown(refused[-1]), known) or refused[-1].hint


def _listed(source: Source, definition: Definition) -> Mask:
    """Images whose id or, else, whose file name is listed."""
    wanted = pa.array(definition.images, pa.string())
    mask = np.asarray(
        to_numpy(compute.is_in(column_of(source, "image", "id").cast(pa.string()), value_set=wanted)), bool
    )
    if "file_name" in columns_of(source, "image"):
        mask |= to_numpy(compute.is_in(column_of(source, "image", "file_name"), value_set=wanted))
    return ~mask if definition.rest else mask


def _unknown_images(source: Source, definitions: Sequence[Definition], path: Path) -> list[Finding]:
    named = list(dict.fromkeys(one for definition in definitions for one in definition.images))
    known = set(column_of(source, "image", "id").cast(pa.string()).to_pylist())
    if "file_name" in columns_of(source, "image"):
        known |= set(column_of(source, "image", "file_name").to_pylist())
    unknown = [name for name in named if name not in known]
    if named and len(unknown) == len(named):
        raise InputError(
            f"{path}: none of its {len(named):,} images is in the data (first: {named[0]})",
            "name images by id or file name",
        )
    return finding("slice-unknown-image", unknown, str(path))


def _refuse_twice(names: Sequence[str]) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise UsageError(f"slice {twice!r} is there twice", "give every slice its own name: NAME=CONDITION")
