"""Failures in words: message and way out survive printing and pickling."""

from __future__ import annotations

import pickle

import pytest

from qm_cli.errors import InputError, MetricError, QmError, UsageError, nearest, refuse_options


@pytest.mark.parametrize("kind", [QmError, InputError, UsageError, MetricError])
def test_an_error_says_what_and_the_way_out(kind: type[QmError]) -> None:
    error = kind("labels.json: the file is empty", "export it again")
    assert str(error) == "labels.json: the file is empty (export it again)"
    assert (error.message, error.hint, error.exit_code) == ("labels.json: the file is empty", "export it again", 2)
    assert str(kind("no way out")) == "no way out"
    with pytest.raises(QmError):
        raise error


@pytest.mark.parametrize("kind", [QmError, InputError, UsageError, MetricError])
def test_an_error_crosses_processes_whole(kind: type[QmError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", "way out")))
    assert type(error) is kind
    assert (error.message, error.hint, str(error)) == ("what", "way out", "what (way out)")


def test_options_that_mean_nothing_are_refused() -> None:
    refuse_options("classes", {"iou": None, "auc": False})
    with pytest.raises(UsageError, match="--iou: not for classes"):
        refuse_options("classes", {"auc": False, "iou": 0.0})


def test_nearest() -> None:
    assert nearest("entropi", ["entropy", "margin"]) == "did you mean entropy?"
    assert nearest("cot", ["cat", "cow", "dog"]) == "did you mean cow, cat?"
    assert nearest("zebra", ["cat", "dog"]) == ""
    assert nearest("cat", []) == ""


def test_a_name_known_twice_is_suggested_once() -> None:
    assert nearest("heigth", ["height", "width", "height"]) == "did you mean height?"
