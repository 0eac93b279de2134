"""What runs, in which order, from where; what does not, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qm_cli.columns import Available
from qm_cli.errors import MetricError
from qm_cli.metric import Metric, described, metric
from qm_cli.plan import Plan, plan

CONTRACT = {
    "image": frozenset({"id", "width", "height"}),
    "label": frozenset({"bbox", "image_row"}),
    "prediction": frozenset({"bbox", "score", "image_row"}),
}
HAVE = Available(CONTRACT, {"image": frozenset({"weather"})}, images=True)


def declared(source: str, level: str = "image", **facts: Any) -> Metric:
    """The metric `name(inputs)` at a level."""
    space: dict[str, Any] = {"metric": metric, "__name__": "plugin"}
    exec(f"@metric(level={level!r}, kind='data', unit='px', **{facts})\ndef {source}: return 0", space)
    function: Callable[..., Any] = space[source.partition("(")[0]]
    return described(function, level)


def planned(*metrics: Metric, only: list[str] | None = None, have: Available = HAVE) -> Plan:
    catalog = {one.id: one for one in metrics}
    return plan({name: catalog[name] for name in only or catalog}, catalog, have)


def order(of: Plan) -> list[str]:
    return [step.metric.name for step in of.steps]


def test_each_after_what_it_reads_and_only_what_is_needed() -> None:
    blur, sharpness, other = declared("blur(sharpness)"), declared("sharpness(width)"), declared("other(height)")
    got = planned(blur, sharpness, other, only=["image.blur"])
    assert order(got) == ["sharpness", "blur"]
    assert [step.requested for step in got.steps] == [False, True]
    assert json.loads(json.dumps(got.as_dict())) == {
        "steps": [
            {"metric": "image.sharpness", "inputs": {"width": "image.width"}, "requested": False},
            {"metric": "image.blur", "inputs": {"sharpness": "image.sharpness"}, "requested": True},
        ],
        "skipped": [],
    }


def test_across_levels() -> None:
    share = declared("share(size, image_size)", "label")
    got = planned(declared("largest(label_share)"), share, declared("size(bbox)", "label"), declared("size(width)"))
    assert order(got) == ["size", "size", "share", "largest"]


def test_one_pass_over_the_files_unless_pixels_need_pixels() -> None:
    metrics = [declared("blur(sharpness)"), declared("sharpness(pixels)"), declared("red(pixels, width)")]
    got = planned(*metrics, declared("scaled(pixels, blur)"))
    assert [(step.metric.name, step.stage) for step in got.steps] == [
        ("sharpness", 0),
        ("red", 0),
        ("blur", 1),
        ("scaled", 1),
    ]
    assert [step.metric.per_sample for step in got.steps] == [True, True, False, True]


def test_a_circle_is_named() -> None:
    with pytest.raises(MetricError, match=r"image\.a → image\.b → image\.a"):
        planned(declared("a(b)"), declared("b(a)"))


def test_a_metric_may_read_the_column_it_is_named_after() -> None:
    got = planned(declared("weather(weather)"))
    assert got.steps[0].inputs["weather"].maker == ""


def test_unknown_input() -> None:
    with pytest.raises(
        MetricError, match=r"image\.a: nothing is called `widht` \(parameter widht\) \(did you mean width"
    ):
        planned(declared("a(widht)"))


@pytest.mark.parametrize(
    ("metric", "have", "reason"),
    [
        (declared("a(pixels)"), Available(CONTRACT, {}), "needs images"),
        (declared("a(pixels=None)"), Available(CONTRACT, {}), "needs images"),
        (declared("a(label_bbox)"), Available(CONTRACT, {}, labels=False), "needs labels (no label file)"),
        (declared("a(label_parent_row)"), Available(CONTRACT, {}, labels=False), "needs labels (no label file)"),
        (
            declared("a(b)", "prediction"),
            Available({}, {}, predictions=False),
            "needs predictions (no prediction file)",
        ),
        (declared("a(prediction_probs)"), HAVE, "needs class probabilities (`probs`)"),
        (declared("a(row_count)", "image_category"), Available({}, {}, False, False), "needs labels or predictions"),
    ],
)
def test_skipped_with_a_reason(metric: Metric, have: Available, reason: str) -> None:
    have = Available(have.contract, have.metadata, have.labels, have.predictions, images=have is HAVE)
    got = planned(metric, have=have)
    assert [(one.metric, one.reason) for one in got.skipped] == [(metric.id, reason)]
    assert got.steps == ()


def test_what_needs_a_skipped_one_is_skipped_too() -> None:
    have = Available(CONTRACT, {}, images=False)
    got = planned(declared("blur(sharpness)"), declared("sharpness(pixels)"), only=["image.blur"], have=have)
    assert [one.reason for one in got.skipped] == ["needs images"]


def test_optional_inputs_may_be_missing() -> None:
    optional = declared("a(width, label_bbox=None, speed=None, blur=None)")
    blur = declared("blur(pixels)")
    got = planned(optional, blur, only=["image.a"], have=Available(CONTRACT, {}, labels=False, images=False))
    assert [origin.kind for origin in got.steps[0].inputs.values()] == ["column", "absent", "absent", "absent"]
    assert order(planned(optional, blur, only=["image.a"])) == ["blur", "a"]


def test_pixels_of_what_has_none_and_flat_columns_for_one_sample() -> None:
    with pytest.raises(MetricError, match="a category has no pixels"):
        planned(declared("a(pixels)", "category"))
    for name in ("label_bbox", "label_offsets", "label_parent_row"):
        with pytest.raises(MetricError, match=f"`{name}` has no value for one image"):
            planned(declared(f"a(pixels, {name})"))
    assert order(planned(declared("a(pixels, image_width, bbox)", "label"))) == ["a"]
