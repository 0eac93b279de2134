"""A mended copy has no errors left, keeps what was right, and the list says what was done."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qm_cli.analysis.check import check
from qm_cli.analysis.mend import mend
from qm_cli.errors import InputError, UsageError
from qm_cli.load import load_tables
from qm_cli.whole_images import problems_of
from tests.input_files import Row, document, image, label, prediction, without, write

POLYGON = [[10, 10, 30, 10, 30, 30]]
RLE = {"size": [80, 100], "counts": [7000, 1000]}


def mended(folder: Path, labels: Row) -> tuple[Row, dict[tuple[str, str], int]]:
    source = write(folder / "l.json", labels)
    before = source.read_bytes()
    (folder / "out.json").unlink(missing_ok=True)
    log = mend(source, folder / "out.json")
    assert source.read_bytes() == before
    return json.loads((folder / "out.json").read_text()), {(one.code, one.how): one.count for one in log}


CASES: list[tuple[list[Row], list[Row], dict[tuple[str, str], int]]] = [
    ([label(1), label(1)], [label(1)], {("label-duplicate-id", "exact repeats removed"): 1}),
    (
        [label(1), label(1, area=5)],
        [label(1), label(2, area=5)],
        {("label-duplicate-id", "given a new id"): 1},
    ),
    ([without(label(), "id"), label(5)], [label(6), label(5)], {("label-missing-id", "given a new id"): 1}),
    (
        [without(label(), "id"), label("a")],
        [label("qm-1"), label("a")],
        {("label-missing-id", "given a new id"): 1},
    ),
    ([label(1), label(2, image_id=9)], [label(1)], {("label-unknown-image", "removed"): 1}),
    ([label(1), label(2, category_id=9)], [label(1)], {("label-unknown-category", "removed"): 1}),
    ([label(1), label(2, bbox=[1, 2, 3])], [label(1)], {("label-bad-box", "removed"): 1}),
    ([label(1), label(2, bbox=[1, 2, -3, 4])], [label(1)], {("label-bad-box", "removed"): 1}),
    ([label(1), label(2, bbox=[1, 2, 0, 4])], [label(1)], {("label-zero-area", "removed"): 1}),
    (
        [label(1, bbox=[90, 70, 20, 20])],
        [label(1, bbox=[90, 70, 10, 10], area=100)],
        {("label-outside-image", "clipped"): 1},
    ),
    ([label(1), label(2, bbox=[200, 70, 20, 20])], [label(1)], {("label-outside-image", "removed"): 1}),
    ([without(label(1), "area")], [label(1)], {("label-missing-area", "derived"): 1}),
    ([label(1, area=-4)], [label(1)], {("label-bad-area", "derived"): 1}),
    ([without(label(1), "iscrowd")], [label(1)], {("label-missing-iscrowd", "set to 0"): 1}),
    (
        [label(1), without(label(2, segmentation=POLYGON), "bbox", "area")],
        [label(1), label(2, segmentation=POLYGON, area=200)],
        {("label-bad-box", "derived from polygon"): 1, ("label-missing-area", "derived"): 1},
    ),
    (
        [label(n, bbox=[n / 10, 0.1, 0.2, 0.25]) for n in range(1, 5)],
        [label(n, bbox=[n * 10, 8, 20, 20]) for n in range(1, 5)],
        {("boxes-normalised", "converted"): 1},
    ),
    (
        [label(n, bbox=[60 + n, 50, 80 + n, 70]) for n in range(1, 5)],
        [label(n, bbox=[60 + n, 50, 20, 20]) for n in range(1, 5)],
        {("boxes-corners", "converted"): 1},
    ),
    ([without(label(1), "bbox")], [without(label(1), "bbox")], {}),
    ([label(1), {}], [label(1)], {("label-empty", "removed"): 1}),
    (
        [label(1, segmentation={"size": [1, 2], "counts": "1"}), label(2, segmentation=RLE)],
        [label(1), label(2, segmentation=RLE)],
        {("label-bad-mask", "shape removed"): 1},
    ),
    (
        [label(1, segmentation="x"), label(2, segmentation=[*POLYGON, [1, 2]]), label(3, segmentation=[])],
        [label(1), label(2, segmentation=POLYGON), label(3, segmentation=[])],
        {("label-bad-polygon", "shape removed"): 1, ("label-bad-polygon", "bad parts removed"): 1},
    ),
]


@pytest.mark.parametrize(("rows", "expected", "log"), CASES)
def test_annotations(tmp_path: Path, rows: list[Row], expected: list[Row], log: dict[tuple[str, str], int]) -> None:
    rows = [{**row, "annotator": "kept"} if row else row for row in rows]
    content, done = mended(tmp_path, document(labels=copy.deepcopy(rows)))
    assert done == log
    for row, wanted in zip(content["annotations"], expected, strict=True):
        box = row.pop("bbox", None)
        area = row.pop("area", None)
        assert row == {**without(wanted, "bbox", "area"), "annotator": "kept"}
        assert box == pytest.approx(wanted["bbox"]) if "bbox" in wanted else box is None
        assert area == pytest.approx(wanted.get("area"))


def test_images_and_categories(tmp_path: Path) -> None:
    images = [image(1, weather="fog"), image(1, file_name="b.jpg"), image(2, width=-1), without(image(), "id")]
    categories = [{"id": 1, "name": "a", "x": 1}, {"id": 1, "name": "b"}]
    source = {**document(images, [], categories), "info": {"year": 2024}}
    content, done = mended(tmp_path, source)
    assert content["images"] == [image(1, weather="fog"), without(image(2), "width", "height")]
    assert content["categories"] == categories[:1]
    assert content["info"] == {"year": 2024}
    assert done == {
        ("image-duplicate-id", "removed"): 1,
        ("image-missing-id", "removed"): 1,
        ("image-bad-size", "size removed"): 1,
        ("category-duplicate-id", "removed"): 1,
    }


NUMBERS = st.sampled_from([-5, 0, 0.25, 1, 30, 99, 400])
ANNOTATIONS = st.lists(
    st.fixed_dictionaries(
        {"image_id": st.sampled_from([1, 1, 1, 2, 8]), "category_id": st.sampled_from([1, 7, 9])},
        optional={
            "id": st.integers(0, 4),
            "bbox": st.one_of(st.none(), st.lists(NUMBERS, min_size=3, max_size=4)),
            "area": st.sampled_from([None, -1, 0, 5]),
            "iscrowd": st.sampled_from([0, 1, None]),
        },
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ANNOTATIONS)
def test_nothing_mendable_is_left(tmp_path: Path, rows: list[Row]) -> None:
    for name in ("out.json", "again.json"):
        (tmp_path / name).unlink(missing_ok=True)
    mend(write(tmp_path / "l.json", document(labels=rows)), tmp_path / "out.json")
    loaded = load_tables(tmp_path / "out.json", None)
    left = {one.code for one in check(loaded, None, problems_of) if one.rule.severity != "info"}
    assert left <= {"boxes-normalised", "boxes-corners"}
    assert mend(tmp_path / "out.json", tmp_path / "again.json") == [] or left


def test_with_predictions(tmp_path: Path) -> None:
    rows: list[Any] = [
        prediction(x=1),
        prediction(image_id=9),
        prediction(category_id=9),
        prediction(bbox=[0, 0, 0, 5]),
        prediction(bbox=[90, 0, 20, 5]),
        without(prediction(), "score"),
        None,
        without(prediction(), "image_id"),
        without(prediction(), "category_id"),
    ]
    labels = write(tmp_path / "l.json", document())
    source = write(tmp_path / "p.json.gz", gzip.compress(json.dumps(rows).encode()))
    log = mend(labels, tmp_path / "out", {"better": source})
    assert {(one.code, one.how, one.file) for one in log} == {
        ("prediction-unknown-image", "removed", "p.json.gz"),
        ("prediction-unknown-category", "removed", "p.json.gz"),
        ("prediction-zero-area", "removed", "p.json.gz"),
        ("prediction-outside-image", "clipped", "p.json.gz"),
        ("prediction-missing-score", "removed", "p.json.gz"),
        ("prediction-empty", "removed", "p.json.gz"),
        ("prediction-missing-image-id", "removed", "p.json.gz"),
        ("prediction-missing-category-id", "removed", "p.json.gz"),
    }
    kept = json.loads((tmp_path / "out/predictions/better.json").read_text())
    assert kept == [prediction(x=1), prediction(bbox=[90, 0, 10, 5])]
    assert (
        check(load_tables(tmp_path / "out/labels.json", tmp_path / "out/predictions/better.json"), None, problems_of)
        == []
    )
    assert log[1].sentence().startswith("p.json.gz: prediction-unknown-image: 1 × prediction for an image that")
    assert json.dumps(log[0].as_dict())


def test_refused(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document())
    with pytest.raises(UsageError, match="is an input; a mended copy never replaces it"):
        mend(labels, labels)
    with pytest.raises(InputError, match="nothing would be left"):
        mend(labels, tmp_path / "out", {"p": write(tmp_path / "p.json", [prediction(image_id="x")])})
    with pytest.raises(InputError, match="no list of predictions"):
        mend(labels, tmp_path / "out", {"p": write(tmp_path / "p.json", [3])})
    with pytest.raises(InputError, match="cannot be mended"):
        mend(write(tmp_path / "bad.json", "{"), tmp_path / "out.json")
    with pytest.raises(InputError, match="no COCO label file"):
        mend(write(tmp_path / "list.json", "[]"), tmp_path / "out.json")
    with pytest.raises(InputError, match="a folder of files cannot be mended"):
        mend(tmp_path, tmp_path / "out.json")
    with pytest.raises(InputError, match="a table cannot be mended"):
        mend(write(tmp_path / "classes.csv", "id,category"), tmp_path / "out.json")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.json").exists()


def test_null_rows_of_labels(tmp_path: Path) -> None:
    content, done = mended(tmp_path, document([image(1), None], [label(1), None]))  # type: ignore[list-item]
    assert (len(content["images"]), content["annotations"]) == (1, [label(1)])
    assert done == {("image-missing-id", "removed"): 1, ("label-empty", "removed"): 1}


def test_nothing_of_the_users_is_replaced(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", document())
    output = tmp_path / "out"
    write(output / "notes.txt", "mine")
    with pytest.raises(UsageError, match=r"out: the folder holds notes.txt \(name a new folder"):
        mend(labels, output)
    (output / "notes.txt").unlink()
    mend(labels, output, images=tmp_path / "pictures", prob_categories=["cat", "é"])
    settings = (output / "qm.toml").read_text()
    assert settings.splitlines()[1:] == ['images = "../pictures"', 'prob_categories = ["cat", "é"]']
    write(output / "predictions" / "old.json", "[]")
    mend(labels, output)
    assert sorted(path.name for path in output.iterdir()) == ["labels.json", "qm.toml"]
    write(output / "qm-run" / "x", "mine")
    with pytest.raises(UsageError, match="the folder holds qm-run"):
        mend(labels, output)
    (output / "qm.toml").unlink()
    with pytest.raises(UsageError, match=r"the folder holds labels\.json, qm-run"):
        mend(labels, output)
    for name in ("file", "file.json"):
        write(tmp_path / name, "mine")
        with pytest.raises(UsageError, match="exists already, and nothing of yours is replaced"):
            mend(labels, tmp_path / name)
    with pytest.raises(InputError, match="cannot be written"):
        mend(labels, tmp_path / "file" / "below")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = write(tmp_path / "l.json", document())
    output = tmp_path / "out"
    mend(labels, output)
    before = (output / "labels.json").read_bytes()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    write(labels, document(labels=[]))
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        mend(labels, output)
    assert (output / "labels.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.json", "out"]
