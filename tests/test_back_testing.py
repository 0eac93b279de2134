"""Back-tests on a scored dataset: the errors are those of the run, and right answers are what mends the AP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qm_cli.back_testing import back_test_report, with_right_answers
from qm_cli.batch import Batch
from qm_cli.errors import UsageError
from qm_cli.ranking import Ranking
from qm_cli.report import report_of
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.run_tables import tables_of_run
from qm_cli.selection import Choice
from qm_cli.settings import Settings
from tests.pictures import write_pictures

METRICS = ("entropy", "false_positives", "false_negatives", "object_count", "image.embedding")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = write_pictures(tmp_path_factory.mktemp("pictures") / "set", predictions=True)
    return score(folder, metrics=METRICS)


def asked(run: Run, column: str = "entropy", batch: Batch | None = None, **choice: object) -> Ranking:
    return Ranking(run.path, Choice(column=column, **choice), batch or Batch())  # type: ignore[arg-type]


def test_errors_are_those_of_the_run(run: Run) -> None:
    rows = run.table("image", ["entropy", "false_positives", "false_negatives"]).to_pylist()
    errors = [row["false_positives"] + row["false_negatives"] for row in rows]
    order = sorted(range(7), key=lambda place: (rows[place]["entropy"] is None, -(rows[place]["entropy"] or 0), place))
    report = back_test_report(asked(run, top=3), run, None)
    assert report["errors"] == sum(errors)
    assert report["found"] == sum(errors[place] for place in order[:3])
    assert (report["size"], report["samples"]) == (3, 7)
    assert back_test_report(asked(run), run, None)["size"] == 1


def test_a_batch_and_a_filter(run: Run) -> None:
    report = back_test_report(asked(run, batch=Batch(budget=2, diverse="k-center")), run, np.array([0, 1, 2, 3]))
    assert (report["size"], report["samples"], report["diverse"]) == (2, 4, "k-center")


def test_mended_on_all_images_is_perfect(run: Run) -> None:
    mended = back_test_report(asked(run, top=7), run, None)["mended"]
    assert mended["AP"]["mended"] == pytest.approx(1)
    assert mended["AP"]["gain"] == pytest.approx(mended["AP"]["random"])
    assert mended["AP"]["now"] == pytest.approx(run.evaluation()["metrics"]["AP"])


def test_right_answers_replace_those_of_the_chosen_images(run: Run) -> None:
    tables = tables_of_run(run)
    some = with_right_answers(tables, np.array([0, 2]))
    image = some.values("prediction", "image_row")
    assert (np.diff(image) >= 0).all()
    chosen = np.isin(image, [0, 2])
    assert some.values("prediction", "score")[chosen].tolist() == [1.0] * 4
    np.testing.assert_array_equal(some.values("prediction", "bbox")[chosen][:2], tables.values("label", "bbox")[:2])
    old = ~np.isin(tables.values("prediction", "image_row"), [0, 2])
    assert some.values("prediction", "id")[~chosen].tolist() == tables.values("prediction", "id")[old].tolist()
    assert report_of(some, Settings())["metrics"]["AP50"] > report_of(tables, Settings())["metrics"]["AP50"]


def test_refusals(run: Run, tmp_path: Path) -> None:
    for question, words in (
        (asked(run, level="label"), "is of images"),
        (asked(run, unlabeled_only=True), "needs labelled images"),
    ):
        with pytest.raises(UsageError, match=words):
            back_test_report(question, run, None)
    with pytest.raises(UsageError, match="takes a run"):
        back_test_report(asked(run), None, None)
    bare = open_run(score(write_pictures(tmp_path / "set"), metrics=("image.brightness",)).path)
    with pytest.raises(UsageError, match="no false_positives to test an order on"):
        back_test_report(asked(bare, "brightness", descending=True), bare, None)
