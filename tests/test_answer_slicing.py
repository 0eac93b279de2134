"""Slices of classes: the numbers of scikit-learn on the same data rows, the intervals of a comparison on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from qm_cli.answer_slicing import answer_slice_report, holds_answers
from qm_cli.comparing import Request as Comparison
from qm_cli.comparing import compare
from qm_cli.errors import UsageError
from qm_cli.render.terminal_slices import show_slices
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.settings import Settings
from qm_cli.slice_language import Wanted
from qm_cli.slicing import Request
from tests.input_files import write
from tests.render.screens import printed
from tests.sample_run import sample_run

COUNT, NAMES = 120, ["ant", "bee", "cat"]
WEATHER = Wanted(columns=("weather",))
IntArray = npt.NDArray[np.int64]


def drawn(seed: int) -> tuple[list[dict[str, Any]], list[IntArray], list[IntArray]]:
    """Images with a weather, and which categories are true and predicted of each, most often one."""
    random = np.random.default_rng(seed)
    images = [
        {"id": 3 * n, "file_name": f"{n}.jpg", "weather": str(random.choice(["fog", "sun"])), "site": n // 4}
        for n in range(COUNT)
    ]
    true = [np.unique(random.integers(0, 3, random.integers(1, 3))) for _ in images]
    predicted = [one if random.random() < 0.7 else np.unique(random.integers(0, 3, 2)) for one in true]
    return images, true, predicted


def scored(folder: Path, multilabel: bool, seed: int = 1) -> tuple[Run, list[str], list[IntArray], list[IntArray]]:
    images, true, predicted = drawn(seed)
    if not multilabel:
        true, predicted = [one[:1] for one in true], [one[:1] for one in predicted]

    def rows(chosen: list[IntArray], **more: Any) -> list[dict[str, Any]]:
        cells = [(image["id"], int(c) + 1) for image, own in zip(images, chosen, strict=True) for c in own]
        return [{"image_id": image, "category_id": category, **more} for image, category in cells]

    annotations = [{"id": place, **row} for place, row in enumerate(rows(true))]
    categories = [{"id": place + 1, "name": name} for place, name in enumerate(NAMES)]
    write(folder / "labels.json", {"images": images[::-1], "categories": categories, "annotations": annotations})
    write(folder / "predictions.json", rows(predicted, score=0.9))
    run = open_run(
        score(folder, kinds=("model",), settings=Settings(answer_task="multilabel" if multilabel else None)).path
    )
    return run, [str(image["weather"]) for image in images], true, predicted


def matrix(chosen: list[IntArray]) -> IntArray:
    return np.array([[int(c in own) for c in range(3)] for own in chosen])


@pytest.mark.parametrize("multilabel", [False, True])
def test_numbers_are_those_of_scikit_learn_on_the_rows(tmp_path: Path, multilabel: bool) -> None:
    from sklearn import metrics

    run, weather, true, predicted = scored(tmp_path, multilabel)
    assert holds_answers(run)
    report = answer_slice_report(run, Request(WEATHER, resamples=20))
    whole = {"name": None, **report["overall"]}
    for row in [whole, *report["slices"]]:
        inside = [place for place, own in enumerate(weather) if row["name"] in (None, f"weather={own}")]
        y, z = (matrix([own[place] for place in inside]) for own in (true, predicted))
        expected: dict[str, Any] = {"accuracy": metrics.accuracy_score(y, z)}
        for average, suffix in (("micro", ""), ("macro", "_macro")):
            shares = metrics.precision_recall_fscore_support(y, z, average=average, zero_division=np.nan)[:3]
            expected |= dict(zip((f"precision{suffix}", f"recall{suffix}", f"f1{suffix}"), shares, strict=True))
        values = {one["metric"]: one["value"] for one in row["metrics"]}
        assert values == pytest.approx(expected, abs=1e-12)
        assert (row["images"], row["labels"], row["predictions"]) == (len(inside), y.sum(), z.sum())
        assert row["true_positives"] == (y & z).sum()
    fog, sun = report["slices"]
    for name, value in fog["rest"].items():
        assert value == next(one["value"] for one in sun["metrics"] if one["metric"] == name)
    for one, all_of in zip(fog["metrics"], whole["metrics"], strict=True):
        assert one["difference"] == one["value"] - all_of["value"]
        assert one["difference_low"] < one["difference"] < one["difference_high"]
        assert one["p"] <= one["p_corrected"] <= 1


@pytest.mark.parametrize("cluster", [None, "site"])
def test_intervals_are_those_of_a_comparison(tmp_path: Path, cluster: str | None) -> None:
    run, *_ = scored(tmp_path, False)
    wanted = Wanted(columns=("weather", "category"), conditions=("first=id < 90", "none=id < 0"))
    report = answer_slice_report(run, Request(wanted, cluster=cluster, resamples=60, seed=3))
    other, _ = compare(Comparison((run.path, run.path), wanted=wanted, cluster=cluster, resamples=60, seed=3))
    assert [one["name"] for one in report["slices"]][:2] == ["first", "none"]
    for own, theirs in zip(report["slices"], other["slices"], strict=True):
        assert (own["name"], own["units"], own["images"]) == (theirs["name"], theirs["units"], theirs["images"])
        for one, two in zip(own["metrics"], theirs["metrics"], strict=True):
            assert (one["value"], one["low"], one["high"]) == (two["a"], two["a_low"], two["a_high"])
    for one, two in zip(report["overall"]["metrics"], other["metrics"], strict=True):
        assert (one["value"], one["low"], one["high"]) == (two["a"], two["a_low"], two["a_high"])
    assert "slices of labels hold the data rows with such a label" in report["notes"]
    assert "slice none has no members" in report["notes"]


def test_another_confidence_and_the_screen(tmp_path: Path) -> None:
    run, *_ = scored(tmp_path, False)
    report = answer_slice_report(run, Request(WEATHER, confidence=0.95, resamples=20))
    assert (report["confidence"], report["overall"]["predictions"]) == (0.95, 0)
    assert [one["value"] for one in report["overall"]["metrics"] if one["metric"] == "recall"] == [0.0]
    shown = printed(show_slices, answer_slice_report(run, Request(WEATHER, resamples=20)))
    assert shown.startswith("predictions, convention sklearn, confidence 0\n")
    assert "accuracy" in shown
    assert "AP" not in shown


def test_refused(tmp_path: Path) -> None:
    run, *_ = scored(tmp_path, False)
    with pytest.raises(UsageError, match="--iou: not for slices of classes"):
        answer_slice_report(run, Request(WEATHER, iou=0.5))
    with pytest.raises(UsageError, match="--metrics: not for slices of classes"):
        answer_slice_report(run, Request(WEATHER, metrics=("label.*",)))
    with pytest.raises(UsageError, match="is of predictions, which differ from model to model"):
        answer_slice_report(run, Request(Wanted(columns=("prediction.category",))))
    with pytest.raises(UsageError, match="no column 'wether'"):
        answer_slice_report(run, Request(Wanted(columns=("wether",))))
    assert not holds_answers(open_run(sample_run(), "better"))
