"""Gates on images, against what was planted in the sample data and what stands in hand-made runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from qm_cli.analysis.gate_checks import Ceiling, DataRules, Leakage
from qm_cli.errors import InputError
from qm_cli.image_checks import findings_of, image_checks
from qm_cli.run import score
from qm_cli.run_folder import open_run
from tests.made_run import lost, write_run
from tests.sample_run import SAMPLE, sample_run

PLANTED = json.loads((SAMPLE / "planted.json").read_text("utf-8"))


def of_sample(rules: DataRules) -> list[dict[str, object]]:
    return image_checks(open_run(sample_run()), rules)


def test_copies_that_were_planted() -> None:
    none = Ceiling(0)
    exact, near = of_sample(DataRules(exact_duplicates=none, near_duplicates=none))
    assert (exact["value"], exact["verdict"]) == (3, "fail")
    assert near["value"] == 7
    assert str(exact["reason"]).startswith("3 of 96 images have the pixels of an earlier one (first: toys_")
    shares = of_sample(DataRules(exact_duplicates=Ceiling(share=3 / 96), near_duplicates=Ceiling(share=0.07)))
    assert [(one["value"], one["support"], one["verdict"]) for one in shares] == [
        (3 / 96, 96, "pass"),
        (7 / 96, 96, "fail"),
    ]


def test_findings_by_code() -> None:
    rules = DataRules(findings=(("label-outside-image", Ceiling(2)), ("label-outside-image", Ceiling(share=0.01))))
    count, share = of_sample(rules)
    assert (count["value"], count["limit"], count["verdict"]) == (3, 2, "fail")
    assert (share["value"], share["verdict"]) == (3 / 561, "pass")
    absent = of_sample(DataRules(findings=(("label-bad-box", Ceiling(0)),)))[0]
    assert (absent["value"], absent["verdict"], absent["reason"]) == (0, "pass", "")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six images: two of the sample's and one of them again, a broken one, a missing one is listed."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "images").mkdir()
    names = sorted(one.name for one in (SAMPLE / "images").iterdir())[:4]
    for name in names[:3]:
        shutil.copy(SAMPLE / "images" / name, folder / "images" / name)
    (folder / "images" / "broken.jpg").write_bytes(b"no image")
    images = [{"id": place, "file_name": name} for place, name in enumerate([*names[:3], "broken.jpg", "missing.jpg"])]
    labels = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": []}
    (folder / "labels.json").write_text(json.dumps(labels))
    score(folder, folder / "run", metrics=("image.*_hash", "image.*_group"))
    return folder / "run"


def test_images_that_cannot_be_read(few: Path) -> None:
    count, share = (
        image_checks(open_run(few), DataRules(unreadable=ceiling))[0] for ceiling in (Ceiling(1), Ceiling(share=0.5))
    )
    assert (count["value"], count["verdict"]) == (2, "fail")
    assert "(first: broken.jpg, missing.jpg)" in str(count["reason"])
    assert (share["value"], share["verdict"]) == (0.4, "pass")


@pytest.mark.parametrize(("by", "found"), [("pixel_hash", 3), ("perceptual_hash", 3)])
def test_leakage(few: Path, by: str, found: int) -> None:
    leak = Leakage(sample_run(), Ceiling(0), by, 0)
    check = image_checks(open_run(few), DataRules(leakage=(leak,)))[0]
    assert (check["value"], check["verdict"]) == (found, "fail")
    assert check["check"] == f"data: leakage (run, {by}) ≤ 0"
    back = of_sample(DataRules(leakage=(Leakage(few, Ceiling(share=0.9), by, 4),)))[0]
    assert isinstance(back["value"], float)
    assert back["value"] >= 3 / 96
    with pytest.raises(InputError, match="gated run itself"):
        image_checks(open_run(few), DataRules(leakage=(Leakage(few, Ceiling(0)),)))


def test_a_run_without_hashes_is_refused(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run"))
    for rules in (
        DataRules(exact_duplicates=Ceiling(0)),
        DataRules(unreadable=Ceiling(0)),
        DataRules(leakage=(Leakage(sample_run(), Ceiling(0)),)),
    ):
        with pytest.raises(InputError, match=r"has no image\.(duplicate_group|pixel_hash)"):
            image_checks(run, rules)


def test_findings_are_the_own_models(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run", ("better", "worse"))
    summary = json.loads((place / "summary.json").read_text())
    summary["findings"] = [lost("label-bad-box"), lost("prediction-bad-box")]
    summary["models"]["worse"]["findings"] = [lost("prediction-bad-box")]
    (place / "summary.json").write_text(json.dumps(summary))
    assert [one["code"] for one in findings_of(open_run(place, "better"))] == ["label-bad-box"]
    assert [one["code"] for one in findings_of(open_run(place, "worse"))] == ["prediction-bad-box", "label-bad-box"]
    assert [one["code"] for one in findings_of(open_run(place))] == ["label-bad-box"]
