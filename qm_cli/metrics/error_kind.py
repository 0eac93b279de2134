"""Why a prediction or a label is an error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qm_cli.codes import Codes
from qm_cli.error_names import KINDS, REASONS
from qm_cli.metric import metric

CodeArray = npt.NDArray[np.int8]


@metric(level=("label", "prediction"), kind="model", unit="code", better="neither")
def error_kind(error_code: CodeArray) -> Codes:
    """TIDE's kind: classification, localisation, both, duplicate, background, missed; null for what is no error.

    At the run's IoU and whatever the confidence, over the 100 best predictions of an image. A label's is missed, or the
    kind of the best-scored error that aims at it; null for one that a prediction took.

    >>> error_kind(np.array([0, 5, -1])).tolist()
    ['classification', 'missed', None]
    """
    return Codes(error_code, KINDS)


@metric(level="prediction", kind="model", unit="code", better="neither")
def false_positive_reason(reason_code: CodeArray) -> Codes:
    """Encord Active's reason why a false positive is one; null for every other prediction.

    No overlapping label of the class, IoU too low, or a prediction with higher confidence already matched the label.
    Of the conventions coco, lvis and encord; null under the others, where a prediction is wrong for more reasons.

    >>> false_positive_reason(np.array([1, -1])).tolist()
    ['IoU too low', None]
    """
    return Codes(reason_code, REASONS)
