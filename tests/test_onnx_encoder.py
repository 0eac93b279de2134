"""ONNX encoders: what the image becomes on its way in, where the settings come from, what does not fit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from qm_cli.errors import InputError, QmError, UsageError
from qm_cli.onnx_encoder import Encoder, encoder_of
from tests.onnx_models import write_model

COLOURED = np.broadcast_to(np.array([51, 102, 204], np.uint8), (20, 30, 3)).copy()


def opened(
    file: Path, size: int = 0, mean: tuple[float, ...] = (), std: tuple[float, ...] = (), layout: str = ""
) -> Encoder:
    return encoder_of(file, size, mean, std, layout)


def unit(*values: float) -> list[float]:
    return (np.array(values) / np.linalg.norm(values)).tolist()


def encoded(encoder: Encoder) -> list[float]:
    vector = encoder.encode(COLOURED)
    assert vector is not None
    assert vector.dtype == np.float32
    return vector.tolist()


def test_values_are_shares_of_255(tmp_path: Path) -> None:
    encoder = opened(write_model(tmp_path / "a.onnx"))
    assert (encoder.image_size, encoder.layout, encoder.size) == (8, "NCHW", 3)
    assert encoded(encoder) == pytest.approx(unit(0.2, 0.4, 0.8), abs=1e-6)


def test_mean_and_std_from_options_and_from_the_file(tmp_path: Path) -> None:
    expected = pytest.approx(unit(0.1 / 0.5, 0.2 / 0.25, 0.5 / 1), abs=1e-6)
    plain = write_model(tmp_path / "a.onnx")
    assert encoded(opened(plain, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1))) == expected
    facts = {"mean": "[0.1, 0.2, 0.3]", "std": "[0.5, 0.25, 1]", "image_size": "6", "layout": "NCHW"}
    told = write_model(tmp_path / "b.onnx", shape=("n", 3, "h", "w"), metadata=facts)
    assert opened(told).image_size == 6
    assert encoded(opened(told)) == expected
    assert encoded(opened(told, mean=(0.0,), std=(1.0,))) == pytest.approx(unit(0.2, 0.4, 0.8), abs=1e-6)


def test_channels_last_and_bytes(tmp_path: Path) -> None:
    last = write_model(tmp_path / "a.onnx", shape=(1, 8, 8, 3), axes=(1, 2))
    assert opened(last).layout == "NHWC"
    assert encoded(opened(last)) == pytest.approx(unit(0.2, 0.4, 0.8), abs=1e-6)
    whole = write_model(tmp_path / "b.onnx", dtype=TensorProto.UINT8)
    assert encoded(opened(whole, mean=(9.0,))) == pytest.approx(unit(51, 102, 204), abs=1e-6)
    half = write_model(tmp_path / "c.onnx", dtype=TensorProto.FLOAT16)
    assert encoded(opened(half)) == pytest.approx(unit(0.2, 0.4, 0.8), abs=1e-3)


def test_axes_of_one_are_no_matter(tmp_path: Path) -> None:
    assert len(encoded(opened(write_model(tmp_path / "a.onnx", keep=1)))) == 3


def test_no_direction_is_no_vector(tmp_path: Path) -> None:
    encoder = opened(write_model(tmp_path / "a.onnx"))
    assert encoder.encode(np.zeros((4, 4, 3), np.uint8)) is None


def refused(kind: type[QmError], words: str, file: Path, **options: object) -> None:
    with pytest.raises(kind, match=words):
        opened(file, **options)  # type: ignore[arg-type]


def test_models_that_do_not_fit(tmp_path: Path) -> None:
    refused(InputError, "no such file", tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    refused(InputError, "cannot be loaded as an ONNX model", tmp_path / "text.onnx")
    refused(InputError, "four axes", write_model(tmp_path / "a.onnx", shape=(1, 8), axes=(1,)))
    refused(InputError, "three channels are not to be seen", write_model(tmp_path / "b.onnx", shape=(1, 4, 8, 8)))
    refused(InputError, "not square", write_model(tmp_path / "c.onnx", shape=(1, 3, 8, 9)))
    refused(InputError, "one vector an image", write_model(tmp_path / "d.onnx", axes=(3,)))
    anything = write_model(tmp_path / "e.onnx", shape=(1, 3, "h", "w"))
    refused(UsageError, "embedding.image_size=224", anything)
    refused(UsageError, "takes images of 8 px, not 9", write_model(tmp_path / "f.onnx"), size=9)
    refused(UsageError, "mean has 2 numbers", tmp_path / "f.onnx", mean=(0.1, 0.2))
    refused(UsageError, "std must be above 0", tmp_path / "f.onnx", std=(0.0,))
    refused(UsageError, "'CHW' is not one of", tmp_path / "f.onnx", layout="CHW")
    refused(InputError, "malformed", write_model(tmp_path / "g.onnx", metadata={"image_size": "large"}))


def test_without_onnxruntime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused(UsageError, "needs onnxruntime", write_model(tmp_path / "only.onnx"))
