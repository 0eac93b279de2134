"""Which samples a slice holds: conditions, columns and manifests over runs and tables in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.load import load_tables
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.run_tables import tables_of_run
from qm_cli.slice_language import IMAGE, OBJECT, Slice, Slices, Wanted, parsed_slice, slices_of, sorted_by_image
from qm_cli.slice_rows import named_tables
from tests.made_run import write_run

SAMPLE = Path(__file__).parent.parent / "sample_data"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_run(tmp_path_factory.mktemp("made") / "run"))


def told(run: Run, *conditions: str, **more: object) -> Slices:
    return slices_of(run, Wanted(conditions=conditions, **more))  # type: ignore[arg-type]


def only(run: Run, condition: str) -> Slice:
    (found,) = told(run, condition).slices
    return found


def rows(one: Slice) -> list[list[int] | None]:
    masks = (one.images, one.labels, one.predictions)
    return [None if mask is None else np.flatnonzero(mask).tolist() for mask in masks]


def test_a_condition_on_images_takes_all_they_hold(run: Run) -> None:
    found = only(run, "foggy=weather = 'fog'")
    assert (found.name, found.level, found.definition) == ("foggy", IMAGE, "weather = 'fog'")
    assert rows(found) == [[0, 2, 4], [0, 1], [0, 1, 3]]
    assert rows(only(run, "weather = 'fog' or entropy is null")) == [[0, 2, 3, 4], [0, 1], [0, 1, 3]]


def test_a_condition_on_objects_takes_those_alone(run: Run) -> None:
    found = only(run, "brightness < 0.25 AND category = 'cat'")
    assert found.level == OBJECT
    assert rows(found) == [[0, 1], [0, 2], [0, 2]]


def test_a_column_of_one_side_says_nothing_of_the_other(run: Run) -> None:
    assert rows(only(run, "area > 2")) == [[0], [0, 1], None]
    assert rows(only(run, "confident=score > 0.75")) == [[0, 1, 5], None, [0, 2, 4]]
    assert rows(only(run, "prediction.outcome = 'TP'")) == [[0, 5], None, [0, 4]]


def test_levels_tell_columns_of_one_name_apart(run: Run) -> None:
    assert rows(only(run, "id < 3")) == [[2, 5], [3], [4]]
    assert rows(only(run, "object.id < 2")) == [[0], [0], [0, 1]]
    assert rows(only(run, "label.id < 3")) == [[0], [0, 1], None]
    assert rows(only(run, "image.id < 8 and label.id > 3")) == [[5], [3], None]
    assert rows(only(run, "weather = 'label.id'")) == [[], [], []]


def test_values_of_columns(run: Run) -> None:
    found = told(run, columns=("weather", "category", "label.area")).slices
    assert [(one.name, rows(one)) for one in found[:5]] == [
        ("weather=fog", [[0, 2, 4], [0, 1], [0, 1, 3]]),
        ("weather=sun", [[1, 3], [2], [2]]),
        ("weather=(none)", [[5], [3], [4]]),
        ("category=cat", [[0, 1], [0, 2], [0, 2]]),
        ("category=dog", [[0, 4, 5], [1, 3], [1, 3, 4]]),
    ]
    assert (found[5].name, found[5].definition) == ("label.area=1", "label.area = '1'")
    assert found[5].predictions is None
    for one in found:
        assert rows(only(run, one.definition)) == rows(one)


def test_manifests(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "slices.json"
    manifest.write_text(json.dumps({"named": [10, "b.jpg", "zz", 77], "dark": "brightness < 0.15", "none": []}))
    found = slices_of(run, Wanted(manifest, conditions=("cat=category = 'cat'",)))
    assert [one.name for one in found.slices] == ["named", "dark", "none", "cat"]
    assert rows(found.slices[0]) == [[0, 1], [0, 1, 2], [0, 1, 2]]
    assert [(one.code, one.count, one.examples) for one in found.findings] == [("slice-unknown-image", 2, ("zz", "77"))]
    assert found.notes == ("slice none has no members",)
    manifest.write_text(json.dumps({"key_kind": "image_id", "rows": [{"key": 10, "site": "A"}, {"key": 9}]}))
    site, rest = slices_of(run, Wanted(manifest)).slices
    assert (rows(site)[0], rows(rest)[0]) == ([0], [1, 2, 3, 4, 5])
    manifest.write_text(json.dumps({"a": ["x", "y"]}))
    with pytest.raises(InputError, match="none of its 2 images is in the data"):
        slices_of(run, Wanted(manifest))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(conditions=("dark=brightnes < 0.2",)), "'dark': there is no column 'brightnes'.*did you mean brightn"),
        (Wanted(conditions=("category = 'cat' and are > 1",)), "no column 'are'.*area"),
        (Wanted(conditions=("brightness <",)), "syntax error"),
        (Wanted(conditions=("label.area < 3 or prediction.score < 0.5",)), r"no row is .*object\.width"),
        (Wanted(conditions=("category < 3",)), "Cannot compare"),
        (Wanted(conditions=("1 = 1) or (1 = 1",)), "syntax error"),
        (Wanted(conditions=("brightness < (select max(a) from read_csv('/etc/passwd'))",)), "outside the run"),
        (Wanted(conditions=(" ",)), "an empty slice"),
        (Wanted(conditions=("a=brightness < 1", "a=brightness > 1")), "'a' is there twice"),
        (Wanted(columns=("wether",)), "no column 'wether'.*weather"),
        (Wanted(columns=("image.score",)), "no column 'image.score'"),
        (Wanted(columns=("bbox",)), "few values"),
    ],
)
def test_refusals(run: Run, wanted: Wanted, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        slices_of(run, wanted)


def test_a_column_of_many_values(tmp_path: Path) -> None:
    tables = {"image": pa.table({"id": np.arange(101), "speed": np.arange(101.0)})}
    with pytest.raises(UsageError, match="101 different values"):
        slices_of(tables, Wanted(columns=("speed",)))
    assert slices_of(tables, Wanted(conditions=("speed < 9",))).slices[0].images.sum() == 9


def test_names_of_conditions() -> None:
    assert parsed_slice("dark night = brightness < 0.2").name == "dark night"
    assert parsed_slice("brightness >= 0.2").name == "brightness >= 0.2"
    assert parsed_slice("a == 2").name == "a == 2"
    assert parsed_slice("weather='fog'", ["Weather"]).condition == "weather='fog'"


def test_a_name_that_objects_have_too_is_told(tmp_path: Path) -> None:
    tables = {
        "image": pa.table({"id": [1, 2], "area": [10.0, 20.0]}),
        "label": pa.table({"id": [1, 2], "image_row": [0, 1], "area": [5.0, 15.0]}),
    }
    found = slices_of(tables, Wanted(conditions=("area < 12",)))
    assert rows(found.slices[0]) == [[0], [0], None]
    assert found.notes == ("area is the image's: object.area is a label's or prediction's own",)
    own = slices_of(tables, Wanted(conditions=("label.area > 12",)))
    assert rows(own.slices[0]) == [[1], [1], None]
    assert own.notes == ()


def test_runs_and_their_files_agree(tmp_path: Path) -> None:
    run = open_run(score(SAMPLE, tmp_path / "run", kinds=("label",)).path, "better")
    tables = load_tables(SAMPLE / "labels.json", SAMPLE / "predictions" / "better.json", metadata=True)
    wanted = Wanted(columns=("weather", "category"), conditions=("label.area < 900", "score > 0.5 and site = 'north'"))
    of_run = sorted_by_image(run, slices_of(run, wanted).slices)
    of_files = slices_of(named_tables(tables), wanted).slices
    again = tables_of_run(run)
    for ours, theirs in zip(of_run, of_files, strict=True):
        assert ours.name == theirs.name
        assert rows(ours) == rows(theirs)
    assert again.values("label", "image_row").tolist() == tables.values("label", "image_row").tolist()
