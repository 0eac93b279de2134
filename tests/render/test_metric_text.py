"""The list of metrics and one metric as plain text."""

from __future__ import annotations

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
