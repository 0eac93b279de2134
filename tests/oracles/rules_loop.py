"""Matching under any setting of the conventions' parameters, in plain loops: one prediction, one label at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qm_cli.convention_rules import (
    ABOVE,
    ALIKE,
    ANY_AREA,
    BEST,
    BOUNDED,
    BY_SCORE,
    CELL,
    EARLIER,
    FILLED_AREA,
    LABEL_FIRST,
    LATER,
    ONE_EACH,
    Rules,
)
from tests.oracles.coco_loop import box_iou
from tests.oracles.one_label_loop import pixel_iou

Row = dict[str, Any]
Taken = dict[int, int]


class Loop:
    """Outcomes at one threshold. `outcome`: TP, FP, ignored or None (takes no part) of each prediction."""

    def __init__(self, labels: Row, predictions: Sequence[Row], rules: Rules, threshold: float) -> None:
        self.images, self.labels, self.predictions = labels["images"], labels["annotations"], predictions
        self.rules, self.threshold = rules, threshold
        self.there = [rules.area != FILLED_AREA or row["area"] > 0 for row in self.labels]
        flagged = [any(row.get(name) for name in rules.uncounted) for row in self.labels]
        wide = [rules.area != ANY_AREA and not 0 <= row["area"] <= 1e10 for row in self.labels]
        self.counts = [t and not f and not w for t, f, w in zip(self.there, flagged, wide, strict=True)]
        self.matched: Taken = {}
        self.users: Taken = {}
        for image in self.images:
            self._image(image)
        self.outcome = [self._outcome(i) for i in range(len(predictions))]

    def _by_score(self, rows: Sequence[int]) -> list[int]:
        return sorted(rows, key=lambda i: (-self.predictions[i]["score"], i))

    def _part(self, image: Row) -> list[int]:
        """Predictions of the image that take part, by falling score."""
        rules, kept = self.rules, []
        limit, unit = rules.most
        held = {
            row["category_id"] for j, row in enumerate(self.labels) if row["image_id"] == image["id"] and self.there[j]
        }
        seen: dict[Any, int] = {}
        for i in self._by_score([i for i, row in enumerate(self.predictions) if row["image_id"] == image["id"]]):
            row = self.predictions[i]
            cell = row["category_id"] if unit == CELL else None
            seen[cell] = seen.get(cell, 0) + 1
            if limit and seen[cell] > limit:
                continue
            if rules.minimum and not (
                row["score"] > rules.minimum[1] if rules.minimum[0] == ">" else row["score"] >= rules.minimum[1]
            ):
                continue
            if rules.area == FILLED_AREA and row["bbox"][2] * row["bbox"][3] <= 0:
                continue
            if rules.judged and row["category_id"] not in held | set(image["neg_category_ids"]):
                continue
            kept.append(i)
        return kept

    def _crowd(self, j: int) -> bool:
        return bool(self.labels[j]["iscrowd"] and "iscrowd" in self.rules.uncounted)

    def _overlap(self, i: int, j: int, excusing: bool) -> float:
        own, other = self.predictions[i]["bbox"], self.labels[j]["bbox"]
        if self.rules.pixel:
            return pixel_iou(own, other)
        return box_iou(own, other, excusing and self._crowd(j))

    def _passes(self, value: float) -> bool:
        if self.rules.reach == ABOVE:
            return value > self.threshold
        least = min(self.threshold, 1 - 1e-10) if self.rules.reach == BOUNDED else self.threshold
        return value >= least and value > 0

    def _free(self, j: int) -> bool:
        unlimited = not self.counts[j] and (self.rules.ignoring != ONE_EACH or self._crowd(j))
        return unlimited or j not in self.users

    def _take(self, i: int, j: int) -> None:
        self.matched[i], self.users[j] = j, i

    def _best(self, i: int, chosen: Sequence[int], excusing: bool) -> int | None:
        """The passing label it overlaps most."""
        best, largest = None, 0.0
        for j in chosen:
            value = self._overlap(i, j, excusing)
            if self._passes(value) and (
                best is None or value > largest or (value == largest and self.rules.ties == LATER)
            ):
                best, largest = j, value
        return best

    def _image(self, image: Row) -> None:
        rules, part = self.rules, self._part(image)
        here = [j for j, row in enumerate(self.labels) if row["image_id"] == image["id"] and self.there[j]]

        def own(i: int, j: int) -> bool:
            return bool(self.predictions[i]["category_id"] == self.labels[j]["category_id"])

        def tried(i: int) -> list[int]:
            return [
                j
                for j in here
                if ((own(i, j) or rules.crossing) if self.counts[j] else (own(i, j) and rules.ignoring == ALIKE))
            ]

        if rules.order == BY_SCORE:
            for i in part:
                chosen = tried(i) if rules.tries == BEST else [j for j in tried(i) if self._free(j)]
                best = self._best(i, chosen, False)
                if best is not None and self._free(best):
                    self._take(i, best)
        else:
            self._by_overlap(part, {i: tried(i) for i in part})
        if rules.ignoring != ALIKE:
            for i in part:
                left = [j for j in here if own(i, j) and not self.counts[j] and self._free(j)]
                best = None if i in self.matched else self._best(i, left, True)
                if best is not None:
                    self._take(i, best)
        for i in part:
            if i in self.matched and not own(i, self.matched[i]):
                self.matched[i] = -1
            self.matched.setdefault(i, -1)
            open_here = rules.judged and self.predictions[i]["category_id"] in image["not_exhaustive_category_ids"]
            if self.matched[i] < 0 and open_here:
                self.matched[i] = -2

    def _by_overlap(self, part: list[int], tried: dict[int, list[int]]) -> None:
        pairs = []
        for place, i in enumerate(part):
            best = self._best(i, tried[i], False)
            for j in [best] if self.rules.tries == BEST else tried[i]:
                if j is not None and self._passes(self._overlap(i, j, False)):
                    ties = {LATER: (place, -j), EARLIER: (place, j), LABEL_FIRST: (j, i)}[self.rules.ties]
                    pairs.append((-self._overlap(i, j, False), *ties, i, j))
        for *_, i, j in sorted(pairs):
            if i not in self.matched and self._free(j):
                self._take(i, j)

    def _outcome(self, i: int) -> str | None:
        taken = self.matched.get(i)
        if taken is None:
            return None
        if taken < 0:
            return "FP" if taken == -1 else "ignored"
        return "TP" if self.counts[taken] else "ignored"
