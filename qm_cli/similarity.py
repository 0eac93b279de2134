"""What in a run looks most like one of its images or labels, or like an image file from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from qm_cli.arrays import to_arrow, to_numpy
from qm_cli.embedding import DESCRIPTOR, NOT_EMBEDDED, Embedder
from qm_cli.errors import InputError, nearest
from qm_cli.pixels import open_pixels
from qm_cli.run_folder import Run

Vectors = npt.NDArray[np.float32]
RowArray = npt.NDArray[np.int64]

TABLES = {"image": "embedding", "label": "label_embedding"}
FROM_FILE = "file"
ROWS_AT_ONCE = 1 << 16
SHOWN = {"image": ("id", "file_name"), "label": ("id", "image_id", "category")}


class Query(Struct, frozen=True):
    """What is looked for. row: its row in the run, None for a file from outside. vector: float32[d]."""

    name: str
    row: int | None
    vector: Vectors


def embeddings_of(run: Run, level: str) -> Vectors:
    """The vectors of a run's images or labels, NaN where there is none: float32[n, d]. Raises InputError without."""
    name = TABLES[level]
    if not run.files(name):
        hint = f"score the dataset with the metric {level}.embedding, or --embeddings FILE"
        raise InputError(f"{run.path}: holds no embeddings of {level}s", hint)
    vectors = np.asarray(to_numpy(run.table(name, ["embedding"])["embedding"]), np.float32)
    if len(vectors) and np.isnan(vectors).all():
        raise InputError(f"{run.path}: has an embedding of none of its {level}s", NOT_EMBEDDED[level])
    return vectors


def similar(run: Run, to: str, level: str = "image", top: int = 20) -> dict[str, Any]:
    """The `top` samples nearest to `to` by 1 − cosine, equally near ones by row.

    to: an id or a file name in the run, else a file, which the run's own embedder reads. The sample itself is left out.
    """
    vectors = embeddings_of(run, level)
    query = _query(run, to, level, vectors)
    distance = cosine_distances(vectors, query.vector)
    if query.row is not None:
        distance[query.row] = np.nan
    known = np.flatnonzero(~np.isnan(distance))
    rows = known[np.argsort(distance[known], kind="stable")][:top]
    columns = [name for name in SHOWN[level] if name in run.columns(level)]
    items = run.table(level, columns).take(to_arrow(rows)).to_pylist()
    places = zip(items, distance[rows].tolist(), strict=True)
    return {
        "run": run.place,
        "to": query.name,
        "in_run": query.row is not None,
        "level": level,
        "embedder": _embedder(run, level)["name"],
        "count": len(items),
        "items": [{"place": place, **item, "distance": away} for place, (item, away) in enumerate(places, 1)],
    }


def cosine_distances(vectors: Vectors, vector: Vectors) -> npt.NDArray[np.float64]:
    """1 − cosine of each row to one vector, 0..2, NaN for a row without a direction: float64[n]."""
    one = vector.astype(np.float64)
    distance = np.empty(len(vectors))
    for first in range(0, len(vectors), ROWS_AT_ONCE):
        wide = vectors[first : first + ROWS_AT_ONCE].astype(np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide) * (one @ one))
        products = np.einsum("nd,d->n", wide, one)
        distance[first : first + ROWS_AT_ONCE] = 1 - products / np.where(lengths > 0, lengths, np.nan)
    return np.maximum(distance, 0.0)


def _query(run: Run, to: str, level: str, vectors: Vectors) -> Query:
    row = _row_of(run, to, level)
    if row is not None:
        if np.isnan(vectors[row]).any():
            raise InputError(f"{run.path}: {level} {to} has no embedding", NOT_EMBEDDED[level])
        return Query(to, row, vectors[row])
    path = Path(to)
    if not path.is_file():
        ids = run.table(level, ["id"])["id"].cast(pa.string()).to_pylist()
        hint = nearest(to, ids[:10_000]) or f"name an id of the run's {level}s, or an image file"
        raise InputError(f"{to}: neither one of the run's {level}s nor a file", hint)
    return Query(to, None, _embedded(run, path, level, vectors.shape[1]))


def _row_of(run: Run, to: str, level: str) -> int | None:
    """The row whose id, or else file name, is `to`."""
    for name in ("id", "file_name"):
        if name in run.columns(level):
            texts = run.table(level, [name])[name].cast(pa.string())
            row: int = texts.index(to).as_py()
            if row >= 0:
                return row
    return None


def _embedder(run: Run, level: str) -> dict[str, Any]:
    facts: dict[str, Any] = run.manifest.get("embedders", {}).get(level, {"name": FROM_FILE})
    return facts


def _embedded(run: Run, path: Path, level: str, size: int) -> Vectors:
    """The vector of an image file by the embedder of the run, which must be the same as it was then."""
    facts = _embedder(run, level)
    if facts["name"] == FROM_FILE:
        message = f"{run.path}: its embeddings were read from a file, {path} cannot be embedded alike"
        raise InputError(message, "name an image of the run, or score with --embedder onnx:FILE")
    embedder = Embedder(DESCRIPTOR)
    if facts["name"] != DESCRIPTOR:
        settings = (facts["image_size"], tuple(facts["mean"]), tuple(facts["std"]), facts["layout"])
        embedder = Embedder(facts["name"], *settings)
        if embedder.facts()["sha256"] != facts["sha256"]:
            raise InputError(f"{facts['name']}: has changed since {run.path} was made", "score the dataset again")
    vector = embedder.embed(open_pixels(path).rgb)
    if vector is None or len(vector) != size:
        raise InputError(f"{path}: has no embedding of {size} numbers", "score the dataset again")
    return vector
