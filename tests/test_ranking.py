"""Ranking as Python users call it: the answer as data, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from qm_cli.batch import Batch
from qm_cli.errors import UsageError
from qm_cli.ranking import Ranking, rank, report_of, run_at
from qm_cli.selection import Choice
from tests.embedded_run import write_embedded


def asked(place: Path, column: str = "entropy", batch: Batch | None = None, **more: object) -> Ranking:
    return Ranking(place, Choice(column=column), batch or Batch(), **more)  # type: ignore[arg-type]


def test_a_batch_tells_how_it_was_chosen(tmp_path: Path) -> None:
    place = write_embedded(tmp_path / "run")
    question = asked(place, batch=Batch(diverse="k-center", budget=2, seed=4))
    run = run_at(question)
    assert run is not None
    report = report_of(rank(question, run, run), place)
    assert [item["id"] for item in report["items"]] == [9, 1]
    assert report["batch"]["diverse"] == "k-center"
    assert report["batch"]["total_cost"] == 2
    assert "batch" not in report_of(rank(asked(place), run, run), place)


def test_ensembles(tmp_path: Path) -> None:
    place = write_embedded(tmp_path / "run", ("a", "b"))
    question = asked(place, "bald", ensemble=("all",))
    run = run_at(question)
    assert run is not None
    answer = rank(question, run, run)
    assert report_of(answer, place, question.ensemble)["ensemble"] == ["all"]
    with pytest.raises(UsageError, match="for an acquisition of its own"):
        rank(asked(place, "cost", ensemble=("all",)), run, run)
    with pytest.raises(UsageError, match="name them by --ensemble"):
        run_at(asked(place, "bald"))
    with pytest.raises(UsageError, match="--ensemble takes a run"):
        rank(question, None, run)


def test_no_run(tmp_path: Path) -> None:
    assert run_at(asked(tmp_path)) is None
