"""What every convention returns: who matched whom, what is confused with what, and the numbers it defines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from qm_cli.analysis.average_precision import AveragePrecision
from qm_cli.analysis.counts import Outcomes
from qm_cli.errors import UsageError
from qm_cli.matching import Matches
from qm_cli.settings import Settings
from qm_cli.tables import Tables


@dataclass(frozen=True)
class Numbers:
    """The numbers a convention defines beside the counts, under the names it gives them.

    overall: None is undefined. category: float64 or int64[categories] each, NaN is undefined. definitions: name → what
    it is, with every parameter; a name may be overall, per category or both.
    """

    overall: Mapping[str, float | int | None] = field(default_factory=dict)
    category: Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation is summarised from.

    confusion: int64[categories + 1, categories + 1], rows true, columns predicted, None last. counted_at: at which IoU
    and confidence outcomes and confusion are, in words. coco: COCO's matches in all lanes, of these tables; None under
    every other convention. curves: precision and recall arrays, where they are COCO's (LVIS has them too).
    max_detections: how many predictions of an image, or of an image and category, AP and AR take; none: all.
    """

    tables: Tables
    settings: Settings
    outcomes: Outcomes
    confusion: npt.NDArray[np.int64]
    numbers: Numbers
    counted_at: str
    coco: Matches | None = None
    curves: AveragePrecision | None = None
    max_detections: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def matches(self) -> Matches:
        """COCO's matches. Raises UsageError under another convention."""
        if self.coco is None:
            raise self._missing("matches")
        return self.coco

    @property
    def average_precision(self) -> AveragePrecision:
        """COCO's arrays. Raises UsageError where the convention has none."""
        if self.curves is None:
            raise self._missing("curves")
        return self.curves

    def _missing(self, what: str) -> UsageError:
        return UsageError(f"convention {self.settings.convention} has no COCO {what}", "use --convention coco")
