"""The vector that stands for what an image, or a labelled object, looks like."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from qm_cli.embedding import DESCRIPTOR, Embedder
from qm_cli.metric import metric


class Sample(Protocol):
    """What an embedder reads of an image or object."""

    @property
    def rgb(self) -> npt.NDArray[np.uint8]: ...


@metric(level=("image", "label"), kind="data", unit="vector")
def embedding(
    pixels: Sample,
    *,
    embedder: str = DESCRIPTOR,
    image_size: int = 0,
    mean: tuple[float, ...] = (),
    std: tuple[float, ...] = (),
    layout: str = "",
) -> npt.NDArray[np.float32] | None:
    """Vector of what the image or the object's box looks like, of length 1; a table of its own in the run.

    embedder: descriptor, built in: luminance DCT, colours and gradients, 256 numbers; or onnx:FILE, for which
    image_size, mean, std (of values 0..1) and layout (NCHW or NHWC) are read from the file where they are not given.
    An image that comes with a vector in `--embeddings FILE` keeps that.

    >>> from qm_cli.pixels import Pixels
    >>> embedding(Pixels(np.full((40, 60, 3), 85, np.uint8)))[[0, 85]].round(4)
    array([-0.2316,  0.9728], dtype=float32)
    """
    return Embedder(embedder, image_size, tuple(mean), tuple(std), layout).embed(pixels.rgb)
