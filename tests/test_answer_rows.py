from __future__ import annotations

from qm_cli.answer_rows import DataRow, Row, first_name, is_located, unfolded
from qm_cli.nested_answers import Option


def test_plain_rows_stay_as_they_are() -> None:
    rows = [Row(id=1, category="cat"), Row(id=2, answer="red")]
    assert unfolded(rows, {}) is rows


def test_a_list_of_answers_is_a_row_each_and_a_question_of_several() -> None:
    kinds: dict[str, str] = {}
    row = Row(name="colours", dataRow=DataRow(id="a"), answer=[Option(name="red"), Option(name="blue")])
    found = unfolded([row], kinds)
    assert [(one.data_row_id, one.question, one.category_name) for one in found] == [
        ("a", "colours", "red"),
        ("a", "colours", "blue"),
    ]
    assert kinds == {"colours": "checklist"}


def test_the_name_of_a_row() -> None:
    assert first_name(Row(category_name="cat")) == "cat"
    assert first_name(Row(label=7)) == "7"
    assert first_name(Row()) is None


def test_an_entity_of_labelbox_names_its_category() -> None:
    row = Row(name="person", location={"start": 0, "end": 3}, dataRow=DataRow(global_key="a"))
    assert first_name(row) == "person"
    [found] = unfolded([row], {})
    assert (found.data_row_id, found.question, found.category_name, found.location) == (
        "a",
        None,
        "person",
        row.location,
    )
    assert not is_located(Row(location="indoor"))
