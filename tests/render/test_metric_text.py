"""The list of metrics and one metric as plain text."""

from __future__ import annotations

import pytest

from qm_cli.catalog import load
from qm_cli.metric_listing import listed
from qm_cli.render.metric_text import metric_explained, metric_list
from tests.test_metric_listing import CATALOG

LIST = """\
image
  kind   metric  unit   range  better   needs
  data   mud     share  0..    lower    pixels, [depth]

label
  kind   metric  unit   range  better   needs
  data   mud     share  0..    lower    pixels, [depth]
  label  twins   –      –      neither  bbox

3 metrics; qm metrics NAME explains one, [name] is used where it is there
"""
EXPLAINED = """\
image.mud: How muddy it is.

  level       image
  kind        data
  unit        share
  range       0..
  better      lower; qm rank puts the highest first
  needs       pixels
  takes       depth
  options     stages = [1, 2] (--set mud.OPTION=VALUE)
  declared in tests.test_metric_listing

  Told at length.

  >>> 1 + 1
  2
"""


def test_golden() -> None:
    assert metric_list(listed(CATALOG)) == LIST
    assert metric_explained(listed(CATALOG)[0]) == EXPLAINED


def test_a_metric_with_several_columns() -> None:
    text = metric_explained(listed(CATALOG)[2])
    assert "  columns     first, second\n" in text
    assert "qm rank needs --order" in text


def test_none() -> None:
    assert metric_list([]) == "0 metrics; qm metrics NAME explains one\n"


@pytest.mark.parametrize("room", [40, 60, 79, 100, 140])
def test_every_metric_fits(room: int) -> None:
    """Of names, whatever the room; of a wide screen more is used than of a pipe."""
    everything = listed(load(()))
    lines = metric_list(everything, room).splitlines()
    assert max(map(len, lines)) <= room
    assert all(any(f" {metric['name']}" in line for line in lines) for metric in everything)
    explained = [line for metric in everything for line in metric_explained(metric, room).splitlines()]
    assert max(map(len, explained)) <= min(room, 100)


def test_what_there_is_no_room_for_is_said() -> None:
    text = metric_list(listed(CATALOG), 40)
    assert text.startswith("image\n  kind   metric  unit   range  better\n  data   mud     share  0..    lower\n")
    assert " ".join(text.split()).endswith("explains one, needs too, for which there is no room here")
