"""Flags of labels: numbers and booleans are flags, nulls are none, text is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.label_flags import label_flag, labels_that_count, posed_labels
from qm_cli.load import load_tables
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


def test_keypoints_that_nobody_sees_are_no_pose(tmp_path: Path) -> None:
    rows = [label(1, iscrowd=1, keypoints=[1, 1, 2] * 17), label(2, keypoints=[0, 0, 0] * 17)]
    rows.append(label(3, keypoints=[1, 1, 2] * 17))
    found = {"image_id": 1, "category_id": 1, "score": 0.9, "keypoints": [1, 1, 2] * 17}
    tables = load_tables(*builders.write(tmp_path, document([image(1)], rows), [found]), task="keypoints")
    assert posed_labels(tables, "keypoints").tolist() == [False, False, True]
    assert posed_labels(tables, "bbox").tolist() == [False, True, True]


def test_none_are_posed_where_there_are_none() -> None:
    assert posed_labels(loaded(), "keypoints").tolist() == []
