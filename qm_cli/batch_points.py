"""What a batch is spread over: embeddings, and gradients of the loss; and weights that favour rare categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qm_cli.arrays import to_numpy
from qm_cli.errors import UsageError
from qm_cli.kernels.spread import Points
from qm_cli.row_fields import Reader, RowArray, image_rows

Vectors = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

TABLES = {"image": "embedding", "label": "label_embedding"}


def vectors_of(reader: Reader, level: str) -> Vectors:
    """The level's embeddings at length 1, NaN where there is none: float32[n, d]. Raises UsageError without any."""
    if level not in TABLES:
        raise UsageError(f"there are no embeddings of {level}s", "choose images or labels")
    if TABLES[level] not in reader.table_names():
        raise UsageError(f"there are no embeddings of {level}s", f"score the dataset with the metric {level}.embedding")
    vectors = np.asarray(to_numpy(reader.column(TABLES[level], "embedding")), np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    unit: Vectors = (vectors / np.where(lengths > 0, lengths, np.nan)[:, None]).astype(np.float32)
    return unit


def known_rows(vectors: Vectors, rows: RowArray) -> RowArray:
    """Those of the rows that have a vector."""
    known: RowArray = rows[~np.isnan(vectors[rows]).any(axis=1)] if vectors.shape[1] else rows[:0]
    return known


def gradient_points(reader: Reader, rows: RowArray, vectors: Vectors) -> Points:
    """Gradient of the last layer's loss per image, were the model's own answers right, as BADGE takes it.

    Σ over the image's predictions of (p − one-hot of the likeliest category), outer product with its embedding. A
    prediction with nothing but a score s counts as probability s of its category and 1 − s of none. An image without
    predictions has the gradient 0.
    """
    if "prediction" not in reader.table_names():
        raise UsageError("badge needs predictions", "of several models name one by --model, or use --diverse k-center")
    images, categories = len(vectors), len(reader.column("category", "id"))
    image = np.asarray(image_rows(reader, "prediction", 0), np.int64)
    score = to_numpy(reader.column("prediction", "score")).astype(np.float64)
    category = to_numpy(reader.column("prediction", "category_row")).astype(np.int64)
    residual = np.zeros((images, categories + 1))
    probs = _probabilities(reader)
    bare = np.ones(len(image), bool) if probs is None else np.isnan(probs).any(axis=1)
    for place, value in ((category, score - 1), (np.full(len(category), categories), 1 - score)):
        flat = image[bare] * (categories + 1) + place[bare]
        residual += np.bincount(flat, value[bare], residual.size).reshape(residual.shape)
    if probs is not None and not bare.all():
        given = probs[~bare].copy()
        given[np.arange(len(given)), given.argmax(axis=1)] -= 1
        np.add.at(residual, (image[~bare][:, None], np.arange(given.shape[1])[None]), given)
    return Points((residual[rows].astype(np.float32), vectors[rows]))


def _probabilities(reader: Reader) -> FloatArray | None:
    """Class probabilities float64[n, K] of predictions, NaN rows for none; None where no column holds them."""
    field = reader.columns("prediction").get("probs")
    if field is None or not pa.types.is_fixed_size_list(field.type):
        return None
    return np.asarray(to_numpy(reader.column("prediction", "probs")), np.float64)


def balance_weights(reader: Reader, level: str, rows: RowArray) -> FloatArray:
    """More than 1 for samples of rare categories, less for those of frequent ones: float64[len(rows)].

    A category weighs (N + K) / (K · (n + 1)), n its labels of N in all K categories, or its predictions where there
    are no labels. An image weighs the mean over its predictions by score, 1 without; a label or prediction as its
    category.
    """
    categories = len(reader.column("category", "id"))
    counted = "label" if "label" in reader.table_names() else "prediction"
    if counted not in reader.table_names():
        raise UsageError("--balance needs labels or predictions", "leave it out")
    counts = np.bincount(_category_rows(reader, counted), minlength=categories)
    weights = (counts.sum() + categories) / (categories * (counts + 1.0))
    if level != "image":
        return np.asarray(weights[_category_rows(reader, level)][rows])
    if "prediction" not in reader.table_names():
        raise UsageError("--balance of images needs predictions: what is in them", "leave it out")
    image = np.asarray(image_rows(reader, "prediction", 0), np.int64)
    score = to_numpy(reader.column("prediction", "score")).astype(np.float64)
    images = len(reader.column("image", "id"))
    whole = np.bincount(image, score, images)
    mean = np.bincount(image, score * weights[_category_rows(reader, "prediction")], images)
    return np.asarray(np.divide(mean, whole, out=np.ones(images), where=whole > 0)[rows])


def _category_rows(reader: Reader, level: str) -> npt.NDArray[Any]:
    return to_numpy(reader.column(level, "category_row")).astype(np.int64)
