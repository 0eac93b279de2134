"""An ONNX file → an encoder: one image in, one vector out; how the image must look, options or the file say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from qm_cli.errors import InputError, UsageError

Vector = npt.NDArray[np.float32]

LAYOUTS = ("NCHW", "NHWC")
CHANNELS = 3
INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Encoder(Struct, frozen=True):
    """A loaded model. image_size: side of its square input; mean, std: float32[3]; size: length of its vectors."""

    file: Path
    session: Any
    image_size: int
    mean: npt.NDArray[np.float32]
    std: npt.NDArray[np.float32]
    layout: str
    dtype: Any
    size: int = 0

    def encode(self, rgb: npt.NDArray[np.uint8]) -> Vector | None:
        """The vector of an image uint8[height, width, 3]: float32[d] of length 1; None for 0 or no number in it.

        The image is scaled to the square as it is: by area when it shrinks, linearly when it grows. One image at a
        time on one thread, so that its vector does not depend on what is encoded beside it.
        """
        given = self.session.run(None, {self.session.get_inputs()[0].name: self._input(rgb)})[0]
        vector = np.asarray(given, np.float64).reshape(-1)
        if np.asarray(given).shape[:1] != (1,) or len(vector) != max(np.asarray(given).shape):
            shape = " × ".join(map(str, np.asarray(given).shape))
            raise InputError(f"{self.file}: its first output is {shape} for one image", "export one vector an image")
        length = np.sqrt(vector @ vector)
        return (vector / length).astype(np.float32) if np.isfinite(length) and length > 0 else None

    def _input(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        import cv2

        shrinks = min(rgb.shape[:2]) > self.image_size
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        square = np.asarray(cv2.resize(rgb, (self.image_size, self.image_size), interpolation=how))
        if self.dtype is not np.uint8:
            square = ((square.astype(np.float32) / 255 - self.mean) / self.std).astype(self.dtype)
        return np.ascontiguousarray(square.transpose(2, 0, 1) if self.layout == "NCHW" else square)[None]


@cache
def encoder_of(file: Path, image_size: int, mean: tuple[float, ...], std: tuple[float, ...], layout: str) -> Encoder:
    """Load an ONNX file once a process and try it on a grey image.

    What is 0 or empty is read from the file: image_size, mean, std and layout among its metadata (JSON values), then
    size and layout from the shape of its input; mean 0 and std 1 else. Raises UsageError without onnxruntime and
    for options that do not fit, InputError for a file that cannot be loaded or is no encoder of images.
    """
    session = _session(file)
    given = session.get_inputs()
    shape = list(given[0].shape) if len(given) == 1 else []
    if len(shape) != 4 or given[0].type not in INPUT_TYPES:
        wanted = "one input, images as float, float16 or uint8 with four axes"
        found = ", ".join(f"{one.name} {one.type}{one.shape}" for one in given)
        raise InputError(f"{file}: takes {found}; an encoder has {wanted}", "export the image encoder alone")
    facts = _metadata(file, session)
    layout = _layout(file, layout or str(facts.get("layout", "")), shape)
    side = _side(file, image_size or int(facts.get("image_size", 0)), shape[2:] if layout == "NCHW" else shape[1:3])
    scaling = [
        _channels(file, name, values or tuple(facts.get(name, ())), neutral)
        for name, values, neutral in (("mean", mean, 0.0), ("std", std, 1.0))
    ]
    if (scaling[1] <= 0).any():
        raise UsageError(f"{file}: std must be above 0", "give the standard deviation of each channel")
    dtype = INPUT_TYPES[given[0].type]
    encoder = Encoder(file, session, side, scaling[0], scaling[1], layout, dtype)
    return _tried(encoder)


def _session(file: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError(
            "an ONNX embedder needs onnxruntime, which is not installed", "pip install 'qm-cli[embed]'"
        ) from error
    if not file.is_file():
        raise InputError(f"{file}: no such file", "name an ONNX file: --embedder onnx:FILE")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(
            f"{file}: cannot be loaded as an ONNX model: {_first_line(error)}", "check the file"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _metadata(file: Path, session: Any) -> dict[str, Any]:
    """image_size, mean, std and layout as the file says them; text that is no JSON stays text."""
    facts: dict[str, Any] = {}
    for name, text in session.get_modelmeta().custom_metadata_map.items():
        if name in ("image_size", "mean", "std", "layout"):
            try:
                facts[name] = json.loads(text)
            except ValueError:
                facts[name] = text
    if not isinstance(facts.get("image_size", 0), int) or not all(
        isinstance(facts.get(name, []), list) for name in ("mean", "std")
    ):
        raise InputError(f"{file}: its metadata image_size, mean or std is malformed", "write 224 and [0.5, 0.5, 0.5]")
    return facts


def _layout(file: Path, named: str, shape: list[Any]) -> str:
    """NCHW or NHWC: as named, else where the input has its three channels."""
    if named and named not in LAYOUTS:
        raise UsageError(f"layout {named!r} is not one of {', '.join(LAYOUTS)}", "leave it to the file")
    possible = [layout for layout, place in (("NCHW", 1), ("NHWC", 3)) if shape[place] in (CHANNELS, named and None)]
    layout = named or (possible[0] if possible else "")
    axis = shape[1 if layout == "NCHW" else 3]
    if not layout or (isinstance(axis, int) and axis != CHANNELS):
        sides = " × ".join(map(str, shape))
        raise InputError(f"{file}: its input is {sides}, where three channels are not to be seen", "give the layout")
    return layout


def _side(file: Path, named: int, axes: list[Any]) -> int:
    """Side of the square input: as named, else of the input's shape; the two must agree."""
    fixed = [axis for axis in axes if isinstance(axis, int) and axis > 0]
    if len(set(fixed)) > 1:
        raise InputError(f"{file}: its input is {fixed[0]} × {fixed[1]}, not square", "export it for square images")
    if named and fixed and named != fixed[0]:
        raise UsageError(f"{file}: takes images of {fixed[0]} px, not {named}", "leave the size to the file")
    if not named and not fixed:
        raise UsageError(f"{file}: takes images of any size", "name one: --set embedding.image_size=224")
    return named or int(fixed[0])


def _channels(file: Path, name: str, values: tuple[float, ...], neutral: float) -> npt.NDArray[np.float32]:
    """A number for each channel: float32[3]; one number stands for all three."""
    numbers = np.asarray(values or (neutral,), np.float32)
    if numbers.shape not in ((1,), (CHANNELS,)) or not np.isfinite(numbers).all():
        raise UsageError(f"{file}: {name} has {len(numbers)} numbers", "give one, or one a channel")
    return np.broadcast_to(numbers, CHANNELS).copy()


def _tried(encoder: Encoder) -> Encoder:
    """The encoder with the length of its vectors, after it has encoded one grey image."""
    try:
        vector = encoder.encode(np.full((8, 8, CHANNELS), 128, np.uint8))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{encoder.file}: fails on an image: {_first_line(error)}", "check size and layout") from error
    return replace(encoder, size=0 if vector is None else len(vector))
