"""What a gate is held against: which reports and tables, and a baseline that is not of the same labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qm_cli.analysis.gate_checks import DROP, MIN, Baseline, Check, Gate, Rules, Scope
from qm_cli.deciding import decide
from qm_cli.errors import InputError, UsageError
from qm_cli.gate_subject import of_run
from qm_cli.run import score
from qm_cli.settings import Settings
from tests.made_run import write_run
from tests.sample_run import BETTER, LABELS, WORSE, sample_run

DROPS = (Check(DROP, "AP", 0.01),)


def of_baseline(baseline: Path, model: str | None = None) -> Gate:
    return Gate(DROPS, model="better", baseline=Baseline(baseline, model))


def hold(gate: Gate) -> None:
    decide(gate, of_run(sample_run(), gate))


def test_a_run_at_its_own_thresholds_is_not_evaluated_again(tmp_path: Path) -> None:
    gate = Gate((Check(MIN, "AP", 0.1),))
    subject = of_run(write_run(tmp_path / "run"), gate)
    assert subject.report["metrics"]["AP"] == 0.4
    assert subject.model == "better"


def test_a_run_without_evaluation(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_bytes(LABELS.read_bytes())
    place = score(tmp_path, tmp_path / "run", kinds=("label",)).path
    gate = Gate((Check(MIN, "AP", 0.1),))
    with pytest.raises(InputError, match="holds no evaluation"):
        decide(gate, of_run(place, gate))
    with pytest.raises(InputError, match="the baseline holds no predictions"):
        hold(of_baseline(place))


def test_a_mistyped_slice_and_where_a_check_was_written() -> None:
    gate = Gate(
        (Check(MIN, "recall", 0.1, Scope(slice="nigth")),), model="better", slices=(("night", "brightness < 1"),)
    )
    with pytest.raises(UsageError, match=r"no slice 'nigth' .did you mean night"):
        hold(gate)
    with pytest.raises(UsageError, match=r"weathr.*did you mean weather"):
        hold(Gate((Check(MIN, "recall", 0.1, Scope(slice="weathr = 'fog'")),), model="better"))
    for check in (
        Check(MIN, "recal", 0.1, where="g.toml: check 3"),
        Check(MIN, "AP", 0.1, Scope("vam"), where="g.toml"),
    ):
        with pytest.raises(UsageError, match=r"^g\.toml"):
            hold(Gate((check,), model="better"))


def test_slices_may_be_called_anything() -> None:
    values = []
    for name in ("weather", "a 'b' (c)", "fog"):
        check = Check(MIN, "recall", 0.1, Scope(slice=name))
        gate = Gate((check,), model="better", slices=((name, "weather = 'fog'"),))
        values.append(decide(gate, of_run(sample_run(), gate))["checks"][0]["value"])
    assert values[0] == values[1] == values[2]


def test_a_baseline_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no qm run there"):
        hold(of_baseline(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"name one: \[baseline\] model"):
        hold(of_baseline(sample_run()))
    with pytest.raises(InputError, match="no model 'wors'"):
        hold(of_baseline(sample_run(), "wors"))
    old = write_run(tmp_path / "old")
    manifest = json.loads((old / "run.json").read_text())
    (old / "run.json").write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(InputError, match="schema 99, not"):
        hold(of_baseline(old))


def scored(folder: Path, change: str) -> Path:
    """A run of the sample's labels with one thing about them changed."""
    labels = json.loads(LABELS.read_text())
    predictions = json.loads(WORSE.read_text())
    if change == "image":
        last = labels["images"].pop()["id"]
        labels["annotations"] = [one for one in labels["annotations"] if one["image_id"] != last]
        predictions = [one for one in predictions if one["image_id"] != last]
    if change == "box":
        labels["annotations"][0]["bbox"][2] += 1
    if change == "order":
        labels["images"].reverse()
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "worse.json").write_text(json.dumps(predictions))
    score(folder, folder / "run", labels=folder / "labels.json", predictions=(folder / "worse.json",), kinds=("label",))
    return folder / "run"


@pytest.mark.parametrize(("change", "told"), [("image", "image ids: 1 "), ("box", "labels of another box: 1 ")])
def test_a_baseline_of_another_dataset_is_refused_with_the_difference(tmp_path: Path, change: str, told: str) -> None:
    with pytest.raises(InputError, match=r"the baseline \(B\) is of other labels") as caught:
        hold(of_baseline(scored(tmp_path, change)))
    assert told in caught.value.message


def test_a_baseline_in_another_order_is_the_same(tmp_path: Path) -> None:
    """Whole, and in a slice of objects, whose predictions are then the baseline's own."""
    place = scored(tmp_path, "order")
    rules = Rules(confidence_level=0.95)
    checks = tuple(
        Check(DROP, name, 0.01, Scope(slice=one), rules)
        for name in ("AP", "precision")
        for one in (None, "category = 'van'")
    )
    rows = []
    for baseline in (Baseline(place), Baseline(sample_run(), "worse")):
        gate = Gate(checks, model="better", baseline=baseline, resamples=100)
        rows.append(decide(gate, of_run(sample_run(), gate))["checks"])
    assert rows[0] == rows[1]
    assert rows[0][1]["baseline"] < rows[0][1]["value"]


def test_other_thresholds_of_the_baseline_are_told(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_bytes(LABELS.read_bytes())
    (tmp_path / "better.json").write_bytes(BETTER.read_bytes())
    place = score(
        tmp_path,
        tmp_path / "run",
        labels=tmp_path / "labels.json",
        predictions=(tmp_path / "better.json",),
        settings=Settings(confidence=0.7),
        kinds=("label",),
    ).path
    gate = of_baseline(place)
    assert (
        "the baseline was made at confidence 0.7: it is compared at 0.5"
        in decide(gate, of_run(sample_run(), gate))["notes"]
    )
