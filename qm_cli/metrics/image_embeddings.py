"""How an image stands among the others by its embedding: alone, a copy, typical, or classed unlike its neighbours."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.agreement import presence_agreement
from qm_cli.kernels.clusters import CLUSTERS, dealt_round, k_means
from qm_cli.kernels.copies import apart_from_copies
from qm_cli.kernels.neighbours import nearest
from qm_cli.metric import metric, tell

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
ObjectArray = npt.NDArray[np.object_]


class Singularity(NamedTuple):
    """singularity: float64[n]; nearest_id: object[n], an id or None."""

    singularity: FloatArray
    nearest_id: ObjectArray


@metric(level="image", kind="data", unit="distance", range=(0, 1), better="higher")
def singularity(id: npt.NDArray[Any], embedding: Vectors, *, copy_distance: float = 1e-5) -> Singularity:
    """How unlike every other image it looks, 0..1; 0 = a copy of an earlier one, up to 0.03 nearly the same.

    Cosine distance to the nearest other embedding, at most 1; 1 for an image that is alone (Encord Active's "Image
    Singularity", with exact neighbours and nobody left out). Images nearer than `copy_distance` are copies, also by way
    of others: the first keeps the distance to the nearest that is none, the later ones get 0. `nearest_id` is the
    image it was measured to, for a copy its original. Null without an embedding.

    >>> found = singularity(np.array([7, 8, 9]), np.array([[1, 0], [0.6, 0.8], [1, 0]], np.float32))
    >>> found.singularity.round(6).tolist(), found.nearest_id.tolist()
    ([0.4, 0.4, 0.0], [8, 7, 7])
    """
    found = apart_from_copies(embedding, copy_distance)
    _tell_recall(found.recall)
    neighbour = np.full(len(id), None, object)
    there = found.row >= 0
    neighbour[there] = id[found.row[there]]
    return Singularity(np.minimum(found.distance, 1.0), neighbour)


@metric(level="image", kind="data", unit="place", range=(1, None), better="neither")
def diversity(embedding: Vectors, category_row_count: int, *, clusters: int = 0, seed: int = 0) -> FloatArray:
    """Place in an order in which the first images are typical and spread over all kinds of image; 1 comes first.

    k-means over the embeddings; inside each cluster the images by distance to its centre, then dealt in turns, a round
    takes the next of every cluster, the largest first (Encord Active's "Image Diversity"). clusters: 0 for as many as
    there are categories, or 10 without. Null without an embedding.

    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.96, 0.28]], np.float32)
    >>> diversity(vectors, 0, clusters=2).tolist()
    [3.0, 4.0, 2.0, 1.0]
    """
    groups, distance, known = k_means(embedding, clusters or category_row_count or CLUSTERS, seed)
    place = np.full(len(embedding), np.nan)
    place[known] = dealt_round(groups, distance)
    return place


class Agreement(NamedTuple):
    """neighbour_agreement: float64[n]; suggested_category: object[n], a name or None."""

    neighbour_agreement: FloatArray
    suggested_category: ObjectArray


@metric(level="image", kind="label", unit="share", range=(0, 1), better="higher")
def neighbour_agreement(
    embedding: Vectors,
    label_offsets: RowArray,
    label_category_row: npt.NDArray[np.integer],
    label_whole_image: npt.NDArray[np.bool_],
    category_name: ObjectArray,
    *,
    neighbours: int = 9,
) -> Agreement:
    """Share of the images that look most alike whose class is the same, 0..1; low = the class is doubtful.

    Of the 9 nearest among the images with a class, labels without a box (Encord Active's "Image-level Annotation
    Quality"); where an image has several classes, the mean over them. `suggested_category` is the class that more than
    5 of 9 have and it has not, the commonest first. Null without a class, an embedding or a neighbour.

    >>> labels = (np.arange(4), np.array([0, 0, 1]), np.ones(3, bool), np.array(["cat", "dog"], object))
    >>> found = neighbour_agreement(np.array([[1, 0], [0.8, 0.6], [0.96, 0.28]], np.float32), *labels)
    >>> found.neighbour_agreement.tolist(), found.suggested_category.tolist()
    ([0.5, 0.5, 0.0], [None, None, 'cat'])
    """
    image = np.repeat(np.arange(len(embedding)), np.diff(label_offsets))[label_whole_image]
    category = label_category_row[label_whole_image].astype(np.int64)
    classed = np.unique(image)
    found = nearest(embedding[classed], neighbours)
    _tell_recall(found.recall)
    share, suggested = np.full(len(embedding), np.nan), np.full(len(embedding), None, object)
    share[classed], better = presence_agreement(
        found.row, np.searchsorted(classed, image), category, len(category_name)
    )
    told = better >= 0
    suggested[classed[told]] = category_name[better[told]]
    return Agreement(share, suggested)


def _tell_recall(recall: float) -> None:
    if recall < 1:
        tell(f"image neighbours are approximate: {recall:.1%} of the true nearest were found in a sample of 1,000")
