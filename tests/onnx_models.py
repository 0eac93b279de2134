"""Small ONNX encoders: per channel mean of the image, or what a test needs to go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import TensorProto, helper, save


def write_model(
    path: Path,
    shape: tuple[Any, ...] = (1, 3, 8, 8),
    dtype: int = TensorProto.FLOAT,
    axes: tuple[int, ...] = (2, 3),
    metadata: dict[str, str] | None = None,
    keep: int = 0,
) -> Path:
    """A model whose output is the mean over `axes`, as float."""
    nodes = [
        helper.make_node("Cast", ["image"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["whole"], ["vector"], axes=list(axes), keepdims=keep),
    ]
    given = helper.make_tensor_value_info("image", dtype, list(shape))
    out = helper.make_tensor_value_info("vector", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "encoder", [given], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for name, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    save(model, str(path))
    return path
