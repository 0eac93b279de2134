from __future__ import annotations

import numpy as np
import pytest

from qm_cli.analysis.back_test import back_test
from qm_cli.render.terminal_back_test import show_back_test

HEAD = {"acquisition": "entropy", "diverse": None, "sample": "power", "iou": 0.5, "confidence": 0.25, "model": None}


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    found = back_test(np.array([2.0, 0, 1, 0, 5, 0, 0, 0]), np.array([4, 1, 0]), 0)
    one = {"now": 0.5, "mended": 0.75, "gain": 0.25, "random": 0.1, "random_low": 0.0, "random_high": 0.2}
    show_back_test({**HEAD, **found, "mended": {"AP": one}})
    out = capsys.readouterr().out
    assert out.startswith("entropy, power: the first 3 of 8 images, errors at IoU 0.5, confidence 0.25\n")
    assert "found  ▆▆█ 7" in out
    assert "0.1000 ± 0.1000" in out


def test_undefined(capsys: pytest.CaptureFixture[str]) -> None:
    show_back_test({**HEAD, **back_test(np.zeros(3), np.array([0]), 0), "mended": None})
    assert "undefined: there are no errors" in capsys.readouterr().out
