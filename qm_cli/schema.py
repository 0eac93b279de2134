"""THE contracts: what each table holds. Every fact about a column is said here and nowhere else."""

from __future__ import annotations

import pyarrow as pa
from msgspec import Struct

SCHEMA_VERSION = 1
IDENTIFIER = "identifier"
IDENTIFIERS = "identifiers"
BOX = pa.list_(pa.float64(), 4)
POLYGONS = pa.list_(pa.list_(pa.float64()))


class Column(Struct, frozen=True):
    """dtype: an Arrow type, or "identifier" for int64 or string as the user's file has it, "identifiers" for a list."""

    dtype: pa.DataType | str
    meaning: str
    nullable: bool = False
    unit: str = ""


SOURCE_ROW = Column(pa.int64(), "0-based place in the input file")
IMAGE_ROW = Column(pa.int32(), "row of the image table", unit="row")
CATEGORY_ROW = Column(pa.int32(), "row of the category table", unit="row")
BBOX = Column(BOX, "[x, y, width, height] of the axis-aligned box", nullable=True, unit="px")

LINKED = {"image_row": IMAGE_ROW, "category_row": CATEGORY_ROW}

TABLES: dict[str, dict[str, Column]] = {
    "image": {
        "id": Column(IDENTIFIER, "image id as the label file has it"),
        "file_name": Column(pa.string(), "path of the image file below the image folder", nullable=True),
        "width": Column(pa.float64(), "image width", nullable=True, unit="px"),
        "height": Column(pa.float64(), "image height", nullable=True, unit="px"),
    },
    "category": {
        "id": Column(IDENTIFIER, "category id as the label file has it"),
        "name": Column(pa.string(), "category name"),
    },
    "label": {
        "id": Column(IDENTIFIER, "annotation id as the label file has it"),
        "image_row": IMAGE_ROW,
        "category_row": CATEGORY_ROW,
        "bbox": BBOX,
        "area": Column(pa.float64(), "area as given; derived from polygon or box where missing", unit="px²"),
        "iscrowd": Column(pa.bool_(), "the label covers a group of objects"),
        "source_row": SOURCE_ROW,
    },
    "prediction": {
        "id": Column(IDENTIFIER, "prediction id as given, else its 0-based place in the file"),
        "image_row": IMAGE_ROW,
        "category_row": CATEGORY_ROW,
        "bbox": BBOX,
        "score": Column(pa.float64(), "confidence as given"),
        "source_row": SOURCE_ROW,
    },
}

SHAPES = {
    "mask_counts": Column(pa.string(), "mask as compressed run lengths, COCO's", nullable=True),
    "mask_size": Column(pa.list_(pa.float64(), 2), "[height, width] of the mask", nullable=True, unit="px"),
    "keypoints": Column("keypoints", "x, y, visibility of each keypoint", nullable=True, unit="px"),
    "corners": Column(pa.list_(pa.float64(), 8), "corners of the rotated box", nullable=True, unit="px"),
    "polyline": Column(POLYGONS, "polyline parts [x1, y1, x2, y2, …]", nullable=True, unit="px"),
    "point": Column(pa.list_(pa.float64(), 2), "[x, y]", nullable=True, unit="px"),
}

OPTIONAL: dict[str, dict[str, Column]] = {
    "label": {
        "segmentation": Column(
            POLYGONS, "polygon parts [x1, y1, x2, y2, …]; null where there is none", nullable=True, unit="px"
        ),
        "confidence": Column(pa.float64(), "the annotation's own confidence", nullable=True),
        "num_keypoints": Column(pa.int64(), "visible keypoints, as given or counted", nullable=True),
        **SHAPES,
    },
    "prediction": {
        "probs": Column("probabilities", "class probabilities, one per category of the label file", nullable=True),
        "logits": Column("probabilities", "what the head gave, before an activation", nullable=True),
        "shape_area": Column(pa.float64(), "area that area ranges go by, where no box is compared", unit="px²"),
        **SHAPES,
    },
    "image": {
        name: Column(IDENTIFIERS, f"ids of categories that {meaning}", nullable=True)
        for name, meaning in (
            ("neg_category_ids", "were looked for in the image and are not in it"),
            ("not_exhaustive_category_ids", "are not labelled exhaustively in the image"),
        )
    },
    "category": {"supercategory": Column(pa.string(), "group of categories", nullable=True)},
}

EVALUATED: dict[str, dict[str, str]] = {
    "label": {
        "matched_prediction_row": "prediction that found it, or −1",
        "counts": "neither crowd nor ignored",
        "false_negative": "counts and was not found",
        "error_code": "place in error_names.KINDS, or −1",
        "located_similarity": "largest similarity with an overlapping prediction of its category",
        "swapped_similarity": "largest similarity with a confident prediction of another category",
        "conflicting": "a label of another category has the same box",
        "least_similarity": "the dataset's smallest similarity, in every row",
        "issue_code": "place in error_names.ISSUES, or −1",
        "witness_score": "score of the prediction that sits on it, whatever its category",
        "witness_iou": "IoU with that prediction",
        "witness_agrees": "that prediction is of its category",
        "own_probability": "probability of its category, as that prediction has it",
        "other_probability": "largest probability of another category, as that prediction has it",
    },
    "prediction": {
        "matched_label_row": "label it took, or −1",
        "matched_iou": "IoU with that label",
        "best_iou": "largest IoU with a label of its category",
        "counted": "score ≥ the confidence",
        "true_positive": "counted, and its label counts",
        "false_positive": "counted, and found no label",
        "error_code": "place in error_names.KINDS, or −1",
        "reason_code": "place in error_names.REASONS, or −1",
        "overlooked_similarity": "largest similarity with a label of its category, of one that may be overlooked",
        "issue_code": "place in error_names.ISSUES, or −1",
        "least_similarity": "the dataset's smallest similarity, in every row",
    },
}
"""What an evaluation adds to a level, for metrics to take."""
PROBABLE = ("own_probability", "other_probability")
"""Those that need class probabilities as well."""


def known_columns(table: str) -> dict[str, Column]:
    """Required and optional columns of a table; every other column is the user's metadata."""
    return {**TABLES.get(table, LINKED), **OPTIONAL.get(table, {})}


def problems(name: str, table: pa.Table) -> list[str]:
    """How a table breaks its contract, in words; empty when it keeps it."""
    found = []
    for column, contract in TABLES[name].items():
        if column not in table.column_names:
            found.append(f"{name}.{column} is missing")
            continue
        dtype = table.schema.field(column).type
        allowed = (pa.int64(), pa.string()) if contract.dtype == IDENTIFIER else (contract.dtype,)
        fits = dtype in allowed
        if not fits:
            found.append(f"{name}.{column} is {dtype}, not {contract.dtype}")
        if not contract.nullable and table[column].null_count:
            found.append(f"{name}.{column} has nulls")
    return found
