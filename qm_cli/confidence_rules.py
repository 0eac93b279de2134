"""Which predictions count at a confidence, under each convention: the one place where it is said.

Outcomes, cells of the grid, examples, thresholds to deploy, thresholds read from a file and the explanation of gaps all
ask here, so a confidence means the same wherever it is given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.settings import Settings

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

REACHED, ABOVE = "≥", ">"
ABOVE_CONFIDENCE = ("ultralytics",)
"""Conventions that count predictions above the confidence, not at it."""


def sign(convention: str) -> str:
    """What a score must be to the confidence.

    >>> sign("coco"), sign("ultralytics")
    ('≥', '>')
    """
    return ABOVE if convention in ABOVE_CONFIDENCE else REACHED


def counting(convention: str, score: FloatArray, confidence: float | FloatArray) -> BoolArray:
    """The predictions that count, by score; confidence: of all, or of each: bool[n].

    >>> counting("ultralytics", np.array([0.25, 0.3]), 0.25).tolist()
    [False, True]
    """
    return np.asarray(score > confidence if sign(convention) == ABOVE else score >= confidence)


def keeping(convention: str, score: float) -> float:
    """The highest confidence at which a prediction of that score still counts.

    >>> keeping("coco", 0.5), keeping("ultralytics", 0.5)
    (0.5, 0.49999999999999994)
    """
    return float(np.nextafter(score, -np.inf)) if sign(convention) == ABOVE else score


def told(settings: Settings) -> str:
    """The rule at the settings' confidence, in words: `confidence ≥ 0.5`."""
    return f"confidence {sign(settings.convention)} {settings.confidence:g}"


def rule_of(convention: str) -> str:
    """The rule at any confidence, in words."""
    return f"a prediction counts if its score is {sign(convention)} the confidence"
