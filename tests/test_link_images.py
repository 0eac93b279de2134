"""Names of images → rows; what would fit when ids do not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from qm_cli.errors import InputError
from qm_cli.link_images import image_rows, missing, name_rows, unmatched
from qm_cli.raw import RawPredictions

IMAGE = pa.table({"id": [10, 11, 12, 13], "file_name": ["a/x.jpg", "b/x.jpg", "c/007.PNG", None]})


@pytest.mark.parametrize(
    ("match_by", "names", "rows"),
    [
        ("file_name", ["a/x.jpg", "x.jpg", "007.PNG", "z/007.PNG", "", None], [0, -1, 2, 2, -1, -1]),
        ("stem", ["7", "007", "c\\007.jpeg", "x", None], [2, 2, 2, -1, -1]),
    ],
)
def test_name_rows(match_by: str, names: list[str], rows: list[int]) -> None:
    assert name_rows(pa.array(names, pa.string()), IMAGE, match_by).tolist() == rows


def test_what_would_fit() -> None:
    raw = RawPredictions("p", {"image_id": pa.array([7, 8])})
    rows, findings = image_rows(raw, IMAGE, "id")
    assert (rows.tolist(), findings) == ([-1, -1], [])
    detail, [found] = unmatched(raw, IMAGE, rows, "id", tolerant=True)
    assert detail == "0 of its 2 image ids match; --match-by stem would match 1 of 2"
    assert found.code == "prediction-other-set"
    with pytest.raises(InputError, match="none of its 2 image ids"):
        unmatched(raw, IMAGE, rows, "id", tolerant=False)
    by_id = RawPredictions("p", {"image_id": pa.array([10, 11])})
    rows, _ = image_rows(by_id, IMAGE, "stem")
    assert (
        unmatched(by_id, IMAGE, rows, "stem", True)[0] == "0 of its 2 image ids match; --match-by id would match 2 of 2"
    )


def test_predictions_that_name_no_image() -> None:
    none = pa.nulls(2, pa.int64())
    raw = RawPredictions("p", {"image_id": none, "file_name": pa.array(["a/x.jpg", "q"])}, ("file_name",))
    assert missing(raw, IMAGE, "id", tolerant=True) == "--match-by file_name would match 1 of 2"
    with pytest.raises(InputError, match="no prediction has an image_id; the fields are file_name"):
        missing(raw, IMAGE, "id", tolerant=False)
    nameless = RawPredictions("p", {"image_id": none}, ("img",))
    assert "`img` looks like one: call it `image_id`" in missing(nameless, IMAGE, "id", tolerant=True)
