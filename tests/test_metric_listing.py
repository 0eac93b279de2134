"""The list of metrics and what is told of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from qm_cli.errors import UsageError
from qm_cli.metric import Metric, described, metric
from qm_cli.metric_listing import found, listed


class Twins(NamedTuple):
    """Two columns."""

    first: np.ndarray
    second: np.ndarray


@metric(level=("image", "label"), kind="data", unit="share", range=(0, None), better="lower")
def mud(pixels: np.ndarray, depth: np.ndarray | None = None, *, stages: tuple[int, ...] = (1, 2)) -> np.ndarray:
    """How muddy it is.

    Told at length.

    >>> 1 + 1
    2
    """
    return pixels


@metric(level="label", kind="label", unit="")
def twins(bbox: np.ndarray) -> Twins:
    """Two at once."""
    return Twins(bbox, bbox)


CATALOG: dict[str, Metric] = {
    one.id: one for one in (described(twins, "label"), described(mud, "label"), described(mud, "image"))
}


def test_listed_by_level_kind_and_name() -> None:
    assert [one["id"] for one in listed(CATALOG)] == ["image.mud", "label.mud", "label.twins"]
    assert [one["id"] for one in listed(CATALOG, ["label"], ["data"])] == ["label.mud"]


def test_all_that_is_known() -> None:
    assert listed(CATALOG, ["image"]) == [
        {
            "id": "image.mud",
            "name": "mud",
            "level": "image",
            "kind": "data",
            "unit": "share",
            "range": [0, None],
            "better": "lower",
            "ranked_first": "highest",
            "meaning": "How muddy it is.",
            "explanation": "Told at length.",
            "needs": ["pixels"],
            "takes": ["depth"],
            "options": {"stages": [1, 2]},
            "columns": ["mud"],
            "per_sample": True,
            "example": ">>> 1 + 1\n2",
            "module": __name__,
        }
    ]


def test_found_by_id_name_or_column() -> None:
    assert [one["id"] for one in found(CATALOG, "image.mud")] == ["image.mud"]
    assert [one["id"] for one in found(CATALOG, "mud")] == ["label.mud", "image.mud"]
    assert [one["id"] for one in found(CATALOG, "second")] == ["label.twins"]
    assert [one["id"] for one in found(CATALOG, "label.second")] == ["label.twins"]


def test_refused() -> None:
    with pytest.raises(UsageError, match="did you mean"):
        found(CATALOG, "twinz")
    with pytest.raises(UsageError, match="there is no metric"):
        found(CATALOG, "image.twins")
    with pytest.raises(UsageError, match="there are image, label"):
        listed(CATALOG, ["pixel"])
    with pytest.raises(UsageError, match="there are data, label, model"):
        listed(CATALOG, (), ["modell"])
