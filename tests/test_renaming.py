"""User columns keep their values under a free name when theirs is taken."""

from __future__ import annotations

from qm_cli import engine
from qm_cli.columns import available
from qm_cli.renaming import with_free_names
from qm_cli.scoring import selection
from qm_cli.tables import Tables
from tests import builders


def tables(**metadata: int) -> Tables:
    image = {"id": 1, "file_name": "a.png", "width": 4, "height": 4, **metadata}
    return builders.tables({"images": [image], "categories": [{"id": 1, "name": "a"}], "annotations": []}, [])


def renamed(given: Tables) -> Tables:
    chosen = selection(["image.area"])
    plan = engine.plan(chosen.chosen, chosen.known, available(given))
    return with_free_names(given, engine.run(given, plan))


def test_nothing_happens_without_a_clash() -> None:
    assert renamed(tables(weather=3)).image.column_names == tables(weather=3).image.column_names
    assert renamed(tables(weather=3)).findings == ()


def test_the_name_of_a_metric_is_given_up() -> None:
    found = renamed(tables(area=7))
    assert found.image["given_area"].to_pylist() == [7]
    assert [(one.code, one.examples) for one in found.findings] == [("metadata-renamed", ("image.area",))]


def test_a_free_name_is_found_whatever_is_there() -> None:
    assert renamed(tables(area=7, given_area=8)).image["given_given_area"].to_pylist() == [7]
