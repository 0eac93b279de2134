from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import labels_json

MASK = {"size": [3, 4], "counts": "444"}


def read(folder: Path, rows: list[dict[str, Any]], *fields: str, text: str | None = None) -> Any:
    path = folder / "l.json"
    document = {"images": [{"id": 1}], "categories": [{"id": 1, "name": "x", "keypoints": ["nose"]}]}
    path.write_text(text or json.dumps({**document, "annotations": rows}))
    return labels_json.read(path, False, fields=fields).label


def test_masks_alone_are_columns(tmp_path: Path) -> None:
    shape = read(tmp_path, [{"segmentation": MASK}] * 2, "segmentation")["shape"]
    assert shape.to_pylist() == [{"size": [3.0, 4.0], "counts": "444"}] * 2


def test_mixed_shapes_are_texts(tmp_path: Path) -> None:
    rows = [{"segmentation": MASK}, {"segmentation": [[1, 2]]}, {}]
    shape = read(tmp_path, rows, "segmentation")["shape"]
    assert [None if one is None else json.loads(one) for one in shape.to_pylist()] == [MASK, [[1, 2]], None]


def test_flat_lists_and_their_count(tmp_path: Path) -> None:
    label = read(tmp_path, [{"keypoints": [1, 2, 2], "num_keypoints": 1}, {"keypoints": [3, 4, 0]}], "keypoints")
    assert label["shape"].type == pa.list_(pa.float64())
    assert label["num_keypoints"].to_pylist() == [1, None]


def test_the_first_field_that_is_there(tmp_path: Path) -> None:
    assert "shape" not in read(tmp_path, [{"id": 1}], "polyline", "segmentation")
    assert read(tmp_path, [{"bbox": [1, 2, 3, 4, 5]}], "obb", "bbox")["shape"].to_pylist() == [[1, 2, 3, 4, 5]]


def test_a_key_twice_is_seen(tmp_path: Path) -> None:
    row = '{"id": 1, "keypoints": [1, 2, 2], "keypoints": [1, 2, 2]}'
    text = f'{{"images": [], "categories": [], "annotations": [{row}]}}'
    with pytest.raises(InputError, match='the key "keypoints" stands twice'):
        read(tmp_path, [], "keypoints", text=text)


def test_counts_of_keypoints_need_no_pandas(tmp_path: Path) -> None:
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0}
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{**row, "keypoints": [1, 2, 2], "num_keypoints": 1}],
    }
    (tmp_path / "l.json").write_text(json.dumps(document))
    script = (
        "import sys\nfrom pathlib import Path\nfrom qm_cli.ingest import labels_json\n"
        "label = labels_json.read(Path(sys.argv[1]), False, fields=('keypoints',)).label\n"
        "assert 'num_keypoints' in label\nassert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "l.json")], check=True)


@pytest.mark.parametrize("counts", [[1, None], [0, 3]])
def test_counts_of_keypoints(tmp_path: Path, counts: list[int | None]) -> None:
    rows: list[dict[str, Any]] = [{"keypoints": [1, 2, 2], "num_keypoints": count} for count in counts]
    assert read(tmp_path, rows, "keypoints")["num_keypoints"].to_pylist() == counts
