"""Flags of labels: numbers and booleans are flags, nulls are none, text is refused."""

from __future__ import annotations

from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.label_flags import label_flag, labels_that_count
from tests import builders
from tests.input_files import document, image, label


def loaded(*flags: Any) -> Any:
    rows = [label(n, **({} if flag is ... else {"difficult": flag})) for n, flag in enumerate(flags, 1)]
    return builders.tables(document([image(1)], rows), [])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((1, 0, None, ...), [True, False, False, False]),
        ((True, False, None), [True, False, False]),
        ((1.0, 0.0), [True, False]),
        ((..., ...), [False, False]),
        ((None, None), [False, False]),
    ],
)
def test_flags(flags: tuple[Any, ...], expected: list[bool]) -> None:
    assert label_flag(loaded(*flags), "difficult").tolist() == expected


def test_text_is_no_flag() -> None:
    with pytest.raises(InputError, match=r"annotations: difficult holds text \(write 0 or 1\)"):
        label_flag(loaded("yes", "no"), "difficult")


def test_crowds_never_count() -> None:
    rows = [label(1, iscrowd=1), label(2, difficult=1), label(3)]
    tables = builders.tables(document([image(1)], rows), [])
    assert labels_that_count(tables).tolist() == [False, True, True]
    assert labels_that_count(tables, "difficult").tolist() == [False, False, True]
