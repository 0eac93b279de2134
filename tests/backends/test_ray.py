"""A real cluster of this machine gives what this machine gives. Needs the extra `ray`: make test-ray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qm_cli import run
from qm_cli.backends.ray import Cluster, open_cluster
from qm_cli.errors import MetricError, QmError
from tests.photo_sets import fingerprints, photo_set
from tests.test_image_pass import deadly, scored

__all__ = ["deadly"]
pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def code_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import the code and the tests from where they lie."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with open_cluster(workers=2) as cluster:
        yield cluster


def square(number: int) -> int:
    return number * number


def failing(number: int) -> int:
    raise MetricError("three", "take four")


def dying(number: int) -> int:
    os._exit(3)


def test_an_ordered_map(cluster: Cluster) -> None:
    heard: list[tuple[int, int]] = []
    assert list(cluster.map(square, range(20), lambda *done: heard.append(done))) == [n * n for n in range(20)]
    assert heard == [(n, 20) for n in range(1, 21)]
    assert list(cluster.map(square, [])) == []
    with pytest.raises(MetricError, match="three"):
        list(cluster.map(failing, range(3)))
    with pytest.raises(QmError, match="worker process ended"):
        list(cluster.map(dying, [1]))


def test_the_same_bytes_as_on_this_machine(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 30)
    here = fingerprints(run.score(folder, tmp_path / "one", workers=1))
    assert here == fingerprints(run.score(folder, tmp_path / "two", workers=2, shards=5))
    assert here == fingerprints(run.score(folder, tmp_path / "ray", workers=2, shards=7, backend="ray"))


def test_an_image_that_kills_every_worker_is_found(deadly: tuple[Path, Path]) -> None:
    folder, plugin = deadly
    expected = fingerprints(scored(deadly, 1000, "killed"))
    (tmp := folder.parent / "count").write_text("1000")
    assert tmp.exists()
    found = run.score(folder, folder.parent / "ray", plugins=(plugin,), workers=2, shards=6, backend="ray")
    assert fingerprints(found) == expected


def test_a_cluster_that_is_not_there() -> None:
    with pytest.raises(QmError, match="cannot be reached"), open_cluster("127.0.0.1:1"):
        pass
