"""Every format gives the same answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.answers import Answers
from qm_cli.errors import InputError, UsageError
from qm_cli.load_answers import AnswerSource, load_answers
from tests.answer_files import class_names, document, label, lines, load, random_classes
from tests.input_files import write

TRUE, VALUES = random_classes(6, 3, 0)
LABELS = document([label(n + 1, f"c{c}") for n, c in enumerate(TRUE)], class_names(3), 6)
ROWS = [{"image_id": n + 1, "category": f"c{c}", "score": float(n) / 10} for n, c in enumerate(TRUE)]


def told(answers: Answers) -> dict[str, Any]:
    """Everything about the predictions that does not depend on the format."""
    side = answers.prediction
    return {
        "row": side.row.tolist(),
        "category": [answers.category_names[place] for place in side.category.tolist()],
        "score": side.score.tolist(),
        "codes": [found.code for found in answers.findings],
    }


def test_predictions_of_every_format(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, tmp_path / "p.parquet")
    write(tmp_path / "p.json", ROWS)
    write(tmp_path / "doc.json", {"predictions": ROWS})
    write(tmp_path / "p.jsonl", lines(ROWS))
    write(tmp_path / "named_oddly.txt", lines(ROWS))
    write(
        tmp_path / "p.csv", "image_id,category,score\n" + "".join(f"{','.join(map(str, r.values()))}\n" for r in ROWS)
    )
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(lines(ROWS).encode()))
    with pa.CompressedOutputStream(tmp_path / "p.json.zst", "zstd") as file:
        file.write(json.dumps(ROWS).encode())
    files = [path for path in tmp_path.iterdir() if path.name != "l.json"]
    found = [told(load_answers(AnswerSource(labels, path))) for path in files]
    assert len(files) == 8
    assert all(one == found[0] for one in found)
    assert found[0]["row"] == [0, 1, 2, 3, 4, 5]


def test_labels_of_every_format(tmp_path: Path) -> None:
    rows = [{"id": n + 1, "category": f"c{c}"} for n, c in enumerate(TRUE)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "l.parquet")
    write(tmp_path / "l.jsonl", lines(rows))
    write(tmp_path / "l.csv", "id,category\n" + "".join(f"{row['id']},{row['category']}\n" for row in rows))
    predictions = write(tmp_path / "p.json", ROWS)
    for name in ("l.parquet", "l.jsonl", "l.csv"):
        answers = load_answers(AnswerSource(tmp_path / name, predictions))
        assert answers.label.category.tolist() == TRUE.tolist()
        assert answers.category_names == class_names(3)


def test_probabilities_of_every_format(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    np.save(tmp_path / "p.npy", VALUES)
    write(tmp_path / "p.json", [{"id": n + 1, "probs": row.tolist()} for n, row in enumerate(VALUES)])
    columns = {"id": range(1, 7), **{f"prob_c{c}": VALUES[:, c] for c in (2, 0, 1)}}
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), tmp_path / "p.parquet")
    for name in ("p.npy", "p.json", "p.parquet"):
        (given,) = load_answers(AnswerSource(labels, tmp_path / name)).probabilities
        straight = np.empty((6, 3))
        straight[:, given.category] = given.values[given.row]
        assert (straight == VALUES).all()


def test_the_order_of_columns_may_be_named(tmp_path: Path) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    np.save(tmp_path / "p.npy", VALUES)
    (given,) = load_answers(AnswerSource(labels, tmp_path / "p.npy", prob_categories=("c2", "1", "c1"))).probabilities
    assert given.category.tolist() == [2, 0, 1]


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--match-by"):
        load(tmp_path, LABELS, ROWS, match_by="name")
    with pytest.raises(UsageError, match="--map-categories"):
        load(tmp_path, LABELS, ROWS, map_categories=str(tmp_path / "none.json"))
    with pytest.raises(InputError, match="no such file"):
        load_answers(AnswerSource(tmp_path / "missing.json", tmp_path / "missing.json"))


def test_rows_may_be_named_by_file_and_categories_mapped(tmp_path: Path) -> None:
    labels = {**LABELS, "data_rows": [{"id": n + 1, "file_name": f"clips/{n}.mp4"} for n in range(6)]}
    rows = [{"image_id": f"{n}.mp4", "category_id": 10 + int(c)} for n, c in enumerate(TRUE)]
    mapping = write(tmp_path / "map.json", {str(10 + c): f"c{c}" for c in range(3)})
    answers = load(tmp_path, labels, rows, match_by="file_name", map_categories=str(mapping))
    assert answers.prediction.row.tolist() == list(range(6))
    assert answers.prediction.category.tolist() == TRUE.tolist()
    assert {found.code for found in answers.findings} == {"mapping-image", "mapping-category"}
