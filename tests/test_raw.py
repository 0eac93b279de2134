"""Columns from Python values and from JSON texts."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.errors import InputError
from qm_cli.raw import RawPredictions, identifiers, leaving, numbers, scalars


@given(st.one_of(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))), st.lists(st.text())))
def test_identifiers_keep_their_values(values: list[Any]) -> None:
    assert identifiers(values, "x").to_pylist() == values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, "a"], r"x\[1\]: the id 'a' is not an integer like the other ids"),
        (["a", None, 1, 2], r"x\[0\]: the id 'a' is not an integer like the other ids"),
        (["a", "b", 1], r"x\[2\]: the id 1 is not a string like the other ids"),
        ([1, 2**63], r"x\[1\]: the id does not fit 64 bits"),
    ],
)
def test_identifiers_refused(values: list[Any], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        identifiers(values, "x")


def test_numbers_and_scalars() -> None:
    assert numbers([1, None, 2.5]).to_pylist() == [1, None, 2.5]
    assert scalars([True, None]).to_pylist() == [True, None]
    assert scalars([1, "a", None, 2.5, [3]]).to_pylist() == ["1", "a", None, "2.5", None]
    assert scalars([None, {}]) is None


def test_leaving() -> None:
    inside = ["a.jpg", "a/../b.jpg", "a/b..jpg", "./x", None, "s/..t"]
    outside = ["/a.jpg", "../a.jpg", "a/../../b.jpg", "C:\\x.jpg", "..\\x", "s3://bucket/x.jpg", "\\\\host\\x"]
    assert not leaving(pa.array(inside)).any()
    assert leaving(pa.array(outside)).all()


def test_lacking() -> None:
    raw = RawPredictions("p", {}, ("image", "score"))
    assert raw.lacking("image_id", ("image",)) == (
        "no prediction has an image_id; the fields are image, score; `image` looks like one: call it `image_id`"
    )
    assert RawPredictions("p", {}).lacking("bbox", ()) == "no prediction has a bbox"
