"""Questions below an answer, as Labelbox writes them: each is a question of its own, `question/answer/question`."""

from __future__ import annotations

import msgspec

CHECKLIST = "checklist"
Below = tuple[str | None, str | None, str | None, float | None]


class Option(msgspec.Struct, gc=False):
    """An answer as Labelbox writes it, with the questions that are asked of it."""

    name: str
    confidence: float | None = None
    classifications: list[Nested] = []


class Nested(msgspec.Struct, gc=False):
    """A question below an answer: one answer, all that apply, or free text."""

    name: str
    answer: str | Option | list[Option]
    confidence: float | None = None


def below(
    question: str | None, answer: str | Option | list[Option], score: float | None, kinds: dict[str, str]
) -> list[Below]:
    """Question, category, free text and score of an answer, and of all that is below it.

    kinds: gets the questions with a list of answers, which take all that apply.

    >>> below("sky", Option("rain", 0.5, [Nested("strength", Option("heavy"))]), None, {})
    [('sky', 'rain', None, 0.5), ('sky/rain/strength', 'heavy', None, None)]
    """
    if isinstance(answer, str):
        return [(question, None, answer, score)]
    if isinstance(answer, list) and question is not None:
        kinds.setdefault(question, CHECKLIST)
    found: list[Below] = []
    for option in answer if isinstance(answer, list) else [answer]:
        found.append((question, option.name, None, score if option.confidence is None else option.confidence))
        for nested in option.classifications:
            called = "/".join(one for one in (question, option.name, nested.name) if one is not None)
            found += below(called, nested.answer, nested.confidence, kinds)
    return found
