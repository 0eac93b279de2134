"""What is wrong with JSON is said in words, with the place."""

from __future__ import annotations

import msgspec
import pytest

from qm_cli.json_faults import CUT_OFF, fault, not_finite, not_utf8, repeated_key, repeated_top_key


def of(content: bytes) -> tuple[str, str]:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        msgspec.json.decode(content)
    return fault(content, caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": [1, {"b": [2, NaN]}]}', "a[1].b[1]: expected a finite number, got NaN"),
        (b"[1, -Infinity, NaN]", "[1]: expected a finite number, got -Infinity"),
        (b'{"a": "\xe9"}', "not UTF-8 text: byte 0xe9 at position 7"),
        (b'{"a": x, "b": "\xe9"}', "not valid JSON: JSON is malformed: invalid character (byte 6)"),
        (b'{"a": "NaN", }', "not valid JSON: JSON is malformed: trailing comma"),
        (b'["\\ud800"]', "not valid JSON: half of a surrogate pair"),
    ],
)
def test_fault(content: bytes, reason: str) -> None:
    said, hint = of(content)
    assert said.startswith(reason)
    assert hint not in ("", CUT_OFF)


@pytest.mark.parametrize("content", [b'{"a": [1, 2', b'["x', b'{"a": NaN'])
def test_cut_off(content: bytes) -> None:
    said, hint = of(content)
    assert (hint == CUT_OFF) == ("NaN" not in content.decode())
    assert said.startswith("not valid JSON")


def test_not_utf8() -> None:
    assert not_utf8("é".encode()) == not_utf8(b"plain") == ""
    assert not_utf8(b"ab\xff") == "not UTF-8 text: byte 0xff at position 2"
    assert not_utf8(b"ab\xff", before=1) == ""


def test_not_finite() -> None:
    assert not_finite(b'["NaN"]') == not_finite(b"[NaN") == not_finite(b"[1]") == ""
    assert not_finite(b'\xef\xbb\xbf{"x": Infinity}') == "x: expected a finite number, got Infinity"
    assert not_finite(b'{"Infinity": ' + b"[" * 100_000) == ""


def test_repeated_key() -> None:
    assert repeated_key(b'{"a": [{}, {"b": {"c": 1, "c": 2}}]}') == 'a[1].b: the key "c" stands twice in one object'
    assert repeated_key(b'{"a": 1, "a": 2}') == 'the key "a" stands twice in one object'
    assert repeated_key(b'[{"a": 1}, {"a": 1}]') == repeated_key(b"[" * 100_000) == ""


def test_repeated_top_key() -> None:
    assert repeated_top_key(b'{"a": [{"a": 1}], "b": 1}', ["a", "b"]) == ""
    assert repeated_top_key(b'{"a": [], "b": 1, "a" : 3}', ["a", "b"]) == 'the key "a" stands twice in one object'
    assert repeated_top_key(b'{"a": ' + b"[" * 100_000 + b'"a"', ["a"]) == ""
