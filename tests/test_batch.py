"""Batches: budgets, near duplicates, spread, chance, balance; against plain reckoning on a run of six images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.batch import Batch, Candidates, pick, sampled, usefulness_of
from qm_cli.errors import UsageError
from qm_cli.row_fields import Reader
from qm_cli.run_folder import open_run
from qm_cli.selection import Choice, Ranked, select
from tests.embedded_run import write_embedded

NAN = float("nan")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_embedded(tmp_path_factory.mktemp("made") / "run")


def chosen(place: Path, batch: Batch, **choice: object) -> Ranked:
    return select(open_run(place), Choice(**{"column": "entropy", **choice}), batch)  # type: ignore[arg-type]


def ids(place: Path, batch: Batch, **choice: object) -> list[int]:
    found: list[int] = chosen(place, batch, **choice).table["id"].to_pylist()
    return found


def test_a_budget_without_costs_is_a_number(place: Path) -> None:
    assert ids(place, Batch(budget=2)) == [9, 1]


def test_what_does_not_fit_is_passed_over(place: Path) -> None:
    """By entropy 9 (1), 1 (9), 2 (2), 10 (5), 7 (2), 100 (2)."""
    found = chosen(place, Batch(budget=6, cost="cost"))
    assert found.table["id"].to_pylist() == [9, 2, 7]
    assert found.picks is not None
    assert found.picks.facts["total_cost"] == 5
    assert found.picks.notes == ("3 of 6 images cost 5 of 6",)
    assert ids(place, Batch(budget=6, cost="cost"), top=2) == [9, 2]
    assert ids(place, Batch(budget=6, cost="cost", diverse="k-center"))[0] == 9
    assert ids(place, Batch(budget=0.5, cost="cost")) == []


def test_bad_costs(place: Path) -> None:
    with pytest.raises(UsageError, match="no such column"):
        ids(place, Batch(budget=6, cost="price"))
    with pytest.raises(UsageError, match="is no number"):
        ids(place, Batch(budget=6, cost="weather"))
    with pytest.raises(UsageError, match="2 images have none or one below 0"):
        ids(place, Batch(budget=6, cost="odd"))


def test_of_near_duplicates_the_first_stays(place: Path) -> None:
    assert ids(place, Batch(exclude_near_duplicates=True)) == [9, 1, 2, 100]
    assert ids(place, Batch(exclude_near_duplicates=True), unlabeled_only=True) == [2, 100]
    with pytest.raises(UsageError, match="near duplicates are of images"):
        ids(place, Batch(exclude_near_duplicates=True), level="prediction", column="score", descending=True)


@pytest.mark.parametrize("dtype", [pa.null(), pa.int64(), pa.string()])
def test_no_image_has_a_near_duplicate(tmp_path: Path, dtype: pa.DataType) -> None:
    folder = write_embedded(tmp_path / "run")
    image = pq.read_table(folder / "image.parquet")
    column = image.schema.get_field_index("near_duplicate_group")
    pq.write_table(image.set_column(column, "near_duplicate_group", pa.nulls(6, dtype)), folder / "image.parquet")
    assert ids(folder, Batch(exclude_near_duplicates=True)) == [9, 1, 2, 10, 7, 100]


def test_nobody_is_left(place: Path) -> None:
    nobody = np.zeros(0, np.int64)
    for batch in (
        Batch(diverse="k-center"),
        Batch(diverse="badge"),
        Batch(sample="power"),
        Batch(budget=3),
        Batch(exclude_near_duplicates=True),
        Batch(balance=True),
        Batch(diverse="k-means++"),
    ):
        assert ids(place, batch, rows=nobody) == []


def test_farthest_first_times_entropy(place: Path) -> None:
    """9 has the highest entropy; 10 lies beside it; 2 and 1 a right angle away (2 nearer), 7 opposite but certain."""
    assert ids(place, Batch(diverse="k-center")) == [9, 1, 2, 7, 10, 100]
    found = chosen(place, Batch(diverse="k-center"))
    assert found.picks is not None
    assert found.picks.notes == ("1 images have no embedding: put last",)


def test_labelled_images_are_centres(place: Path) -> None:
    """10, 9 and 1 are labelled: of the rest 2 is a right angle from them, 7 as well; by entropy 2 first."""
    assert ids(place, Batch(diverse="k-center"), unlabeled_only=True) == [2, 7, 100]


def test_no_acquisition_weighs_all_alike(place: Path) -> None:
    assert ids(place, Batch(diverse="k-center"), column=None)[:2] == [1, 2]


def test_chance_takes_all_and_the_seed_decides(place: Path) -> None:
    orders = {tuple(ids(place, Batch(diverse="k-means++", seed=seed))) for seed in range(20)}
    assert len(orders) > 3
    assert all(sorted(order) == [1, 2, 7, 9, 10, 100] and order[-1] == 100 for order in orders)


def test_badge_starts_with_the_longest_gradient(place: Path) -> None:
    """Image 7 has one prediction of .7: gradient (−.3, .3); 10 .9 and .2: (−.1 − .8, ·, .9); the longest."""
    assert ids(place, Batch(diverse="badge", seed=1))[0] == 10
    assert ids(place, Batch(diverse="badge", seed=1))[-1] == 100


def test_balance_favours_rare_categories(place: Path) -> None:
    """Two labels each: both categories weigh the same, and the order is that of entropy."""
    assert ids(place, Batch(balance=True)) == [9, 1, 2, 10, 7, 100]


def test_labels_have_no_embeddings_here(place: Path) -> None:
    with pytest.raises(UsageError, match="no embeddings of labels"):
        ids(place, Batch(diverse="k-center"), level="label", column="area", descending=True)
    with pytest.raises(UsageError, match="no embeddings of predictions"):
        ids(place, Batch(diverse="k-center"), level="prediction", column="score", descending=True)


@pytest.mark.parametrize(
    ("values", "descending", "expected"),
    [
        ([0.5, 0.0, NAN], True, [0.5, 0, 0]),
        ([0.5, -1.0, NAN], True, [1.5, 0, 0]),
        ([0.2, 0.9, NAN], False, [0.7, 0, 0]),
        ([2.0, np.inf, 1.0], True, [2, 2, 1]),
        ([NAN, NAN, NAN], True, [0, 0, 0]),
        (None, False, [1, 1, 1]),
    ],
)
def test_usefulness(values: list[float] | None, descending: bool, expected: list[float]) -> None:
    given = None if values is None else np.array(values)
    found = usefulness_of(Candidates("image", np.arange(3), given, descending))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("how", "odds"), [("power", [1 / 7, 2 / 7, 4 / 7]), ("softmax", np.exp([1, 2, 4]) / np.exp([1, 2, 4]).sum())]
)
def test_odds_of_the_first_draw(how: str, odds: list[float]) -> None:
    useful = np.array([1.0, 2.0, 4.0])
    first = [sampled(useful, how, 1.0, seed)[0] for seed in range(4000)]
    np.testing.assert_allclose(np.bincount(first, minlength=3) / 4000, odds, atol=0.025)


def test_coldness() -> None:
    useful = np.array([1.0, 0.0, 4.0, 2.0])
    assert sampled(useful, "power", 1e6, 0).tolist() == [2, 3, 0, 1]
    for huge in (1e300, 1e308):
        scaled = useful * 1e3
        assert (
            sampled(scaled, "softmax", huge, 0).tolist() == sampled(scaled, "power", huge, 0).tolist() == [2, 3, 0, 1]
        )
    assert {sampled(useful, "power", 0.0, seed)[3] for seed in range(50)} == {1}
    firsts = [sampled(useful, "softmax", 0.0, seed)[0] for seed in range(4000)]
    np.testing.assert_allclose(np.bincount(firsts) / 4000, 0.25, atol=0.03)


def test_many_costs_as_in_a_plain_loop(place: Path) -> None:
    random = np.random.default_rng(4)
    costs, budget = random.integers(1, 30, 400).astype(float), 500.0

    class Made(Reader):
        def __init__(self) -> None:
            self.columns = lambda name: {"cost": None}  # type: ignore[dict-item]

        def column(self, table: str, name: str):  # type: ignore[no-untyped-def]
            return pa.array(costs)

    found = pick(Made(), Candidates("image", np.arange(400), None, False), Batch(budget=budget, cost="cost"))
    left, expected = budget, []
    for row, cost in enumerate(costs):
        if cost <= left:
            expected.append(row)
            left -= cost
    assert found.places.tolist() == expected
