"""A metric that asks for an image's pixels and does nothing with them: what decoding alone costs."""

from __future__ import annotations

from qm_cli.metric import metric
from qm_cli.pixels import Pixels


@metric(level="image", kind="data", unit="px")
def decoded(pixels: Pixels) -> int:
    """Width of the decoded image."""
    return pixels.width
