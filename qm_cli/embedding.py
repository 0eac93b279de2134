"""Pixels → the vector that stands for what they show: by the built-in descriptor or by an ONNX encoder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from qm_cli.errors import UsageError
from qm_cli.kernels.descriptor import SIDE, descriptor
from qm_cli.onnx_encoder import Encoder, encoder_of

Vector = npt.NDArray[np.float32]

DESCRIPTOR = "descriptor"
ONNX = "onnx:"
NOT_EMBEDDED = {
    "image": "images that cannot be read have none",
    "label": "labels outside of their image, or of one that cannot be read, have none",
}
"""Why samples have no vector."""
HALFWAY = 128


class Embedder(Struct, frozen=True):
    """Which embedder, and what its images must look like; for an ONNX file 0 and () ask the file itself.

    name: descriptor, or onnx:FILE. image_size: side of the square input, in pixels. mean, std: per channel, of values
    0..1. layout: NCHW or NHWC.
    """

    name: str = DESCRIPTOR
    image_size: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    layout: str = ""

    def ready(self) -> Encoder | None:
        """The encoder, None for the descriptor; refuses what cannot work before any image is opened.

        Raises UsageError for an unknown name and for options the embedder does not take, and what `encoder_of` does.
        """
        if self.name.startswith(ONNX):
            file = Path(self.name.removeprefix(ONNX))
            return encoder_of(file, self.image_size, tuple(self.mean), tuple(self.std), self.layout)
        if self.name != DESCRIPTOR:
            raise UsageError(f"no embedder is called {self.name!r}", f"use {DESCRIPTOR}, or {ONNX}FILE")
        if self.image_size or self.mean or self.std or self.layout:
            raise UsageError("the descriptor takes no size, mean, std or layout", f"they are for {ONNX}FILE")
        return None

    def facts(self) -> dict[str, Any]:
        """What a run keeps to tell, and to embed further images the same way; for a file also what it says itself."""
        encoder = self.ready()
        if encoder is None:
            return {"name": self.name}
        file = encoder.file.resolve()
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        numbers = {"mean": encoder.mean.tolist(), "std": encoder.std.tolist(), "layout": encoder.layout}
        return {"name": f"{ONNX}{file}", "image_size": encoder.image_size, **numbers, "sha256": digest}

    def embed(self, rgb: npt.NDArray[np.uint8]) -> Vector | None:
        """The vector of an image uint8[height, width, 3]: float32[d] of length 1; None where it has no direction."""
        encoder = self.ready()
        return descriptor(reduced(rgb)) if encoder is None else encoder.encode(rgb)


def reduced(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The image at 32 × 32: by area; a large one linearly to 128 × 128 before, in a sixth of the time."""
    import cv2

    height, width = rgb.shape[:2]
    if min(height, width) > HALFWAY:
        rgb = np.asarray(cv2.resize(rgb, (HALFWAY, HALFWAY), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
