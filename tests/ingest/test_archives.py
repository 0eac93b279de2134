"""Packed files are unpacked, damaged ones refused, kinds told by the first bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import archives
from tests.input_files import write

TEXT = b'[{"image_id": 1}]' * 100


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


@pytest.mark.parametrize("packed", [gzip.compress(TEXT), zstd(TEXT), TEXT], ids=["gzip", "zstd", "plain"])
def test_plain(tmp_path: Path, packed: bytes) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    path = archives.plain(write(tmp_path / "whatever.json", packed), folder, "w")
    assert path.read_bytes() == TEXT


@pytest.mark.parametrize("packed", [gzip.compress(TEXT), zstd(TEXT)], ids=["gzip", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged(tmp_path: Path, packed: bytes, damage: str) -> None:
    bad = packed[:-8] if damage == "cut" else packed[:14] + bytes(255 - b for b in packed[14:])
    with pytest.raises(InputError, match=r"w.json: damaged archive: .*copy or compress the file again") as caught:
        archives.plain(write(tmp_path / "x" / "p.json.gz", bad), tmp_path, "w.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PAR1", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"\xff\xff\xff\xff", "arrow"),
        (b"\xef\xbb\xbf \n[", "list"),
        (b" {", "object"),
        (b"", "other"),
    ],
    ids=["parquet", "arrow", "stream", "list", "object", "empty"],
)
def test_kind(tmp_path: Path, head: bytes, kind: str) -> None:
    assert archives.kind(write(tmp_path / "x", head), "x") == kind


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"w: a folder, not a file"):
        archives.kind(tmp_path, "w")
    with pytest.raises(InputError, match=r"w: no such file"):
        archives.kind(tmp_path / "none", "w")
    with pytest.raises(InputError, match=r"w: Feather version 1 is not read"):
        archives.kind(write(tmp_path / "x", b"FEA1"), "w")
