"""A run's columns as measures, its outcomes as a yes or no, groups and clusters; refusals with the nearest names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.run_columns import chosen_measures, clusters_of, coded_values, groups_of, judged, judging_names, measures
from qm_cli.run_folder import Run, open_run
from tests.scored_run import write_scored


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_scored(tmp_path_factory.mktemp("made") / "run"))


def test_metrics_and_metadata_are_measures_and_keys_are_not(run: Run) -> None:
    found = {one.name: one for one in measures(run, "image")}
    expected = {"weather", "video_id", "brightness", "blur", "true_positives", "false_positives", "false_negatives"}
    assert set(found) == expected - {"video_id"}
    assert found["weather"].names == ("clear", "fog")
    assert np.isnan(found["weather"].values).any()
    assert (found["blur"].better, found["weather"].kind) == ("lower", "metadata")
    assert {one.name for one in measures(run, "prediction")} == {"category", "score", "size", "iou", "outcome"}
    assert {one.name for one in measures(run, "label", coded=False)} == {"size", "empty"}


def test_codes_are_in_the_order_of_their_names() -> None:
    codes, names = coded_values(pa.array(["b", None, "a", "b"]))
    assert names == ("a", "b")
    assert codes.tolist()[::2] == [1, 0]
    assert np.isnan(codes[1])
    assert coded_values(pa.array([True, False]))[1] == ("false", "true")
    assert coded_values(pa.array([], pa.string()))[1] == ()


def test_unknown_columns_are_refused_with_the_nearest(run: Run) -> None:
    with pytest.raises(UsageError, match=r"no metric or column matches 'brigtness'.*did you mean") as refused:
        chosen_measures(run, "image", ["brigtness"])
    assert "brightness" in refused.value.hint
    for column, level in (("wether", "image"), ("wether", "label"), ("bbox", "label")):
        with pytest.raises(UsageError, match="--by"):
            groups_of(run, level, column, 1)
    with pytest.raises(UsageError, match=r"--cluster.*video"):
        clusters_of(run, "videoid")
    with pytest.raises(UsageError, match=r"no category 'cta'.*cat"):
        judged(run, "label", categories=["cta"])


def test_what_is_made_of_the_outcome_explains_nothing(run: Run) -> None:
    names = {one.id for one in judged(run, "prediction").measures}
    assert names == {
        "prediction.category", "prediction.score", "prediction.size",
        "image.weather", "image.brightness", "image.blur", "image.random",
    }  # fmt: skip
    assert {"precision", "iou", "outcome", "f1"} <= judging_names()
    assert not {"entropy", "brightness", "object_count", "random"} & judging_names()


def test_rows_without_an_outcome_are_left_out(run: Run) -> None:
    samples = judged(run, "prediction")
    outcome = run.table("prediction", ["outcome"])["outcome"].to_pylist()
    assert len(samples.rows) == len(outcome) - 1
    assert samples.hit.tolist() == [outcome[row] == "TP" for row in samples.rows]
    assert np.all(np.diff(samples.image_row) >= 0)


def test_images_are_right_without_an_error(run: Run) -> None:
    samples = judged(run, "image")
    wrong = np.array(run.table("image", ["false_positives"])["false_positives"].to_pylist())
    assert samples.hit.tolist() == (wrong == 0).tolist()


def test_only_some_categories(run: Run) -> None:
    category = np.array(run.table("label", ["category"])["category"].to_pylist())
    for name in ("dog", "2"):
        samples = judged(run, "label", categories=[name])
        assert set(category[samples.rows].tolist()) == {"dog"}
    with pytest.raises(InputError, match="no true_positives"):
        judged(run, "image", categories=["dog"])


def test_random_is_always_there(tmp_path: Path) -> None:
    with_own = open_run(write_scored(tmp_path / "own", random=True))
    random = [one for one in judged(with_own, "label", ["size"]).measures if one.name == "random"]
    assert [one.values[-1] for one in random] == [1.0]
    without = open_run(write_scored(tmp_path / "without"))
    [other] = [one for one in judged(without, "label").measures if one.name == "random"]
    assert 0.4 < other.values.mean() < 0.6


def test_groups_by_own_parents_and_missing_values(run: Run) -> None:
    groups = groups_of(run, "image", "weather", 150)
    assert list(groups) == ["clear", "fog", "(none)"]
    assert sum(map(len, groups.values())) == 150
    labels = groups_of(run, "label", "weather", 0)
    image_row = np.array(run.table("label", ["image_row"])["image_row"].to_pylist())
    assert np.isin(image_row[labels["fog"]], groups["fog"]).all()
    assert set(groups_of(run, "label", "category", 0)) == {"cat", "dog"}
    with pytest.raises(UsageError, match="150 different values, at most 100"):
        groups_of(run, "image", "file_name", 150)


def test_images_without_a_cluster_stand_alone(run: Run) -> None:
    assert len(set(clusters_of(run, "video_id").tolist())) == 30
    weather = clusters_of(run, "weather")
    missing = run.table("image", ["weather"])["weather"].null_count
    assert len(set(weather.tolist())) == 2 + missing


def test_a_run_without_outcomes(tmp_path: Path) -> None:
    place = write_scored(tmp_path / "run")
    (place / "label.parquet").unlink()
    with pytest.raises(InputError, match="no outcome of labels"):
        judged(open_run(place), "label")
