from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from qm_cli.json_counts import byte_counts, expected_counts


def test_a_file_of_plain_numbers_has_the_expected_counts(tmp_path: Path) -> None:
    rows = [{"image_id": 1, "url": "lulu", "counts": text} for text in ("ul", "0l")]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(rows))
    texts, strings = pa.array(['"lulu"', '"lulu"']), pa.array(["ul", "0l"])
    assert byte_counts(path) == expected_counts(["image_id", "url", "counts"], 2, [texts], [strings])
    path.write_text(json.dumps([{**rows[0], "image_id": "1"}, rows[1]]))
    assert byte_counts(path) != expected_counts(["image_id", "url", "counts"], 2, [texts], [strings])
