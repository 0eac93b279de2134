"""What errors are called: TIDE's kinds, Encord Active's reasons and the issues of labels; a code is the place of its
name, −1 is none."""

from __future__ import annotations

KINDS = ("classification", "localisation", "both", "duplicate", "background", "missed")
CLASSIFICATION, LOCALISATION, BOTH, DUPLICATE, BACKGROUND, MISSED = range(len(KINDS))
REASONS = (
    "no overlapping label of the class",
    "IoU too low",
    "a prediction with higher confidence already matched the label",
)
ISSUES = ("wrong category", "badly located", "overlooked", "confident learning")
WRONG_CATEGORY, BADLY_LOCATED, OVERLOOKED, CONFIDENT_LEARNING = range(len(ISSUES))
NONE = -1
