"""Polygons as parts [x1, y1, x2, y2, …] in pixels: ragged lists → valid shapes, their areas, and the area of unions.

The parts of a shape are united, as COCO paints them; of a part that crosses itself every lobe counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.kernels.segments import expand, reduce_runs

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
Geometries = npt.NDArray[np.object_]


class Shapes(Struct, frozen=True):
    """The polygons of n rows, k of which have a usable part.

    row: int64[k], ascending; geometry: object[k], valid shapely (multi-)polygons.
    too_few: bool[n], a part with fewer than three corners or a coordinate that is no finite number;
    crossing: bool[n], a part that crosses itself.
    """

    row: RowArray
    geometry: Geometries
    too_few: BoolArray
    crossing: BoolArray


def shapes_of(segmentation: npt.NDArray[np.object_]) -> Shapes:
    """The shape of each row's parts; None and rows without parts have none."""
    count = len(segmentation)
    with_parts = [row for row, parts in enumerate(segmentation) if parts is not None and len(parts)]
    too_few, crossing = np.zeros(count, bool), np.zeros(count, bool)
    if not with_parts:
        return Shapes(np.zeros(0, np.int64), np.zeros(0, object), too_few, crossing)
    row = np.repeat(np.array(with_parts), [len(segmentation[i]) for i in with_parts])
    points, corners = _points_of(list(chain.from_iterable(segmentation[with_parts])))
    usable = _usable(points, corners)
    too_few[row[~usable]] = True
    polygons, crosses = _polygons(points[np.repeat(usable, corners)], corners[usable])
    crossing[row[usable][crosses]] = True
    rows, geometry = united(polygons, row[usable])
    return Shapes(rows, geometry, too_few, crossing)


def _points_of(parts: Sequence[Sequence[float]]) -> tuple[FloatArray, RowArray]:
    """All corners float64[m, 2] and how many each part has; a coordinate without its partner is dropped."""
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    values = np.fromiter(chain.from_iterable(parts), np.float64, int(lengths.sum()))
    if (lengths % 2).any():
        values = values[expand(np.cumsum(lengths) - lengths, lengths // 2 * 2)]
    return values.reshape(-1, 2), lengths // 2


def _usable(points: FloatArray, corners: RowArray) -> BoolArray:
    """Parts with three corners or more, a repeated first corner not counted, all of them finite: bool[parts]."""
    ends = np.cumsum(corners)
    usable = corners >= 3
    starts, lasts = (ends - corners)[usable], ends[usable] - 1
    closed = (points[starts] == points[lasts]).all(axis=1)
    bad = reduce_runs(np.add, np.where(np.isfinite(points).all(axis=1), 0, 1), np.append(0, ends), 0.0) > 0
    usable[usable] = corners[usable] - closed >= 3
    return usable & ~bad


def _polygons(points: FloatArray, corners: RowArray) -> tuple[Geometries, BoolArray]:
    """A valid polygon for each part, empty for one without area, and which of the parts cross themselves."""
    import shapely

    rings = shapely.linearrings(points, indices=np.repeat(np.arange(len(corners)), corners))
    polygons: Geometries = shapely.polygons(rings)
    broken = np.flatnonzero(~shapely.is_valid(polygons))
    crosses = np.zeros(len(polygons), bool)
    if len(broken):
        reasons = shapely.is_valid_reason(polygons[broken])
        crosses[broken] = [reason.startswith("Self-intersection") for reason in reasons]
        polygons[broken] = shapely.make_valid(polygons[broken], method="structure", keep_collapsed=False)
        crosses &= shapely.area(polygons) > 0
    return polygons, crosses


def united(geometry: Geometries, group: npt.NDArray[np.integer]) -> tuple[RowArray, Geometries]:
    """The groups there are, ascending, and the union of each one's geometries; `group` is ascending."""
    import shapely

    groups, first, inverse, sizes = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    unions = geometry[first]
    several = sizes > 1
    if several.any():
        members = np.flatnonzero(several[inverse])
        number = np.cumsum(several) - 1
        collections = shapely.geometrycollections(geometry[members], indices=number[inverse[members]])
        unions[several] = shapely.union_all(collections[:, None], axis=1)
    return groups.astype(np.int64), unions


def areas(geometry: Geometries) -> FloatArray:
    """Area of each geometry: float64[n]."""
    import shapely

    found: FloatArray = shapely.area(geometry)
    return found


def bounds(geometry: Geometries) -> FloatArray:
    """[x0, y0, x1, y1] around each geometry, NaN for an empty one: float64[n, 4]."""
    import shapely

    found: FloatArray = shapely.bounds(geometry)
    return found


def inside(geometry: Geometries, width: FloatArray, height: FloatArray) -> Geometries:
    """The part of each geometry in [0, width] × [0, height]; as it stands where the size is not known."""
    import shapely

    x0, y0, x1, y1 = bounds(geometry).T
    beyond = np.flatnonzero((x0 < 0) | (y0 < 0) | (x1 > width) | (y1 > height))
    kept = geometry.copy()
    if len(beyond):
        frames = shapely.box(0.0, 0.0, np.maximum(width[beyond], 0.0), np.maximum(height[beyond], 0.0))
        kept[beyond] = shapely.intersection(geometry[beyond], frames)
    return kept


def from_corners(corners: FloatArray) -> Geometries:
    """Rectangles from [x0, y0, x1, y1], which are finite: object[n]."""
    import shapely

    rectangles: Geometries = shapely.box(*corners.T)
    return rectangles
