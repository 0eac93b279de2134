from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qm_cli.codes import Codes

NAMES = ("TP", "FP", "ignored")


@given(st.lists(st.sampled_from([*NAMES, None])))
def test_stands_for_its_texts(texts: list[str | None]) -> None:
    places = {None: -1, **{name: place for place, name in enumerate(NAMES)}}
    codes = Codes(np.array([places[text] for text in texts], np.int8), NAMES)
    assert len(codes) == len(texts)
    assert codes.tolist() == np.asarray(codes).tolist() == texts
    assert codes.counts() == {text: texts.count(text) for text in set(texts)}
