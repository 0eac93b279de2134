"""Plans run: whole columns, one pass over the files, the same values whatever the shards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from qm_cli import engine
from qm_cli.backends.local import open_backend
from qm_cli.columns import available
from qm_cli.engine import Scores
from qm_cli.errors import MetricError
from qm_cli.metric import Metric, described, metric, tell
from qm_cli.pixels import Pixels
from qm_cli.tables import Tables
from tests.builders import tables

FILES = [f"{number}.png" for number in range(9)]


class Pair(NamedTuple):
    one: Any
    two: Any


@metric(level="image", kind="data", unit="share", range=(0, 1))
def redness(pixels: Pixels) -> Any:
    return pixels.rgb[..., 0].mean() / 255


@metric(level=("label", "prediction"), kind="data", unit="px")
def covered(pixels: Pixels) -> int:
    return int(pixels.mask.sum()) if pixels.mask is not None else 0


@metric(level="image", kind="data", unit="px")
def reddest(redness: Any, row_count: int) -> Any:
    return np.full(row_count, np.nanmax(redness, initial=0))


@metric(level="image", kind="data", unit="px")
def relative(pixels: Pixels, reddest: float, width: float) -> float:
    return pixels.rgb[0, 0, 0] / 255 / reddest + width


@metric(level="label", kind="label", unit="px")
def sides(bbox: Any, image_width: Any, *, scale: float = 1.0) -> Pair:
    return Pair(bbox[:, 2] * scale, image_width)


@metric(level="dataset", kind="label", unit="px")
def widest(label_one: Any) -> Any:
    return label_one.max(initial=0.0)


@metric(level="image", kind="data", unit="name")
def called(pixels: Pixels) -> str:
    return f"{pixels.width}"


def metrics(*functions: Callable[..., Any]) -> dict[str, Metric]:
    found = [described(one, level) for one in functions for level in vars(one)["__metric__"].level]
    return {one.id: one for one in found}


def dataset(sizes: bool = True) -> Tables:
    size = {"width": 8, "height": 6} if sizes else {}
    images = [{"id": f"i{n}", "file_name": name, **size} for n, name in enumerate(FILES)]
    boxes = [(0, 0, 2, 2), (1, 1, 4, 4), (6, 4, 2, 2), (0, 0, 3, 1)]
    common = [{"image_id": f"i{n * 2}", "category_id": 1, "bbox": list(box)} for n, box in enumerate(boxes)]
    labels = [{"id": n, "area": 1, "iscrowd": 0, **one} for n, one in enumerate(common)]
    categories = [{"id": 1, "name": "cat"}]
    return tables(
        {"images": images, "categories": categories, "annotations": labels}, [{**one, "score": 0.5} for one in common]
    )


def without_rows() -> Tables:
    given = dataset()
    return Tables(*(given.table(level).slice(0, 0) for level in ("image", "category", "label", "prediction")))


@pytest.fixture(scope="module")
def given() -> Tables:
    return dataset()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number, name in enumerate(FILES):
        Image.new("RGB", (8, 6), (number * 20, 0, 0)).save(folder / name)
    (folder / FILES[4]).write_bytes(b"broken")
    (folder / FILES[7]).unlink()
    return folder


def scored(given: Tables, chosen: dict[str, Metric], folder: Path | None = None, **more: Any) -> Scores:
    have = available(given, more.get("sources"), folder is not None)
    return engine.run(given, engine.plan(chosen, chosen, have), images=folder, **more)


def test_whole_columns(given: Tables) -> None:
    got = scored(given, metrics(sides, widest), options={"sides": {"scale": 2.0}, "label.sides": {"scale": 3.0}})
    assert got.columns["label"]["one"].tolist() == [6, 12, 6, 9]
    assert got.columns["label"]["two"].tolist() == [8, 8, 8, 8]
    assert got.columns["dataset"]["widest"].tolist() == [12]
    assert got.metrics["label", "two"].name == "sides"
    assert got.cells is None  # nothing was asked for of them
    assert np.isnan(got.sizes).all()
    assert got.findings == []


def test_only_what_was_requested_is_given(given: Tables) -> None:
    every = metrics(sides, widest)
    plan = engine.plan({"dataset.widest": every["dataset.widest"]}, every, available(given))
    got = engine.run(given, plan)
    assert list(got.columns) == ["dataset"]
    assert list(got.metrics) == [("dataset", "widest")]


def test_pixels(given: Tables, images: Path) -> None:
    heard: list[tuple[int, int]] = []
    got = scored(given, metrics(redness, covered), images, shards=3, progress=lambda *done: heard.append(done))
    expected = [np.nan if n in (4, 7) else n * 20 / 255 for n in range(9)]
    np.testing.assert_allclose(got.columns["image"]["redness"], expected)
    np.testing.assert_array_equal(got.columns["label"]["covered"], [4, 16, np.nan, 3])
    assert [(one.code, one.count, one.examples) for one in got.findings] == [
        ("image-missing-file", 1, ("7.png",)),
        ("image-unreadable", 1, ("4.png",)),
    ]
    assert got.sizes[0].tolist() == [8, 6]
    assert np.isnan(got.sizes[[4, 7]]).all()
    assert heard == [(3, 9), (6, 9), (9, 9)]


def test_pixels_and_columns_feed_each_other(given: Tables, images: Path) -> None:
    got = scored(given, metrics(relative, reddest, redness), images)
    np.testing.assert_allclose(got.columns["image"]["relative"][[0, 2, 8]], [8, 8.25, 9])


def test_the_same_bytes_whatever_shards_and_backend(given: Tables, images: Path) -> None:
    chosen = metrics(redness, covered, sides, relative, reddest, called)
    first = scored(given, chosen, images)
    with open_backend(2) as backend:
        others = [scored(given, chosen, images, shards=9), scored(given, chosen, images, shards=4, backend=backend)]
    for other in others:
        assert other.findings == first.findings
        for level, columns in first.columns.items():
            for name, values in columns.items():
                assert values.dtype == other.columns[level][name].dtype
                same = values.tolist() if values.dtype == object else values.tobytes()
                again = other.columns[level][name]
                assert same == (again.tolist() if again.dtype == object else again.tobytes())


def test_sizes_the_labels_lack_come_from_the_files_before_any_metric(images: Path) -> None:
    got = scored(dataset(sizes=False), metrics(sides), images)
    np.testing.assert_array_equal(got.columns["label"]["two"], [8, 8, np.nan, 8])
    assert [one.code for one in got.findings] == ["image-missing-file", "image-unreadable"]
    assert got.sizes[0].tolist() == [8, 6]


def test_no_file_is_opened_for_columns_alone(given: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qm_cli.image_pass.do", None)
    assert scored(given, metrics(sides), tmp_path).findings == []


def one_off(function: Callable[..., Any], level: str = "image", **facts: Any) -> dict[str, Metric]:
    return metrics(metric(**{"level": level, "kind": "data", "unit": "px", **facts})(function))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.arange(9, dtype=np.float32), np.float64),
        (np.arange(9, dtype=np.int32), np.int32),
        (np.arange(9) > 3, np.bool_),
        (["a"] * 9, np.object_),
        ([None, "a"] * 4 + [None], np.object_),
    ],
)
def test_dtypes(given: Tables, values: Any, dtype: Any) -> None:
    column = scored(given, one_off(lambda width: values))
    assert next(iter(column.columns["image"].values())).dtype == dtype


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.zeros(8), "gives 8, not one value for each of 9 rows"),
        (np.zeros((9, 2)), "gives 9 × 2, not one value for each of 9 rows"),
        (1.0, "gives a single value, not one value"),
        (np.zeros(9, complex), "gives complex128"),
        (np.zeros(9, "datetime64[s]"), "gives datetime64"),
    ],
)
def test_what_is_no_column(given: Tables, values: Any, told: str) -> None:
    with pytest.raises(MetricError, match=told):
        scored(given, one_off(lambda width: values))


def test_inputs_cannot_be_written_to(given: Tables) -> None:
    def spoils(width: Any) -> Any:
        width += 1
        return width

    with pytest.raises(
        MetricError, match=r"metric image\.spoils failed: test_engine\.py, line \d+: ValueError: .*read-only"
    ):
        scored(given, one_off(spoils))


def test_a_users_metric_that_cannot_take_no_rows_gives_none() -> None:
    def largest(width: Any) -> Any:
        return width / width.max()

    assert scored(without_rows(), one_off(largest)).columns["image"]["largest"].shape == (0,)


@pytest.mark.parametrize(
    ("values", "facts", "expected", "dtype"),
    [
        ([1, 2, 3], {}, [1, 2, 3], np.int64),
        ([1, None, 3], {}, [1, np.nan, 3], np.float64),
        ([1, 2, 3], {"range": (0, 9)}, [1, 2, 3], np.float64),
        ([True, False, True], {}, [True, False, True], np.bool_),
        ([True, None, True], {}, [True, None, True], np.object_),
        (["a", None, "b"], {}, ["a", None, "b"], np.object_),
        ([None, None, None], {}, [None, None, None], np.object_),
        ([None, None, None], {"range": (0, 1)}, [np.nan] * 3, np.float64),
    ],
)
def test_one_value_per_sample_to_a_column(values: Any, facts: Any, expected: Any, dtype: Any) -> None:
    chosen = next(iter(one_off(lambda pixels: 0, **facts).values()))
    column = engine._typed(values, chosen, chosen.outputs[0])
    assert column.dtype == dtype
    np.testing.assert_array_equal(column, np.array(expected, dtype))


def test_text_with_a_range() -> None:
    chosen = next(iter(one_off(lambda pixels: 0, range=(0, 1)).values()))
    with pytest.raises(MetricError, match="gives text, but declares a range"):
        engine._typed(["a"], chosen, chosen.outputs[0])


def test_sources_are_columns_like_any_other(given: Tables) -> None:
    def doubled(speed: Any) -> Any:
        return speed * 2

    got = scored(given, one_off(doubled), sources={("image", "speed"): np.arange(9)})
    assert got.columns["image"]["doubled"].tolist() == list(range(0, 18, 2))


@metric(level=("image", "label"), kind="data", unit="vector")
def corner(pixels: Pixels, *, numbers: int = 3) -> Any:
    if pixels.width == 2:
        return None
    return np.arange(numbers, dtype=np.float32) + np.float32(pixels.rgb[0, 0, 0])


@metric(level="image", kind="data", unit="level")
def first_number(corner: Any) -> Any:
    tell("numbers are rounded")
    return corner[:, 0].round() if corner.shape[1] else np.full(len(corner), np.nan)


def test_vectors_stand_apart_and_feed_other_metrics(given: Tables, images: Path) -> None:
    known = {one.id: one for one in (described(corner, "image"), described(first_number, "image"))}
    chosen = {"image.first_number": known["image.first_number"]}
    plan = engine.plan(chosen, known, available(given, images=True))
    whole, parts = (engine.run(given, plan, images=images, shards=shards) for shards in (1, 4))
    vectors = whole.vectors["image", "corner"]
    assert vectors.dtype == np.float32
    assert vectors.shape[1] == 3
    np.testing.assert_array_equal(vectors, parts.vectors["image", "corner"])
    np.testing.assert_array_equal(whole.columns["image"]["first_number"], vectors[:, 0])
    assert list(whole.columns["image"]) == ["first_number"]
    assert whole.notes == ("numbers are rounded",)


def test_vectors_that_are_given_are_not_computed(given: Tables) -> None:
    known = {one.id: one for one in (described(corner, "image"), described(first_number, "image"))}
    sources = {("image", "corner"): np.ones((given.count("image"), 2), np.float32)}
    plan = engine.plan({"image.first_number": known["image.first_number"]}, known, available(given, sources))
    assert not any(step.metric.per_sample for step in plan.steps)
    scores = engine.run(given, plan, sources)
    assert scores.columns["image"]["first_number"].tolist() == [1.0] * given.count("image")
    assert scores.vectors["image", "corner"].shape == (given.count("image"), 2)


@metric(level="image", kind="data", unit="px")
def own_width(width: Any, file_width: Any = None) -> Any:
    return width if file_width is None else np.where(np.isnan(file_width), width, file_width)


@metric(level="label", kind="data", unit="px")
def own_width_of_image(image_file_width: Any) -> Any:
    return image_file_width


@pytest.fixture
def contradicted(tmp_path: Path) -> Tables:
    """Four images said to be 20 wide that are 5, 6, 7 wide and gone; a label on the first two."""
    for number in range(3):
        Image.new("RGB", (5 + number, 9)).save(tmp_path / f"{number}.png")
    rows = [{"id": n, "file_name": f"{n}.png", "width": 20, "height": 9} for n in range(4)]
    objects = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 2, 2]} for n in range(2)]
    return tables({"images": rows, "categories": [{"id": 1, "name": "one"}], "annotations": objects}, [])


WIDTHS = {one.id: one for one in (described(own_width, "image"), described(own_width_of_image, "label"))}


@pytest.mark.parametrize(
    "others",
    [(), (described(redness, "image"),), (described(covered, "label"),)],
    ids=["headers", "images", "labels"],
)
def test_the_files_own_sizes(contradicted: Tables, tmp_path: Path, others: tuple[Metric, ...]) -> None:
    known = {**WIDTHS, **{one.id: one for one in others}}
    plan = engine.plan(known, known, available(contradicted, images=True))
    assert any(step.metric.per_sample for step in plan.steps) == bool(others)
    scores = engine.run(contradicted, plan, images=tmp_path, shards=2)
    assert scores.columns["image"]["own_width"].tolist() == [5, 6, 7, 20]
    assert scores.columns["label"]["own_width_of_image"].tolist() == [5, 6]
    assert {one.code: one.count for one in scores.findings} == {"image-missing-file": 1, "image-size-differs": 3}
    assert scores.sizes[:3].tolist() == [[5, 9], [6, 9], [7, 9]]


def test_files_are_not_opened_again_for_their_sizes(contradicted: Tables, tmp_path: Path) -> None:
    opened: list[int] = []
    known = {**WIDTHS, "image.redness": described(redness, "image")}
    plan = engine.plan(known, known, available(contradicted, images=True))
    engine.run(contradicted, plan, images=tmp_path, progress=lambda done, _: opened.append(done))
    assert opened == [4]


def test_without_images_there_are_no_sizes_of_files(contradicted: Tables) -> None:
    plan = engine.plan(WIDTHS, WIDTHS, available(contradicted))
    assert [one.metric for one in plan.skipped] == ["label.own_width_of_image"]
    assert engine.run(contradicted, plan).columns["image"]["own_width"].tolist() == [20] * 4


@metric(level="image", kind="data", unit="px")
def wider_than_read(pixels: Pixels, file_width: float) -> float:
    return pixels.width - file_width


def test_a_metric_of_pixels_may_ask_for_the_files_sizes(contradicted: Tables, tmp_path: Path) -> None:
    known = {"image.wider_than_read": described(wider_than_read, "image")}
    plan = engine.plan(known, known, available(contradicted, images=True))
    found = engine.run(contradicted, plan, images=tmp_path).columns["image"]["wider_than_read"]
    np.testing.assert_array_equal(found, [0, 0, 0, np.nan])


def test_metadata_of_that_name_serves_without_images() -> None:
    document = {"images": [{"id": 1, "width": 4, "height": 4, "file_width": 7}], "categories": [], "annotations": []}
    given = tables(document, [])
    plan = engine.plan(WIDTHS, WIDTHS, available(given))
    assert engine.run(given, plan).columns["image"]["own_width"].tolist() == [7]
