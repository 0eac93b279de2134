"""The prediction reader: the typed path equals the strict one, and bad files end in one line with the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qm_cli.errors import InputError
from qm_cli.ingest import predictions_json
from tests.input_files import prediction, without, write

GOOD = '{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5}'


def read(path: Path, metadata: bool = True) -> dict[str, list[Any]]:
    raw = predictions_json.read(path, metadata)
    return {name: column.to_pylist() for name, column in raw.columns.items()}


@pytest.fixture
def only_strict(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(predictions_json, "_read_typed", lambda *_: None)
    return monkeypatch


NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False, width=64))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "image_id": st.one_of(st.integers(0, 2**52), st.sampled_from([0, 1, -1])),
            "category_id": st.integers(0, 90),
            "bbox": st.lists(NUMBERS, min_size=4, max_size=4),
            "score": st.floats(0, 1),
        },
        optional={"id": st.integers(0, 9), "probs": st.lists(st.floats(0, 1), max_size=3), "note": st.text()},
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, text_ids=st.booleans())
def test_typed_path_equals_strict_path(tmp_path: Path, rows: list[dict[str, Any]], text_ids: bool) -> None:
    if text_ids:
        rows = [{**row, "image_id": f"é\\{row['image_id']}.jpg"} for row in rows]
    path = write(tmp_path / "p.json", json.dumps(rows, ensure_ascii=False))
    typed = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictions_json, "_read_typed", lambda *_: None)
        strict = read(path)
    for name in strict:
        assert typed.get(name, [None] * len(rows)) == strict[name], name
    assert typed["score"] == [row["score"] for row in rows]
    assert typed["image_id"] == [row["image_id"] for row in rows]


def test_typed_path_is_taken_for_plain_and_for_text_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions_json, "_read_strictly", lambda *_: pytest.fail("read strictly"))
    rows = [prediction(image_id=f"a/{n}.jpg", weather="fog", probs=[0.1, 0.9]) for n in range(3)]
    assert read(write(tmp_path / "p.json", rows))["weather"] == ["fog"] * 3
    assert read(write(tmp_path / "q.json", [prediction(), prediction()]))["image_id"] == [1, 1]


def test_file_name_with_glob_characters(tmp_path: Path) -> None:
    write(tmp_path / "x1.json", [prediction(image_id=5)])
    assert read(write(tmp_path / "x[1]?*.json", [prediction(image_id=6)]))["image_id"] == [6]


def test_missing_fields_are_null_and_metadata_is_kept(tmp_path: Path) -> None:
    rows = [without(prediction(mood=1), "score"), prediction(mood="x", deep={"a": [1]})]
    columns = read(write(tmp_path / "p.json", rows))
    assert columns["score"] == [None, 0.9]
    assert columns["mood"] == ["1", "x"]
    assert "deep" not in columns
    assert "mood" not in read(tmp_path / "p.json", metadata=False)


def test_a_field_that_takes_the_place_of_another_is_seen(tmp_path: Path) -> None:
    """As many keys and quotes as if both had the fields of the first; found by the property above."""
    columns = read(write(tmp_path / "p.json", [prediction(note=""), prediction(id=3)]))
    assert (columns["note"], columns["id"]) == (["", None], [None, 3])


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    assert read(write(tmp_path / "p.json", [prediction(Score=3)]))["score"] == [0.9]


def test_empty_list_and_byte_order_mark(tmp_path: Path) -> None:
    assert read(write(tmp_path / "p.json", "[]"))["score"] == []
    assert read(write(tmp_path / "q.json", b"\xef\xbb\xbf[" + GOOD.encode() + b"]"))["score"] == [0.5]


def swapped(old: str, new: str) -> str:
    return f"[{GOOD},{GOOD.replace(old, new, 1)}]"


BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "p.json: the file is empty (an empty set of predictions is written [])"),
    "blank": (" \n", "p.json: the file is empty (an empty set of predictions is written [])"),
    "text": ('"x"', "p.json: expected a list of predictions, found '\"x\"'"),
    "null": ("null", "p.json: expected a list of predictions, found 'null'"),
    "object": ('{"a":1}', "p.json: expected a list of predictions, found an object"),
    "binary": (bytes(range(256)), "p.json: not UTF-8 text"),
    "utf-16": (f"[{GOOD}]".encode("utf-16"), "p.json: the file is UTF-16 text (save it as UTF-8)"),
    "cut off": (f"[{GOOD},{GOOD[:30]}", "p.json: not a complete list: it ends with 'egory_id\":1,' and not with ]"),
    "cut behind a box": (f"[{GOOD},{GOOD[:46]}", "p.json: not valid JSON: "),
    "two lists": (f"[{GOOD}][{GOOD}]", "p.json: not valid JSON: JSON is malformed: trailing characters (byte 62)"),
    "trailing comma": (f"[{GOOD},]", "p.json: not valid JSON: JSON is malformed: trailing comma in array (byte 61)"),
    "single quotes": (
        f"[{GOOD}]".replace('"', "'"),
        "p.json: not valid JSON: JSON is malformed: object keys must be strings (byte 2)",
    ),
    "deep": ("[" * 10**6 + "]" * 10**6, "p.json: "),
    "deep box": (
        swapped("[1,2,3,4]", "[" * 10**6 + "]" * 10**6),
        "p.json: [1].bbox: expected finite numbers, got [[[[",
    ),
    "deep id": (
        swapped("1", "[" * 10**6 + "]" * 10**6),
        "p.json: [1].image_id: expected an integer or a string, got [[",
    ),
    "number in the list": (f"[{GOOD},3]", "p.json: [1]: expected `object`, got `int`"),
    "key twice": (
        swapped('"score"', '"image_id":4,"score"'),
        'p.json: [1]: the key "image_id" stands twice in one object',
    ),
    "other key twice": (
        swapped('"score"', '"x":4,"x":5,"score"'),
        'p.json: [1]: the key "x" stands twice in one object',
    ),
    "ids mixed": (
        swapped("1", '"a"'),
        'p.json: [1].image_id: expected an integer like the other ids, got "a" (mend the',
    ),
    "one text id": (
        "[" + GOOD.replace("1", '"a"', 1) + f",{GOOD},{GOOD}]",
        "p.json: [0].image_id: expected an integer like",
    ),
    "one number among texts": (
        "[" + ",".join(GOOD.replace("1", one, 1) for one in ('"a"', '"b"', "3")) + "]",
        "p.json: [2].image_id: expected a string like the other ids, got 3",
    ),
    "id 2**63": (swapped("1", str(2**63)), "p.json: [1].image_id: 9223372036854775808 does not fit 64 bits (use small"),
    "latin-1": (f'[{GOOD[:-1]},"x":"é"}}]'.encode("latin-1"), "p.json: not UTF-8 text: byte 0xe9 at position 65"),
    "lone surrogate": (
        f'[{GOOD},{GOOD[:-1]},"x":"\\ud800"}}]',
        "p.json: not valid JSON: half of a surrogate pair (\\ud800 …) in a string",
    ),
    "garbage behind": (f"[{GOOD}] x", "p.json: not a complete list: it ends with '"),
    "id too large": (
        swapped("1", "9" * 20),
        "p.json: [1].image_id: 99999999999999999999 does not fit 64 bits",
    ),
    "id fractional": (swapped("1", "1.5"), "p.json: [1].image_id: expected an integer or a string, got 1.5"),
    "id true": (swapped("1", "true"), "p.json: [1].image_id: expected an integer or a string, got true"),
    "score text": (swapped("0.5", '"0.5"'), 'p.json: [1].score: expected a number, got "0.5" (mend the export)'),
    "score true": (swapped("0.5", "true"), "p.json: [1].score: expected a number, got true"),
    "score NaN": (swapped("0.5", "NaN"), "p.json: [1].score: expected a number, got NaN"),
    "score Infinity": (swapped("0.5", "-Infinity"), "p.json: [1].score: expected a number, got -Infinity"),
    "score 1e999": (swapped("0.5", "1e999"), "p.json: [1].score: expected a finite number, got 1e999"),
    "box NaN": (swapped("[1", "[NaN"), "p.json: [1].bbox: expected finite numbers, got NaN"),
    "box text": (swapped("[1", '["1"'), 'p.json: [1].bbox: expected finite numbers, got "1"'),
    "box no list": (swapped("[1,2,3,4]", '"1 2 3 4"'), "p.json: [1].bbox: expected `array | null`, got `str`"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_ends_in_one_line(tmp_path: Path, name: str) -> None:
    content, expected = BAD[name]
    path = write(tmp_path / "p.json", content)
    with pytest.raises(InputError) as caught:
        predictions_json.read(path, True)
    message = str(caught.value).removeprefix(f"{tmp_path}/")
    assert message.startswith(expected)
    assert "\n" not in message
    assert len(message) < 400
    assert caught.value.hint


@pytest.mark.parametrize("name", [name for name, (content, _) in BAD.items() if isinstance(content, str)])
def test_strict_path_refuses_the_same(tmp_path: Path, name: str, only_strict: pytest.MonkeyPatch) -> None:
    test_bad_file_ends_in_one_line(tmp_path, name)


def test_only_what_ends_early_may_be_cut_off(tmp_path: Path) -> None:
    for content, cut in ((f"[{GOOD},{GOOD[:30]}", True), (f"[{GOOD}] x", False)):
        with pytest.raises(InputError) as caught:
            read(write(tmp_path / "p.json", content))
        assert ("cut off" in caught.value.hint) == cut


@pytest.mark.parametrize("odd", ["null", '"0.5"', "NaN", "true", "[1]", "1e999"])
def test_a_probability_that_is_no_number_is_null(tmp_path: Path, odd: str) -> None:
    good = f'{GOOD[:-1]},"probs":[0.5,0.5]}}'
    columns = read(write(tmp_path / "p.json", f"[{good},{good.replace('[0.5', f'[{odd}', 1)}]"))
    assert columns["probs"] == [[0.5, 0.5], [None, 0.5]]


def test_whole_64_bits_and_null_rows(tmp_path: Path) -> None:
    columns = read(write(tmp_path / "p.json", f"[{GOOD.replace('1', str(2**63 - 1), 1)},null]"))
    assert columns["image_id"] == [2**63 - 1, None]
    assert columns["bbox"] == [[1, 2, 3, 4], None]


def test_category_by_name(tmp_path: Path) -> None:
    assert read(write(tmp_path / "p.json", [prediction(category="cat")]), metadata=False)["category"] == ["cat"]
