"""Thresholds to deploy as data: the confidence of each target, overall and by category, and what to expect of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from qm_cli.analysis.arrivals import Arrivals
from qm_cli.analysis.cross_fit import FOLDS, Choice, choices, fold_numbers, ranked_groups
from qm_cli.analysis.operating_points import Target
from qm_cli.confidence_rules import keeping, rule_of
from qm_cli.count_report import number

INTERVALS = (
    "95 %, Wilson's with the number of trials the images are worth (cost: Student's), "
    "variance by image and, for the choice of the threshold, the jackknife's over folds"
)
MATCHED_ACROSS = ("labelbox", "ultralytics")
"""Conventions that match whatever the category."""
TAKEN_ACROSS = (
    "categories take labels from each other: a category's numbers hold where all others are cut at the same confidence"
)


def threshold_report(
    arrivals: Arrivals,
    categories: Sequence[Mapping[str, Any]],
    images: int,
    targets: Sequence[Target],
    seed: int,
    iou: float | None,
    convention: str,
) -> dict[str, Any]:
    """The part `thresholds` of a report. categories: id and name of each; categories of the arrivals beyond them count
    overall alone. images: how many there are, in folds drawn by the seed.
    """
    folds = fold_numbers(images, seed)
    overall, groups = ranked_groups(arrivals, len(categories))
    together = choices(overall, targets, folds)
    apart = [choices(group, targets, folds) for group in groups]
    return {
        "iou": iou,
        "folds": FOLDS,
        "seed": seed,
        "rule": rule_of(convention),
        "interval": INTERVALS,
        **({"matching": TAKEN_ACROSS} if convention in MATCHED_ACROSS else {}),
        "targets": [
            {
                "target": target.text,
                "overall": _choice(together[place], convention),
                "categories": [
                    {**category, **_choice(own[place], convention)}
                    for category, own in zip(categories, apart, strict=True)
                ],
            }
            for place, target in enumerate(targets)
        ],
    }


def _choice(choice: Choice, convention: str) -> dict[str, Any]:
    """A choice whose confidences are the lowest scores that count → one with those that the convention cuts at."""
    counts = choice.counts or (None, None, None)
    return {
        "confidence": _cut(choice.confidence, convention),
        **dict(zip(("true_positives", "false_positives", "false_negatives"), counts, strict=True)),
        **{name: number(value) for name, value in choice.numbers.items()},
        "held_out": {
            name: {end: number(value) for end, value in asdict(one).items()} for name, one in choice.held_out.items()
        },
        "fold_confidences": [_cut(one, convention) for one in choice.folds],
    }


def _cut(lowest: float | None, convention: str) -> float | None:
    return None if lowest is None else keeping(convention, lowest)
