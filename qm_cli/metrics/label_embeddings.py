"""Whether a labelled object looks like the others of its category."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qm_cli.kernels.agreement import kind_agreement
from qm_cli.kernels.neighbours import nearest
from qm_cli.metric import metric, tell

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]


class Agreement(NamedTuple):
    """neighbour_agreement: float64[n]; suggested_category: object[n], a name or None."""

    neighbour_agreement: FloatArray
    suggested_category: ObjectArray


@metric(level="label", kind="label", unit="share", range=(0, 1), better="higher")
def neighbour_agreement(
    embedding: npt.NDArray[np.float32],
    category_row: npt.NDArray[np.integer],
    category_name: ObjectArray,
    *,
    neighbours: int = 9,
) -> Agreement:
    """Share of the labelled objects that look most alike whose category is the same, 0..1; low = doubtful.

    Of the 9 nearest objects by embedding (Encord Active's "Object Annotation Quality"). `suggested_category` is the
    other category of more than 5 of 9. Null without an embedding or a neighbour.

    >>> rows = np.array([[1, 0], [0.8, 0.6], [0.96, 0.28]], np.float32)
    >>> found = neighbour_agreement(rows, np.array([0, 1, 0]), np.array(["cat", "dog", "cat"], object))
    >>> found.neighbour_agreement.tolist(), found.suggested_category.tolist()
    ([0.5, 0.0, 0.5], [None, 'cat', None])
    """
    found = nearest(embedding, neighbours)
    if found.recall < 1:
        tell(
            f"label neighbours are approximate: {found.recall:.1%} of the true nearest were found in a sample of 1,000"
        )
    suggested = np.full(len(embedding), None, object)
    kind = category_row.astype(np.int64)
    share, better = kind_agreement(found.row, kind)
    told = better >= 0
    kinds, first = np.unique(kind, return_index=True)
    suggested[told] = category_name[first[np.searchsorted(kinds, better[told])]]
    return Agreement(share, suggested)
