"""What goes wrong in words a user can act on: what, where, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAMED = 12


class QmError(Exception):
    """A failure the user can mend: `message` says what and where, `hint` the way out; the exit code is `exit_code`."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[type[QmError], tuple[str, str]]:
        return type(self), (self.message, self.hint)


class InputError(QmError):
    """A file or folder that cannot be used as it is."""


class UsageError(QmError):
    """Options or arguments that do not fit together or name something unknown."""


class MetricError(QmError):
    """A metric or plugin that cannot be loaded, planned or run."""


def not_nan(value: float | None) -> float | None:
    """The number of an option as it is. Raises UsageError for NaN, which lies in every range.

    >>> not_nan(0.5)
    0.5
    """
    if value is not None and value != value:
        raise UsageError("nan is no number that an option takes", "write one within its range, see --help")
    return value


def nearest(name: str, known: list[str]) -> str:
    """' — did you mean a, b?' for the known names closest to `name`, or an empty string."""
    from difflib import get_close_matches

    matches = get_close_matches(name, dict.fromkeys(known), n=3)
    return f"did you mean {', '.join(matches)}?" if matches else ""


def some(names: Sequence[str]) -> str:
    """All of few names, the first of many.

    >>> some(["a", "b"]), some([str(n) for n in range(14)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more')
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def first_of(names: Sequence[str], most: int) -> str:
    """The names, of more than `most` the first.

    >>> first_of(["a", "b"], 2), first_of(["a", "b", "c"], 2)
    ('a, b', 'a, b, …')
    """
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def refuse_options(what: str, given: Mapping[str, object]) -> None:
    """Raise UsageError for the first option, by name, that is given although it means nothing for `what` is evaluated.

    None and False stand for options that are not given.
    """
    for name, value in given.items():
        if value is not None and value is not False:
            raise UsageError(f"--{name.replace('_', '-')}: not for {what}", "leave it out")
