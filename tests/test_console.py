"""Talk goes to stderr, when wanted; a progress bar shows itself only to people, and only when it takes long."""

from __future__ import annotations

import io
import sys
import time

import pytest

from qm_cli import console

Captured = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_as_stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return screen


def wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second and more goes by."""
    later = time.monotonic() + 1.5
    monkeypatch.setattr(time, "monotonic", lambda: later)


def test_talk_is_a_line_on_stderr(capsys: Captured) -> None:
    console.say("12 images")
    assert capsys.readouterr() == ("", "12 images\n")


def test_quiet_means_no_talk(capsys: Captured) -> None:
    assert console.set_quiet(True) is True
    console.say("12 images")
    assert capsys.readouterr() == ("", "")


def test_a_wish_once_said_holds_whatever_a_later_option_says() -> None:
    assert console.set_quiet(False) is False
    assert console.mood == console.Mood()
    console.set_quiet(True), console.set_quiet(False)
    console.set_debug(True), console.set_debug(False)
    assert console.mood == console.Mood(quiet=True, debug=True)


def test_no_progress_where_stderr_is_no_terminal(capsys: Captured) -> None:
    with console.progress("images") as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")


def test_no_progress_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_as_stderr(monkeypatch)
    console.set_quiet(True)
    with console.progress("images") as advance:
        wait(monkeypatch)
        advance(1, 2)
    assert screen.getvalue() == ""


def test_no_progress_of_what_is_done_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_as_stderr(monkeypatch)
    with console.progress("images") as advance:
        for done in range(5):
            advance(done, 5)
    assert screen.getvalue() == ""


def test_progress_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_as_stderr(monkeypatch)
    with console.progress("images") as advance:
        advance(1, 4)
        wait(monkeypatch)
        advance(3, 4)
        assert "3/4" in screen.getvalue()
        advance(4, 4)
    assert "images" in screen.getvalue()
    assert "4/4" in screen.getvalue()


def test_a_failure_leaves_the_cursor_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_as_stderr(monkeypatch)

    def failing() -> None:
        with console.progress("images") as advance:
            wait(monkeypatch)
            advance(1, 4)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    shown = screen.getvalue()
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
