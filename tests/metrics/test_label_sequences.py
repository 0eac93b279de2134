from __future__ import annotations

from collections.abc import Callable
from math import log10, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qm_cli import catalog, engine
from qm_cli.columns import available
from qm_cli.errors import UsageError
from qm_cli.metrics import label_sequences
from tests.builders import tables
from tests.metrics.examples import Example, check, complete, objects, plain
from tests.oracles import sequences_loop

NAN = float("nan")
BOX, NEAR, HALF, AWAY = [0.0, 0, 10, 10], [0.0, 0, 10, 9], [0.0, 0, 10, 4], [50.0, 50, 10, 10]
ONE_VIDEO = {"image_frame_place": [0.0, 1, 2, 3, NAN], "image_frame_run": [0.0, 0, 0, 0, NAN]}
CHANGING = {"bbox": [BOX, NEAR, NEAR, AWAY, BOX], "category_row": [0, 1, 1, 1, 0], **ONE_VIDEO}
GAPPED = {
    "bbox": [BOX, AWAY, NEAR, [NAN] * 4],
    "category_row": [0, 0, 0, 0],
    "image_frame_place": [0.0, 1, 2, 2],
    "image_frame_run": [0.0, 0, 0, 0],
}
STEADY = {
    "bbox": [BOX, NEAR, BOX],
    "category_row": [0, 0, 0],
    "image_frame_place": [0.0, 1, 2],
    "image_frame_run": [0.0] * 3,
}
TRACK = {
    "area_absolute": [100.0, 100, 100, 100, 50, NAN],
    "aspect_ratio": [2.0, 2, 2, 2, 1, 2],
    "image_row": [0, 1, 2, 3, 4, 5],
    "track_id": [7] * 6,
    "image_video_number": [0.0] * 6,
}
SHAPES = {
    "bbox": [[0.0, 0, 8, 4], [2, 2, 16, 8], [2, 2, 4, 4], [0, 0, 0, 4], [0, 0, 8, 4]],
    "track_id": [7, 7, 7, 7, 8],
    "image_video_number": [0.0] * 5,
    "image_frame_run": [0.0] * 5,
    "image_frame_place": [0.0, 1, 2, 3, 4],
}
OBLONG = (log10(1 + 80 / 384e-6), log10(1 + (48 / 384) ** 2 / 1e-6))
"""Hu's first two moments of a 2 : 1 box, (w² + h²) / 12wh and ((w² − h²) / 12wh)², on the logarithmic scale."""
TO_SQUARE = OBLONG[0] / sqrt(OBLONG[0] ** 2 + OBLONG[1] ** 2)

EXAMPLES = [
    Example(label_sequences.track_consistency, CHANGING, [None, 0.1, 1.0, 1.0, None]),
    Example(label_sequences.track_consistency, CHANGING, [None, 1.0, 1.0, 1.0, None], {"threshold": 0.95}),
    Example(
        label_sequences.track_consistency,
        {**CHANGING, "track_id": objects(["a", "b", "c", None, None])},
        [None, 0.1, 0.0, 1.0, None],
    ),
    Example(
        label_sequences.track_consistency,
        {**CHANGING, "image_frame_run": [0.0, 1, 2, 3, NAN]},
        [None] + [1.0] * 3 + [None],
    ),
    Example(label_sequences.missing_next, GAPPED, [0.0, 1.0, 1.0, None]),
    Example(label_sequences.missing_next, GAPPED, [1.0, 1.0, 1.0, None], {"gap": 3}),
    Example(label_sequences.missing_next, {**GAPPED, "category_row": [0, 0, 1, 0]}, [1.0, 1.0, 1.0, None]),
    Example(label_sequences.missing_next, STEADY, [1.0, 1.0, 1.0]),
    Example(label_sequences.missing_next, {**STEADY, "track_id": [1, 2, 1]}, [0.5, 1.0, 1.0]),
    Example(label_sequences.missing_next, {**STEADY, "track_id": [1, 1, 2]}, [0.5, 1.0, 1.0]),
    Example(label_sequences.missing_next, {**STEADY, "bbox": [BOX, HALF, BOX]}, [0.0, 1.0, 1.0]),
    Example(label_sequences.occlusion, TRACK, [0.0, 0.0, 0.0, 0.0, sqrt(2 * 0.8**2), None]),
    Example(label_sequences.occlusion, TRACK, [0.0] * 5 + [None], {"threshold": 1.2}),
    Example(label_sequences.occlusion, TRACK, [None] * 6, {"min_frames": 6}),
    Example(label_sequences.occlusion, {**TRACK, "image_row": [0, 1, 2, 3, 3, 5]}, [None] * 6),
    Example(label_sequences.occlusion, {**TRACK, "image_video_number": [0.0, 0, 1, 1, 1, 1]}, [None] * 6),
    Example(label_sequences.shape_similarity, SHAPES, [None, 1.0, TO_SQUARE, None, None]),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_examples(example: Example) -> None:
    check(example)


def test_every_metric_has_an_example() -> None:
    assert complete(label_sequences, EXAMPLES)


@pytest.mark.parametrize(
    ("metric", "inputs", "option"),
    [
        (label_sequences.missing_next, STEADY, {"gap": 1}),
        (label_sequences.shape_similarity, SHAPES, {"decay": 1.0}),
    ],
)
def test_options_out_of_range(metric: Callable[..., Any], inputs: dict[str, Any], option: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        metric(**{name: np.array(values) for name, values in inputs.items()}, **option)


def test_polygons_are_preferred() -> None:
    triangle = [[0.0, 0, 8, 0, 0, 4]]
    segmentation = objects([None, triangle, [[20.0, 20, 28, 20, 20, 24]]])
    found = label_sequences.shape_similarity(
        np.array([[0.0, 0, 8, 4]] * 3), np.full(3, 1), np.zeros(3), np.zeros(3), np.arange(3.0), segmentation, decay=0.0
    )
    assert found[1] < 0.99
    assert found[2] == pytest.approx(1, abs=1e-9)


KNOWN = catalog.load(entry_points=False)
METRICS = ("track_consistency", "missing_next", "occlusion", "shape_similarity")


@st.composite
def videos(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images of up to two videos, gaps and repeated frame numbers among them, and labels that move a little."""
    image = st.fixed_dictionaries(
        {"video_id": st.sampled_from(["a", "a", "a", "b", None]), "frame": st.sampled_from([1, 2, 3, 4, 5, 6, 8, None])}
    )
    images = draw(st.lists(image, min_size=1, max_size=10))
    steady = draw(st.booleans())
    if steady:
        images = [{"video_id": "a", "frame": 7 - number} for number in range(draw(st.integers(5, 7)))]
    box = st.tuples(
        st.sampled_from([0, 1, 30]),
        st.sampled_from([0, 2]),
        st.sampled_from([10, 10, 12, 0]),
        st.sampled_from([8, 9, 20]),
    )
    label = st.fixed_dictionaries(
        {
            "image": st.integers(0, len(images) - 1),
            "bbox": box.map(lambda values: [float(value) for value in values]),
            "category_id": st.sampled_from([1, 1, 1, 2]),
            "track_id": st.sampled_from([4, 4, 4, 5, None]),
        }
    )
    labels = draw(st.lists(label, max_size=16))
    if steady:
        labels += [{**draw(label), "image": number, "track_id": 4} for number in range(len(images))]
    return images, labels


def scored(images: list[dict[str, Any]], labels: list[dict[str, Any]], max_step: float) -> dict[str, npt.NDArray[Any]]:
    """The metrics of a dataset with these images and labels, in the order of the labels."""
    document = {
        "images": [{"id": n, "width": 100, "height": 100, **image} for n, image in enumerate(images)],
        "categories": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}],
        "annotations": [
            {"id": n, "image_id": label["image"], **{key: label[key] for key in ("bbox", "category_id", "track_id")}}
            for n, label in enumerate(labels)
        ],
    }
    given = tables(document, [])
    plan = engine.plan({f"label.{name}": KNOWN[f"label.{name}"] for name in METRICS}, KNOWN, available(given))
    columns = engine.run(given, plan, options={"frame_place": {"max_step": max_step}}).columns.get("label", {})
    order = np.argsort(given.values("label", "source_row"))
    return {name: values[order] for name, values in columns.items()}


@settings(max_examples=60, deadline=None)
@given(videos(), st.sampled_from([1.0, 2.0]))
def test_equals_the_loops(case: tuple[list[dict[str, Any]], list[dict[str, Any]]], max_step: float) -> None:
    images, labels = case
    by_image = sorted(labels, key=lambda label: label["image"])
    expected = {
        "track_consistency": sequences_loop.track_consistency(images, by_image, max_step),
        "missing_next": sequences_loop.missing_next(images, by_image, max_step),
        "occlusion": sequences_loop.occlusion(images, by_image),
        "shape_similarity": sequences_loop.shape_similarity(images, by_image),
    }
    for name, values in scored(images, by_image, max_step).items():
        assert plain(values) == [None if value is None else pytest.approx(value, abs=1e-12) for value in expected[name]]


def test_an_image_without_labels_is_a_frame_like_any_other() -> None:
    images = [{"video_id": 1, "frame": frame} for frame in (1, 2, 3)]
    labels = [{"image": n, "bbox": BOX, "category_id": 1, "track_id": 1} for n in (0, 2)]
    assert plain(scored(images, labels, 1.0)["missing_next"]) == [0.0, 1.0]


def test_nothing_is_compared_across_videos() -> None:
    images = [{"video_id": number, "frame": 1 + number} for number in range(3)]
    labels = [{"image": n, "bbox": BOX, "category_id": 1 + n % 2, "track_id": n} for n in range(3)]
    found = scored(images, labels, 5.0)
    assert plain(found["track_consistency"]) == [None] * 3
    assert plain(found["missing_next"]) == [1.0] * 3
    assert plain(found["shape_similarity"]) == [None] * 3


def test_equal_areas_are_not_below_their_mean() -> None:
    same = {"area_absolute": np.full(11, 0.1), "aspect_ratio": np.arange(11.0), "image_row": np.arange(11)}
    found = label_sequences.occlusion(**same, track_id=np.full(11, 1), image_video_number=np.zeros(11))
    assert found.tolist() == [0.0] * 11


def test_skipped_with_a_reason_where_columns_are_missing() -> None:
    document = {
        "images": [{"id": 1, "width": 9, "height": 9, "video_id": 3}],
        "categories": [{"id": 1, "name": "one"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}],
    }
    given = tables(document, [])
    plan = engine.plan({f"label.{name}": KNOWN[f"label.{name}"] for name in METRICS}, KNOWN, available(given))
    assert {one.metric: one.reason for one in plan.skipped} == {
        "label.track_consistency": "needs image.frame, which the dataset does not have",
        "label.missing_next": "needs image.frame, which the dataset does not have",
        "label.occlusion": "needs label.track_id, which the dataset does not have",
        "label.shape_similarity": "needs label.track_id, which the dataset does not have",
    }
