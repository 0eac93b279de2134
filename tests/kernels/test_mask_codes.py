"""Codes of masks, against plain loops; Label Studio's own decoder in tests/oracles/test_importers.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qm_cli.kernels.mask_codes import as_png, brush_bytes, decoded_mask, in_place, row_runs, tight_window


def unpacked(data: list[int]) -> list[int]:
    """Label Studio's values, read bit by bit."""
    bits = "".join(f"{byte:08b}" for byte in data)
    place = 0

    def read(count: int) -> int:
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    total, width = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < total:
        run = read(1)
        length = read(sizes[read(2)]) + 1
        values += [read(width)] * length if run else [read(width) for _ in range(length)]
    return values


def masks() -> list[Any]:
    random = np.random.default_rng(0)
    return [random.random((height, width)) < share for height, width, share in [(1, 1, 1), (7, 5, 0.4), (40, 31, 0.9)]]


@pytest.mark.parametrize("mask", [*masks(), np.zeros((3, 4), bool), np.ones((200, 200), bool)])
def test_brush_is_the_mask_in_four_channels(mask: Any) -> None:
    """Among them runs of more than 65,536 values."""
    assert unpacked(brush_bytes(mask).tolist()) == np.repeat(mask.ravel() * 255, 4).tolist()


@pytest.mark.parametrize("mask", masks())
def test_row_runs_are_background_and_object_in_turn(mask: Any) -> None:
    runs = row_runs(mask).tolist()
    values = [number % 2 == 1 for number, length in enumerate(runs) for _ in range(length)]
    assert values == mask.ravel().tolist()
    assert 0 not in runs[1:]


def test_window_holds_every_pixel_and_no_empty_edge() -> None:
    mask = np.zeros((9, 8), bool)
    mask[3, 2] = mask[6, 5] = True
    window = tight_window(mask)
    assert window == (2, 3, 4, 4)
    assert (in_place(mask[3:7, 2:6], window, (9, 8)) == mask).all()


@pytest.mark.parametrize("mask", masks())
def test_texts_as_pycocotools_writes_them(mask: Any) -> None:
    coded = pytest.importorskip("pycocotools.mask").encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (decoded_mask(coded["counts"].decode(), coded["size"]) == mask).all()


def test_png_holds_zero_and_one() -> None:
    import cv2

    mask = masks()[1]
    picture = cv2.imdecode(np.frombuffer(as_png(mask), np.uint8), cv2.IMREAD_UNCHANGED)
    assert (picture == mask).all()
    with pytest.raises((ValueError, cv2.error)):
        as_png(np.zeros((0, 0), bool))
