"""Findings: what is wrong with the input, as data with a stable code, a count and the first examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import asdict

EXAMPLES_KEPT = 5


class Code(Struct, frozen=True):
    """severity: error (the data is wrong) | warning (probably) | info (derived or assumed). `drops`: the rows leave."""

    severity: str
    meaning: str
    hint: str
    drops: bool = False


class Finding(Struct, frozen=True):
    """`count` samples to which `code` applies; `examples` names the first of them as the file does."""

    code: str
    count: int
    examples: tuple[str, ...]
    detail: str = ""

    @property
    def rule(self) -> Code:
        return CODES[self.code]

    def as_dict(self) -> dict[str, Any]:
        rule = self.rule
        facts = {"severity": rule.severity, "meaning": rule.meaning, "hint": rule.hint, "dropped": rule.drops}
        return {**asdict(self), "examples": list(self.examples), **facts}

    def sentence(self) -> str:
        """One line for notes and the terminal."""
        rule = self.rule
        dropped = ", left out" if rule.drops else ""
        shown = ", ".join(self.examples)
        examples = f" (first: {shown})" if shown else ""
        detail = f"; {self.detail}" if self.detail else ""
        return f"{self.code}: {self.count} × {rule.meaning}{dropped}{examples}{detail}"


def finding(code: str, samples: Any, detail: str = "") -> list[Finding]:
    """One finding for the samples (any sequence of names), or none when it is empty."""
    count = len(samples)
    if count == 0:
        return []
    return [Finding(code, count, tuple(str(sample) for sample in samples[:EXAMPLES_KEPT]), detail)]


def flagged(code: str, names: Any, mask: npt.NDArray[np.bool_], detail: str = "") -> list[Finding]:
    """One finding for the samples under the mask, called by their names (an Arrow array); none when it is empty."""
    count = int(np.count_nonzero(mask))
    if count == 0:
        return []
    places = np.flatnonzero(mask)[:EXAMPLES_KEPT]
    return [Finding(code, count, tuple(str(names[int(place)].as_py()) for place in places), detail)]


ERROR, WARNING, INFO = "error", "warning", "info"
CODES = {
    "image-duplicate-id": Code(ERROR, "image id used before", "give every image its own id", drops=True),
    "image-missing-id": Code(ERROR, "image without an id", "give every image an id", drops=True),
    "image-duplicate-file-name": Code(WARNING, "file name used by an earlier image", "list each file once"),
    "image-derived": Code(INFO, "image that no label file lists, taken from the predictions' ids", "give --labels"),
    "image-contradictory-size": Code(WARNING, "image listed again with another size", "keep the right one"),
    "image-bad-size": Code(WARNING, "image whose width or height is not above 0, taken as missing", "write its size"),
    "image-missing-file-name": Code(WARNING, "image without a file name", "write file_name"),
    "image-missing-size": Code(INFO, "image without width or height", "add both, or let qm read them from the files"),
    "image-size-differs": Code(WARNING, "width × height differs from the file's", "write the file's own size"),
    "image-ends-worker": Code(ERROR, "image that ends the process which opens it", "look at the file, or give memory"),
    "image-missing-file": Code(ERROR, "image file not found", "check --images and the file names"),
    "image-without-folder": Code(
        INFO,
        "data row called like an image file, in a dataset folder without any image",
        "name their place by --images",
    ),
    "image-unreadable": Code(ERROR, "image file that cannot be decoded", "replace the file"),
    "image-truncated": Code(ERROR, "image file that ends in the middle", "copy the file again"),
    "image-outside-folder": Code(ERROR, "file outside of the image folder", "move it there, or allow it by --outside"),
    "image-without-label": Code(INFO, "image without a label", "expected for background images"),
    "category-derived": Code(INFO, "category that no file lists, taken from the rows", "give labels that list them"),
    "category-missing-id": Code(ERROR, "category without an id", "give every category an id", drops=True),
    "category-duplicate-id": Code(ERROR, "category id used before", "give every category its own id", drops=True),
    "category-duplicate-name": Code(WARNING, "category name used before", "merge the categories"),
    "label-duplicate-id": Code(ERROR, "annotation id used before", "give every annotation its own id"),
    "label-missing-id": Code(WARNING, "annotation without an id", "its place in the file is used instead"),
    "label-unknown-image": Code(
        ERROR, "annotation of an image that is not listed", "add the image or remove it", drops=True
    ),
    "label-unknown-category": Code(
        ERROR, "annotation of a category that is not listed", "add the category, or --map-categories", drops=True
    ),
    "label-bad-box": Code(
        ERROR,
        "annotation whose bbox is not 4 numbers below 1e150, width and height ≥ 0",
        "write [x, y, width, height]",
        drops=True,
    ),
    "label-without-box": Code(
        INFO, "annotation without a box, taken as a class of its image", "write bbox for objects"
    ),
    "label-empty": Code(ERROR, "annotation that is null or without any known field", "remove the row", drops=True),
    "label-bad-area": Code(
        WARNING,
        "annotation whose `area` is below 0 and so in no area range: AP and AR ignore it",
        "write the area of its shape, or let --fix derive it",
    ),
    "label-zero-area": Code(WARNING, "annotation whose box has no area", "remove it or draw it again"),
    "label-outside-image": Code(WARNING, "annotation reaching outside its image", "clip or move the box"),
    "label-missing-area": Code(INFO, "annotation without `area`", "derived from polygon or box"),
    "label-missing-iscrowd": Code(INFO, "annotation without `iscrowd`", "taken as 0"),
    "label-bad-polygon": Code(
        WARNING, "segmentation that is no list of polygons of at least 3 points", "draw it again"
    ),
    "label-bad-mask": Code(
        WARNING,
        "segmentation mask that is malformed or of another size than its image, ignored",
        "write size as the image's [height, width], and counts",
    ),
    "label-without-shape": Code(ERROR, "annotation without the shape that the task compares", "see --task", drops=True),
    "label-bad-shape": Code(
        ERROR,
        "annotation whose mask, keypoints or other shape is malformed or not of its image's size",
        "draw it again, or mend the export",
        drops=True,
    ),
    "label-crossing-polygon": Code(
        WARNING, "annotation with a polygon that crosses itself, painted as it stands", "draw it again"
    ),
    "label-upright-box": Code(INFO, "annotation without a rotated box, its bbox taken at angle 0", "see --task"),
    "prediction-upright-box": Code(INFO, "prediction without a rotated box, its bbox taken at angle 0", "see --task"),
    "prediction-without-shape": Code(
        ERROR, "prediction without the shape that the task compares", "see --task", drops=True
    ),
    "prediction-bad-shape": Code(
        ERROR,
        "prediction whose mask, keypoints or other shape is malformed or not of its image's size",
        "mend the export",
        drops=True,
    ),
    "prediction-crossing-polygon": Code(
        WARNING, "prediction with a polygon that crosses itself, painted as it stands", "mend the export"
    ),
    "label-unread-answers": Code(
        WARNING,
        "annotation with answers below it (`classifications`), which are not read of objects",
        "write each as a field of the annotation, a column to slice by, or as a row of its own in a file of answers",
    ),
    "prediction-unread-answers": Code(
        WARNING,
        "prediction with answers below it (`classifications`), which are not read of objects",
        "write each as a field of the prediction, or as a row of its own in a file of answers",
    ),
    "label-without-answer": Code(
        INFO, "label without a category or an answer, taken as nothing ticked", "remove the row if it was not answered"
    ),
    "label-several-answers": Code(
        ERROR,
        "data row with several labels for a question that takes one answer",
        "keep one, or --task multilabel",
        drops=True,
    ),
    "label-duplicate-answer": Code(WARNING, "answer given before for the same data row", "write each answer once"),
    "prediction-duplicate-answer": Code(
        WARNING, "prediction of an answer given before for the same data row", "write each answer once"
    ),
    "answer-free-text": Code(
        INFO, "free text, which has no category to be scored by", "qm evaluate and qm compare compare it", drops=True
    ),
    "answer-unknown-question": Code(
        ERROR, "answer to a question that the labels do not have", "write `question` as the labels do", drops=True
    ),
    "prediction-without-label": Code(
        INFO, "prediction for a data row whose question has no label, not evaluated", "label it, or leave it out"
    ),
    "span-bad": Code(
        ERROR,
        "text entity whose start and end are no whole numbers with 0 ≤ start < end ≤ the text's length",
        "write character offsets, end exclusive",
        drops=True,
    ),
    "span-overlapping": Code(
        INFO, "text entity that overlaps another of its category in the data row", "merge them if they are one"
    ),
    "span-duplicate": Code(WARNING, "text entity given before", "write each entity once"),
    "prediction-empty": Code(
        ERROR, "prediction that is null or without any known field", "leave it out in the export", drops=True
    ),
    "prediction-unknown-image": Code(
        ERROR, "prediction for an image that is not in the labels", "check that both files are of one set", drops=True
    ),
    "prediction-unknown-category": Code(
        ERROR, "prediction of a category that is not in the labels", "see --map-categories", drops=True
    ),
    "prediction-bad-box": Code(
        ERROR,
        "prediction whose bbox is not 4 numbers below 1e150, width and height ≥ 0",
        "write [x, y, width, height]",
        drops=True,
    ),
    "prediction-missing-score": Code(
        ERROR, "prediction without a score", "write the score, or --missing-score 1", drops=True
    ),
    "prediction-missing-category-id": Code(
        ERROR, "prediction without a category_id", "write the category_id, or probs", drops=True
    ),
    "prediction-derived-category": Code(
        INFO, "prediction without a category_id, taken as its most probable category", "write category_id to choose it"
    ),
    "prediction-filled-score": Code(
        INFO, "prediction without a score, given that of --missing-score", "write the model's own score"
    ),
    "prediction-other-set": Code(
        ERROR,
        "image id in a prediction file that shares less than half of them with the labels",
        "check that both files are of one set, or see --match-by",
    ),
    "prediction-other-categories": Code(
        ERROR,
        "category id in a prediction file that shares none of them with the labels",
        "see --map-categories name, contiguous or FILE",
    ),
    "prediction-missing-image-id": Code(ERROR, "prediction without an image_id", "write the image_id", drops=True),
    "prediction-zero-area": Code(WARNING, "prediction whose box has no area", "drop empty boxes in the export"),
    "prediction-outside-image": Code(WARNING, "prediction reaching outside its image", "clip boxes in the export"),
    "prediction-score-range": Code(WARNING, "score outside 0..1", "export probabilities, not logits or percentages"),
    "prediction-probs-sum": Code(WARNING, "class probabilities that leave 0..1 or do not sum to 1", "see --activation"),
    "prediction-probs-null": Code(
        WARNING,
        "`probs` or `logits` with a null or no number in them, taken as not given",
        "write one number per category",
    ),
    "prediction-duplicate-id": Code(WARNING, "prediction id used before", "give every prediction its own id"),
    "boxes-normalised": Code(ERROR, "file whose boxes look normalised to 0..1", "multiply by width and height"),
    "boxes-corners": Code(ERROR, "file whose boxes look like [x1, y1, x2, y2]", "write [x, y, width, height]"),
    "ids-differ-in-type": Code(
        WARNING, "file whose ids are strings where the labels' are numbers, or the reverse", "matched as text"
    ),
    "metadata-renamed": Code(
        INFO,
        "metadata column whose name a metric or a key of the tables has",
        "kept as given_NAME; rename it in the file",
    ),
    "values-unknown-id": Code(WARNING, "id of custom values that the data lack", "check its ids and file names"),
    "slice-unknown-image": Code(
        WARNING, "image that a slice manifest names and the data lack", "check its ids and file names"
    ),
    "mapping-image": Code(INFO, "file that was matched by --match-by", "none is needed if the number is right"),
    "mapping-category": Code(INFO, "file whose categories were mapped", "none is needed if the number is right"),
}
