"""The terminal shows the numbers of the JSON and nothing else; names are never taken for anything but names."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.render import terminal
from qm_cli.render.terminal import show_evaluation, show_notes, show_table, shown
from qm_cli.table_widths import PIPE_COLUMNS
from tests.render.screens import COLOUR, NUMBER, STYLE, cells, printed, report, rows_below

LONG = "a very long name " * 20
GOLDEN = """\
bbox, convention coco: 3 images, 5 labels, 7 predictions
                all   small  medium   large  IoU .50  IoU .75
AP           0.4678  0.5000  0.8000  1.0000   0.5567   0.5567
AR           0.6000  0.6667  0.8000  1.0000        –        –
AR, best 1   0.4333       –       –       –        –        –
AR, best 10  0.6000       –       –       –        –        –

at IoU 0.6, confidence 0.5   micro   macro                   count
precision                   0.6000  0.5833  true positives       3
recall                      0.6000  0.5000  false positives      2
F1                          0.6000  0.4333  false negatives      2
mean IoU of true positives  0.9167  0.9375

category            labels  predictions      AP    AP50   AR100  precision  recall      f1
dog                      2            3  0.8350  0.8350  1.0000     0.5000  0.5000  0.5000
cat                      2            4  0.5683  0.8350  0.8000     0.6667  1.0000  0.8000
nothing but labels       1            0  0.0000  0.0000  0.0000          –  0.0000  0.0000
nothing                  0            0       –       –       –          –       –       –

most confused: true  predicted  count
dog                  cat            1

"""


def without_notes(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "notes": []}


def test_golden() -> None:
    text = printed(show_evaluation, without_notes(report(iou=0.6)))
    assert [line.rstrip() for line in text.splitlines()] == GOLDEN.splitlines()


def test_every_number_is_one_of_the_json_and_none_is_missing() -> None:
    made = without_notes(report({"dog": "dog a", "cat": "cat b"}, iou=0.6, confidence=0.2))
    metrics, categories = made["metrics"], made["categories"]
    summary = [metrics[name] for name in metrics if not name.startswith(("AP_at", "AR_at"))]
    per_category = [
        row[name]
        for row in categories
        for name in ("labels", "predictions", "AP", "AP50", "AR100", "precision", "recall", "f1")
    ]
    confused = [
        cell["count"]
        for cell in made["confusion"]["cells"]
        if cell["true"] != cell["predicted"] and None not in (cell["true"], cell["predicted"])
    ]
    sizes = [made[name] for name in ("images", "labels", "predictions")]
    expected = Counter(shown(value) for value in (*summary, *per_category, *confused, *sizes) if value is not None)
    text = printed(show_evaluation, made)
    for words in ("best 10", "best 1", "at IoU 0.6, confidence 0.2", "IoU .50", "IoU .75"):
        assert words in text
        text = text.replace(words, "")
    assert Counter(NUMBER.findall(text)) == expected


def test_categories_stand_by_falling_number_of_labels() -> None:
    made = report()
    rows = rows_below(printed(show_evaluation, made), "category")
    ordered = sorted(made["categories"], key=lambda row: -row["labels"])
    names = ("name", "labels", "predictions", "AP", "AP50", "AR100", "precision", "recall", "f1")
    assert rows == [[shown(row[name]) for name in names] for row in ordered]


def test_more_categories_than_fit_are_told_of() -> None:
    made = without_notes(report())
    made["categories"] = [{**made["categories"][0], "name": f"c{n}", "labels": n} for n in range(25)]
    text = printed(show_evaluation, made)
    assert [row[0] for row in rows_below(text, "category")] == [f"c{n}" for n in range(24, 4, -1)]
    assert "\n\n… and 5 more categories: --json has all\n" in text


def test_the_largest_confusions_alone_are_shown() -> None:
    made = without_notes(report())
    named = [{"true": f"t{n}", "predicted": f"p{n}", "count": 90 - n} for n in range(12)]
    others = [{"true": "t", "predicted": "t", "count": 99}, {"true": None, "predicted": "p", "count": 98}]
    made["confusion"] = {"cells": [*others, *named]}
    rows = rows_below(printed(show_evaluation, made), "most confused")
    assert rows == [[f"t{n}", f"p{n}", str(90 - n)] for n in range(8)]
    made["confusion"] = {"cells": others}
    assert "most confused" not in printed(show_evaluation, made)


@pytest.mark.parametrize("name", ["[bold]dog[/bold]", "[/]", "[/b]", "[link=x]d[/link]", "a\\[b", "dog :dog: 1.5"])
def test_names_are_not_markup(name: str) -> None:
    text = printed(show_evaluation, report({"dog": name}))
    assert sum(line.startswith(f"{name} ") for line in text.splitlines()) >= 1
    assert cells(printed(show_table, [name, "n"], [(name, 1)]).splitlines()[0])[0] == name


@pytest.mark.parametrize("name", ["[bold]x", "[/b]"])
def test_notes_are_not_markup(name: str) -> None:
    assert printed(show_notes, [f"only the categories {name}"]) == f"note: only the categories {name}\n"


def test_a_pipe_gets_no_escapes() -> None:
    assert "\x1b" not in printed(show_evaluation, report())
    assert "\x1b" not in printed(show_evaluation, report(), NO_COLOR="1")


def test_a_terminal_gets_colours_unless_it_wants_none() -> None:
    coloured = printed(show_evaluation, report(), tty=True)
    assert COLOUR.search(coloured)
    plain = printed(show_evaluation, report(), tty=True, NO_COLOR="1")
    assert not COLOUR.search(plain)
    assert STYLE.sub("", plain) == STYLE.sub("", coloured)


def test_a_pipe_gets_whole_names_and_notes_of_whole_words() -> None:
    made = report({"dog": LONG + "end"})
    made["notes"] = ["word " * 200 + "end"]
    lines = printed(show_evaluation, made).splitlines()
    assert sum((LONG + "end") in line for line in lines) == 2
    notes = lines[next(place for place, line in enumerate(lines) if line.startswith("note: ")) :]
    assert " ".join(line.strip() for line in notes) == "note: " + "word " * 200 + "end"
    assert max(map(len, notes)) <= PIPE_COLUMNS


def test_a_path_in_a_note_is_never_cut() -> None:
    path = "/data/" + "deep-down/" * 20
    for tty in (True, False):
        assert path in STYLE.sub("", printed(show_notes, [f"see {path} for more"], tty=tty, width=60))


def test_headings_and_prose_are_wrapped_and_numbers_are_not() -> None:
    rows = [("one", 0.25, "many words of prose " * 6), ("two", 12345, "few")]
    text = printed(partial(show_table, prose=(2,)), ["name", "a heading of words " * 4, "why"], rows)
    lines = text.splitlines()
    assert max(map(len, lines)) <= PIPE_COLUMNS
    assert all(line == line.rstrip() for line in lines)
    assert Counter(NUMBER.findall(text)) == Counter(["0.2500", "12,345"])
    assert text.split().count("prose") == 6


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_long_name_never_costs_a_number(width: int) -> None:
    made = without_notes(report({"dog": LONG, "cat": LONG[::-1]}))
    text = STYLE.sub("", printed(show_evaluation, made, tty=True, width=width))
    assert all(len(line) <= width for line in text.splitlines())
    whole = printed(show_evaluation, made)
    assert Counter(NUMBER.findall(text)) == Counter(NUMBER.findall(whole))
    assert "…" not in text
    assert all(text.count(word) == whole.count(word) for word in ("long", "gnol"))


def test_a_narrow_terminal_gives_every_column_of_words_its_share() -> None:
    text = STYLE.sub("", printed(show_table, ["a", "b", "n"], [("x" * 90, "y" * 90, 123456)], tty=True, width=60))
    assert re.search(r"x{20,} +y{20,} +123,456", text)
    assert (text.count("x"), text.count("y")) == (90, 90)


@pytest.mark.parametrize("width", [80, 60, 40, 20])
def test_a_narrow_terminal_wraps_words_and_cuts_nothing(width: int) -> None:
    row = ("overlooked:268", "toys_0101.jpg", "add car [29, 175, 60, 28]", "0.7285 … 0.8048", 0.9674, 1234567)
    columns = ["id", "image", "suggestion", "95 % interval", "suspicion", "predictions"]
    text = STYLE.sub("", printed(show_table, columns, [row], tty=True, width=width))
    shown_cells = "".join("".join(text.split()) for text in (*columns, *map(shown, row)))
    assert Counter("".join(text.split())) == Counter(shown_cells)
    assert {"0.9674", "1,234,567", "0.7285", "0.8048"} <= set(text.split())


TEXTS = ["a", "true positives", "name_without_a_blank_" * 2, "猫猫猫", "tab\tin", "0.5000", ""]
CELLS = st.sampled_from([*TEXTS, 0.25, float("nan"), float("-inf"), 370160834, None])


@given(st.data(), st.integers(1, 7), st.integers(0, 3), st.sampled_from([1, 20, 40, 80, 200]), st.booleans())
def test_nothing_is_cut_whatever_stands_in_a_table(
    data: st.DataObject, columns: int, rows: int, width: int, tty: bool
) -> None:
    names = data.draw(st.lists(st.sampled_from(TEXTS), min_size=columns, max_size=columns))
    table = data.draw(st.lists(st.tuples(*[CELLS] * columns), min_size=rows, max_size=rows))
    text = STYLE.sub("", printed(print_table, names, table, tty=tty, width=width))
    expected = "".join(map(shown, [*names, *(value for row in table for value in row)])).replace("\t", "�")
    assert Counter("".join(text.split())) == Counter("".join(expected.split()))


def test_headings_are_folded_before_words() -> None:
    columns, row = ["slice", "predictions", "precision"], ("weather=clear", 188, 0.9521)
    text = STYLE.sub("", printed(show_table, columns, [row], tty=True, width=31))
    assert cells(text.splitlines()[-2]) == ["weather=clear", "188", "0.9521"]
    assert "predictions" not in text
    assert "".join(text.split()).startswith("predi")


def test_many_numbers_stand_closer_on_a_narrow_terminal() -> None:
    columns, row = ["category", *"abcdefghij"], ["cup", *[0.9375] * 10]
    text = STYLE.sub("", printed(print_table, columns, [row], tty=True, width=80))
    assert "cup" + " 0.9375" * 10 in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    pipe = printed(print_table, columns, [row])
    assert "0.9375  0.9375" in pipe


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    terminal.print_table_on(terminal.plain_console(), columns, rows)


def test_drawings_are_never_folded() -> None:
    text = STYLE.sub(
        "", printed(show_table, ["metric", ""], [("a_long_name_of_a_metric", "█" * 20)], tty=True, width=32)
    )
    assert "█" * 20 in text
    assert "a_long_nam" in text


def test_wide_characters_keep_their_columns() -> None:
    lines = printed(show_table, ["name", "n"], [("猫猫猫", 1), ("é", 12)]).splitlines()
    assert [line.rstrip() for line in lines[:3]] == ["name     n", "猫猫猫   1", "é       12"]


@pytest.mark.parametrize("name", ["\x1b[31mred", "two\nlines", "\x9b31mred"])
def test_a_name_cannot_steer_the_terminal(name: str) -> None:
    text = printed(show_table, ["name", "n"], [(name, 1)])
    assert len(text.splitlines()) == 3
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.69697, "0.6970"),
        (1.0, "1.0000"),
        (-0.05, "-0.0500"),
        (12345.678, "12345.6780"),
        (36559, "36,559"),
        (0, "0"),
        (True, "True"),
        ("[x]", "[x]"),
        ("", ""),
    ],
)
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


def test_keypoints_are_told_by_their_similarity() -> None:
    made = report()
    more = dict.fromkeys(("AR", "ARm", "ARl", "AR50", "AR75"), 0.5)
    rows = [{**row, "AR": 0.5} for row in made["categories"]]
    posed = {**made, "task": "keypoints", "max_detections": [20], "metrics": {**made["metrics"], **more}}
    text = printed(show_evaluation, without_notes({**posed, "categories": rows}))
    assert "at OKS 0.5, confidence 0.5" in text
    assert "mean OKS of true positives" in text


def test_a_table_without_rows() -> None:
    assert printed(show_table, ["a", "b"], []).splitlines() == ["a  b", ""]


def test_rows_may_come_one_by_one() -> None:
    assert cells(printed(show_table, ["a", "b"], ((n, n / 2) for n in range(2))).splitlines()[2]) == ["1", "0.5000"]


def test_a_reader_that_has_gone_is_for_the_error_door() -> None:
    with pytest.raises(BrokenPipeError):
        terminal.plain_console().on_broken_pipe()
