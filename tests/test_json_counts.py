from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from qm_cli import json_counts
from qm_cli.json_counts import byte_counts, expected_counts, key_count


def test_a_file_of_plain_numbers_has_the_expected_counts(tmp_path: Path) -> None:
    rows = [{"image_id": 1, "url": "lulu", "counts": text} for text in ("ul", "0l")]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(rows))
    texts, strings = pa.array(['"lulu"', '"lulu"']), pa.array(["ul", "0l"])
    assert byte_counts(path) == expected_counts(["image_id", "url", "counts"], 2, [texts], [strings])
    path.write_text(json.dumps([{**rows[0], "image_id": "1"}, rows[1]]))
    assert byte_counts(path) != expected_counts(["image_id", "url", "counts"], 2, [texts], [strings])


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
def test_keys_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(json_counts, "BLOCK_BYTES", block)
    for text in (b"", b'"', b'":', b'{"a":1,"b": {"c":":"}}', b'::"":"":"' * 5):
        assert key_count(text) == text.count(b'":')
