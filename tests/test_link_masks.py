from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from qm_cli.link_masks import mask_texts
from tests.shape_sets import HEIGHT, WIDTH, compressed, uncompressed

SQUARE = np.zeros((HEIGHT, WIDTH), np.uint8)
SQUARE[5:25, 5:25] = 1
SIZE = np.array([[HEIGHT, WIDTH]] * 3, float)


def test_all_forms_become_the_same_text() -> None:
    polygon = [[5, 5, 25, 5, 25, 25, 5, 25]]
    shapes = pa.array([json.dumps(one) for one in (compressed(SQUARE), uncompressed(SQUARE), polygon)])
    found = mask_texts(shapes, SIZE)
    assert found.fits.all()
    assert set(found.column(found.fits).to_pylist()) == {compressed(SQUARE)["counts"]}


def test_structs_and_texts_alike() -> None:
    rows = [compressed(SQUARE), compressed(1 - SQUARE), {"size": [3, 4], "counts": "x"}]
    structs = pa.array(rows, pa.struct([("size", pa.list_(pa.float64())), ("counts", pa.string())]))
    for shapes in (structs, pa.array([json.dumps(row) for row in rows])):
        found = mask_texts(shapes, SIZE)
        assert found.fits.tolist() == [True, True, False]
        assert found.column(found.fits).to_pylist() == [rows[0]["counts"], rows[1]["counts"], None]


def test_a_polygon_needs_the_size_of_its_image() -> None:
    shapes = pa.array([json.dumps([[5, 5, 25, 5, 25, 25]])])
    assert not mask_texts(shapes, np.full((1, 2), np.nan)).fits.any()
    assert mask_texts(pa.array([json.dumps(compressed(SQUARE))]), np.full((1, 2), np.nan)).fits.all()
