"""qm compare as a function: runs, models of a run, files; the sample data's better and worse model."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from qm_cli.comparing import Request, cluster_numbers, compare
from qm_cli.errors import InputError, UsageError
from qm_cli.run import evaluate, score
from qm_cli.slice_language import Wanted

SAMPLE = Path(__file__).parent.parent / "sample_data"
LABELS, WORSE, BETTER = (
    SAMPLE / "labels.json",
    *(SAMPLE / "predictions" / f"{name}.json" for name in ("worse", "better")),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", kinds=("label",)).path


def test_the_better_model_is_told_from_the_worse_with_any_seed(place: Path) -> None:
    for seed in range(12):
        report, _ = compare(Request((place,), ("worse", "better"), resamples=200, seed=seed))
        metrics = {row["metric"]: row for row in report["metrics"]}
        for name in ("AP", "AP50", "precision", "recall", "f1"):
            assert metrics[name]["p"] < 0.01


def test_the_better_model_is_told_from_the_worse(place: Path) -> None:
    report, rows = compare(Request((place,), ("worse", "better"), resamples=200))
    metrics = {row["metric"]: row for row in report["metrics"]}
    for name in ("AP", "AP50", "precision", "recall", "f1"):
        assert metrics[name]["p"] < 0.01
        assert 0 < metrics[name]["low"] < metrics[name]["difference"] < metrics[name]["high"]
    for side, file in (("a", WORSE), ("b", BETTER)):
        own = evaluate(LABELS, file)["metrics"]
        assert {name: row[side] for name, row in metrics.items()} == pytest.approx(
            {name: own[name] for name in metrics}, abs=1e-12
        )
    changed = report["changes"]
    assert sum(changed["labels"]["total"].values()) == report["labels"]
    assert changed["labels"]["total"]["fixed"] > 3 * changed["labels"]["total"]["broken"]
    for kind in changed.values():
        for word, count in kind["total"].items():
            assert sum(row[word] for row in kind["by_category"]) == count
    flips = rows.filter(pa.compute.equal(rows["change"], "flipped_category"))
    pairs = list(zip(flips["category_a"].to_pylist(), flips["category_b"].to_pylist(), strict=True))
    assert max(set(pairs), key=pairs.count) == ("car", "van")


def test_ways_to_say_the_same(place: Path) -> None:
    reports = [
        compare(request)[0]["metrics"]
        for request in (
            Request((place,), ("worse", "better"), resamples=100),
            Request((place, place), ("worse", "better"), resamples=100),
            Request((LABELS, WORSE, BETTER), resamples=100),
        )
    ]
    assert reports[0] == reports[1] == reports[2]
    back = compare(Request((place,), resamples=100))[0]
    assert (back["a"]["model"], back["b"]["model"]) == ("better", "worse")
    assert back["metrics"][0]["difference"] == -reports[0][0]["difference"]


def test_a_model_against_itself(place: Path) -> None:
    report, rows = compare(Request((place,), ("worse", "worse"), resamples=100))
    assert {row["p"] for row in report["metrics"]} == {1.0}
    assert {row["difference"] for row in report["metrics"]} == {0.0}
    assert set(rows["change"].to_pylist()) == {"still_found", "still_missed", "kept"}
    assert report["regressed_images"] == []


def test_clusters(place: Path) -> None:
    report, _ = compare(Request((place,), ("worse", "better"), cluster="site", resamples=100))
    files, _ = compare(Request((LABELS, WORSE, BETTER), cluster="site", resamples=100))
    assert report["units"] == files["units"] < 96
    if report["units"] < 10:
        assert {row["p"] for row in report["metrics"]} == {None}
        assert "at least 10" in report["notes"][0]


def test_thresholds_and_categories(place: Path) -> None:
    request = Request((place,), ("worse", "better"), iou=0.75, confidence=0.3, categories=("van", "car"), resamples=100)
    report, _ = compare(request)
    own = evaluate(LABELS, BETTER, iou=0.75, confidence=0.3, categories=("van", "car"))["metrics"]
    found = {row["metric"]: row["b"] for row in report["metrics"]}
    assert found["recall"] == own["recall"]
    assert [row["name"] for row in report["categories"]] == ["car", "van"]


def test_refusals(place: Path, tmp_path: Path) -> None:
    other = score(SAMPLE, tmp_path / "other", kinds=("label",), limit=50).path
    with pytest.raises(InputError, match=r"image ids: 46 .* only in A, none only in B"):
        compare(Request((place, other), ("worse", "better")))
    for request, told in (
        (Request((place, place)), "name one with --model"),
        (Request((place,), ("worse", None)), "name two"),
        (Request((place,), ("worse", "better"), cluster="sites"), "did you mean site"),
        (Request((LABELS, WORSE, BETTER), ("worse", None)), "--model"),
        (Request((LABELS, WORSE)), "is a file"),
    ):
        with pytest.raises(UsageError) as refusal:
            compare(request)
        assert told in str(refusal.value)
    manifest = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**manifest, "models": []}))
    with pytest.raises(UsageError, match="has no predictions"):
        compare(Request((other, other)))
    (other / "run.json").write_text(json.dumps({**manifest, "schema_version": 99}))
    with pytest.raises(InputError, match="schema 99"):
        compare(Request((place, other), ("worse", "better")))


def test_cluster_of_numbers() -> None:
    assert cluster_numbers(pa.array([7, 7, None, 3])).tolist() == [0, 0, 2, 1]


def test_slices_of_runs_and_of_files(place: Path) -> None:
    wanted = Wanted(columns=("weather", "category"), conditions=("sure=score > 0.8",))
    report, _ = compare(Request((place,), ("worse", "better"), resamples=100, wanted=wanted))
    files, _ = compare(Request((LABELS, WORSE, BETTER), resamples=100, wanted=wanted))
    assert report["slices"] == files["slices"]
    assert report["changes"] == files["changes"]
    by_name = {row["name"]: row for row in report["slices"]}
    for category in report["categories"]:
        own = {row["metric"]: row for row in by_name[f"category={category['name']}"]["metrics"]}
        for row in category["metrics"]:
            assert own[row["metric"]]["a"] == pytest.approx(row["a"], abs=1e-12)
            assert own[row["metric"]]["b"] == pytest.approx(row["b"], abs=1e-12)
            assert own[row["metric"]]["difference"] == pytest.approx(row["difference"], abs=1e-12)
    for one in by_name["weather=fog"]["metrics"]:
        assert one["p"] <= one["p_corrected"]
    defined = [row["metric"] for row in by_name["sure"]["metrics"] if row["a"] is not None]
    assert defined == ["precision"]
    for kind, counts in report["changes"].items():
        for word, count in counts["total"].items():
            weather = [row[word] for row in counts["by_slice"] if row["name"].startswith("weather=")]
            assert sum(weather) == count, (kind, word)
    fog = next(row for row in report["changes"]["labels"]["by_slice"] if row["name"] == "weather=fog")
    truth = json.loads(LABELS.read_text())
    there = {one["id"] for one in truth["images"] if one["weather"] == "fog"}
    labels = sum(one["image_id"] in there and not one["iscrowd"] for one in truth["annotations"])
    assert sum(value for key, value in fog.items() if key != "name") == labels


def test_slices_are_an_evaluation_of_their_images(place: Path) -> None:
    report, _ = compare(Request((place,), ("worse", "better"), resamples=100, wanted=Wanted(columns=("weather",))))
    labels = json.loads(LABELS.read_text())
    fog = {one["id"] for one in labels["images"] if one["weather"] == "fog"}
    part = place.parent / "fog.json"
    annotations = [one for one in labels["annotations"] if one["image_id"] in fog]
    images = [one for one in labels["images"] if one["id"] in fog]
    part.write_text(json.dumps({**labels, "images": images, "annotations": annotations}))
    found = next(row for row in report["slices"] if row["name"] == "weather=fog")
    for side, file in (("a", WORSE), ("b", BETTER)):
        own = place.parent / f"fog_{side}.json"
        own.write_text(json.dumps([one for one in json.loads(file.read_text()) if one["image_id"] in fog]))
        metrics = evaluate(part, own)["metrics"]
        for row in found["metrics"]:
            assert row[side] == pytest.approx(metrics[row["metric"]], abs=1e-12)
    assert (found["images"], found["units"]) == (len(fog), len(fog))


def test_slices_that_cannot_be_had(place: Path) -> None:
    with pytest.raises(UsageError, match="did you mean weather"):
        compare(Request((place,), wanted=Wanted(columns=("wether",))))
    report, _ = compare(Request((place,), resamples=100, wanted=Wanted(conditions=("none=width < 0",))))
    (none,) = report["slices"]
    assert {row["a"] for row in none["metrics"]} == {None}
    assert "slice none has no members" in report["notes"]
