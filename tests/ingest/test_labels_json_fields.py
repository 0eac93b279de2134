"""Fields that a convention asks for: scalars and lists of ids, none where no entry has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError
from qm_cli.ingest import labels_json
from qm_cli.ingest.labels_json_fields import add_fields
from qm_cli.load import load_tables
from qm_cli.raw import RawLabels
from qm_cli.settings import FIELDS
from tests.input_files import document, image, label, prediction, write


def read(folder: Path, fields: Any, metadata: bool = False, **parts: Any) -> RawLabels:
    path = write(folder / "labels.json", document(**parts))
    raw = labels_json.read(path, False, metadata)
    add_fields(raw, path, fields)
    return raw


def test_scalars_and_lists(tmp_path: Path) -> None:
    raw = read(
        tmp_path,
        FIELDS["lvis"],
        images=[image(1, neg_category_ids=[7, 1]), image(2), image(3, neg_category_ids=None)],
        labels=[label(1, ignore=1), label(2)],
        categories=[{"id": 1, "name": "cat", "frequency": "r"}],
    )
    assert raw.image["neg_category_ids"].to_pylist() == [[7, 1], [], []]
    assert raw.label["ignore"].to_pylist() == [1, None]
    assert raw.category["frequency"].to_pylist() == ["r"]
    assert "not_exhaustive_category_ids" not in raw.image


def test_ids_may_be_text(tmp_path: Path) -> None:
    raw = read(tmp_path, FIELDS["lvis"], images=[image(1, neg_category_ids=["a"])])
    assert raw.image["neg_category_ids"].to_pylist() == [["a"]]


def test_what_metadata_has_read_stays(tmp_path: Path) -> None:
    raw = read(tmp_path, FIELDS["voc12"], metadata=True, labels=[label(1, difficult=1)])
    assert raw.label["difficult"].to_pylist() == [1]


def test_mixed_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"images.neg_category_ids\[2\]: the id 'a' is not an integer"):
        read(tmp_path, FIELDS["lvis"], images=[image(1, neg_category_ids=[1, 2, "a"])])


def test_they_reach_the_tables_when_asked_for_alone(tmp_path: Path) -> None:
    images = [image(1, neg_category_ids=[7])]
    labels = write(tmp_path / "labels.json", document(images, [label(1, ignore=1)]))
    predictions = write(tmp_path / "predictions.json", [prediction()])
    plain = load_tables(labels, predictions)
    assert not {"neg_category_ids", "ignore"} & {*plain.image.column_names, *plain.label.column_names}
    asked = load_tables(labels, predictions, fields=FIELDS["lvis"])
    assert asked.image["neg_category_ids"].to_pylist() == [[7]]
    assert asked.label["ignore"].to_pylist() == [1]
