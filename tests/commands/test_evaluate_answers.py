"""qm evaluate from the shell for everything without geometry: each data type and kind of annotation, and faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli import main
from tests.answer_files import codes, document, label, lines, refusal, report
from tests.input_files import write

QM = str(Path(sys.executable).with_name("qm"))
DATA_ROWS: dict[str, list[Any]] = {
    "image": [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in range(4)],
    "video": [{"id": f"clip-{n}.mp4", "frames": 250} for n in range(4)],
    "text": [{"id": f"t{n}", "text": text} for n, text in enumerate(["good", "bad", "", "ünï"])],
    "document": [{"id": f"invoice-{n}.pdf", "pages": n} for n in range(4)],
    "audio": [{"id": f"call-{n}.wav", "seconds": 3.5} for n in range(4)],
    "conversation": [{"id": f"chat/{n}", "messages": [{"text": "hi"}]} for n in range(4)],
    "geospatial": [{"id": f"12/{n}/7", "tile": True} for n in range(4)],
}
RADIO = [("yes",), ("no",), ("yes",), ("no",)], [("yes",), ("yes",), ("yes",), ("no",)]
CHECKLIST = [("yes", "no"), ("no",), (), ("yes",)], [("yes",), ("no",), (), ("yes", "no")]


def rows(ids: list[Any], answers: list[tuple[str, ...]], key: str = "category") -> list[dict[str, Any]]:
    return [{"data_row_id": i, key: name} for i, names in zip(ids, answers, strict=True) for name in names]


@pytest.mark.parametrize("listed", ["images", "data_rows"])
@pytest.mark.parametrize("kind", DATA_ROWS)
def test_radio(kind: str, listed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [one["id"] for one in DATA_ROWS[kind]]
    labels = {listed: DATA_ROWS[kind], "categories": [{"id": 0, "name": "yes"}, {"id": 1, "name": "no"}]}
    labels["annotations"] = rows(ids, RADIO[0])
    files = write(tmp_path / "l.json", labels), write(tmp_path / "p.json", rows(ids, RADIO[1]))
    found = report(capsys, *files)
    assert (found["task"], found["convention"], found["metrics"]["accuracy"]) == ("classification", "sklearn", 0.75)
    labelbox = report(capsys, *files, "--convention", "labelbox")["metrics"]
    counts = [labelbox[f"{name}s"] for name in ("true_positive", "false_positive", "true_negative", "false_negative")]
    assert counts == [3, 1, 0, 1]


@pytest.mark.parametrize("kind", DATA_ROWS)
def test_checklist(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [one["id"] for one in DATA_ROWS[kind]]
    labels = {"data_rows": DATA_ROWS[kind], "categories": [{"id": 0, "name": "yes"}, {"id": 1, "name": "no"}]}
    labels["annotations"] = rows(ids, CHECKLIST[0])
    table = pa.Table.from_pylist(rows(ids, CHECKLIST[1]))
    pq.write_table(table, tmp_path / "p.parquet")
    found = report(capsys, write(tmp_path / "l.json", labels), tmp_path / "p.parquet")
    assert found["task"] == "multilabel"
    assert (found["metrics"]["accuracy"], found["metrics"]["hamming_loss"]) == (0.5, 0.25)
    labelbox = report(capsys, tmp_path / "l.json", tmp_path / "p.parquet", "--convention", "labelbox")["metrics"]
    counts = [labelbox[f"{name}s"] for name in ("true_positive", "false_positive", "true_negative", "false_negative")]
    assert counts == [3, 1, 1, 1]


@pytest.mark.parametrize("kind", DATA_ROWS)
def test_free_text(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [one["id"] for one in DATA_ROWS[kind]]
    labels = {"data_rows": DATA_ROWS[kind], "annotations": rows(ids, [("a b",), ("ü",), ("",), ("x",)], "answer")}
    answers = rows(ids, [("a b",), ("ü",), ("",), ("X",)], "answer")
    found = report(capsys, write(tmp_path / "l.json", labels), write(tmp_path / "p.jsonl", lines(answers)))
    assert found["metrics"]["accuracy"] == 0.75
    labelbox = report(capsys, tmp_path / "l.json", tmp_path / "p.jsonl", "--convention", "labelbox")["metrics"]
    assert (labelbox["true_positives"], labelbox["false_positives"], labelbox["false_negatives"]) == (3, 1, 1)


@pytest.mark.parametrize("convention", ["coco", "labelbox"])
def test_text_entities(convention: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {
        "data_rows": [{"id": "t1", "text": "Ünïcode names: Ada, Bob"}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"data_row_id": "t1", "category_id": 1, "start": 15, "end": 18}],
    }
    write(tmp_path / "p.csv", "data_row_id,category,start,end,confidence\nt1,person,15,18,0.9\nt1,person,20,23,0.8\n")
    found = report(capsys, write(tmp_path / "l.json", labels), tmp_path / "p.csv", "--convention", convention)
    assert (found["task"], found["metrics"]["precision"], found["metrics"]["recall"]) == ("text", 0.5, 1.0)
    assert codes(found) == {}


def test_entities_as_labelbox_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their last character is theirs; offsets that are none are counted."""

    def entity(row: str, name: str, start: Any, end: Any, **more: Any) -> dict[str, Any]:
        return {"name": name, "location": {"start": start, "end": end}, "dataRow": {"globalKey": row}, **more}

    truth = [entity("t1", "person", 15, 17), entity("t1", "person", 20, 22), entity("t2", "place", 0, 0)]
    guess = [entity("t1", "person", 15, 17), entity("t1", "person", 21, 22), entity("t2", "place", 0, "1")]
    write(tmp_path / "p.ndjson", lines([{**one, "confidence": 0.9} for one in guess]))
    found = report(capsys, write(tmp_path / "l.ndjson", lines(truth)), tmp_path / "p.ndjson")
    assert (found["task"], found["metrics"]["true_positives"], found["metrics"]["false_negatives"]) == ("text", 2, 1)
    assert found["metrics"]["mean_iou"] == pytest.approx((1 + 2 / 3) / 2)
    assert codes(found)["span-bad"] == 1
    own = {
        "data_rows": [{"id": "t1", "text": "Ünïcode names: Ada, Bob"}, {"id": "t2", "text": "x"}],
        "categories": [{"id": 0, "name": "person"}, {"id": 1, "name": "place"}],
        "annotations": [{"data_row_id": "t1", "category": "person", "start": 15, "end": 18}],
    }
    mixed = report(capsys, write(tmp_path / "l.json", own), tmp_path / "p.ndjson")
    assert mixed["metrics"]["mean_iou"] == 1


LABELS = document([label(1, "a"), label(2, "b"), label(3, "a")], ["a", "b"])


def test_options_reach_the_evaluation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    np.save(tmp_path / "p.npy", np.array([[0.1, 0.9], [0.4, 0.6], [0.55, 0.45]], np.float32))
    plain = report(capsys, labels, tmp_path / "p.npy")
    assert (plain["confidence"], plain["top_k"], plain["metrics"]["accuracy"]) == (0, [1, 5], 2 / 3)
    swapped = report(capsys, labels, tmp_path / "p.npy", "--prob-categories", "b,a", "--top-k", "2")
    assert (swapped["metrics"]["accuracy"], swapped["metrics"]["top_2"]) == (1 / 3, 1.0)
    sure = report(capsys, labels, tmp_path / "p.npy", "--confidence", "0.5")
    assert (sure["confidence"], sure["metrics"]["accuracy"]) == (0.5, 2 / 3)
    ticks = report(capsys, labels, tmp_path / "p.npy", "--task", "multilabel", "--confidence", "0.42")
    assert (ticks["task"], ticks["metrics"]["accuracy"]) == ("multilabel", 1 / 3)


def test_the_screen_the_folder_and_stdin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, answers = write(tmp_path / "l.json", LABELS), lines([{"id": 1, "category": "a"}])
    assert main.run(["evaluate", str(labels), str(write(tmp_path / "p.jsonl", answers))]) == 0
    assert "balanced_accuracy" in capsys.readouterr().out
    found = report(capsys, labels, tmp_path / "p.jsonl", "-o", tmp_path / "run")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["models"]["p"] == found
    done = subprocess.run([QM, "evaluate", str(labels), "-", "--json"], input=answers.encode(), capture_output=True)
    assert json.loads(done.stdout)["metrics"] == found["metrics"]


def test_faults_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    np.save(tmp_path / "p.npy", np.array([[0.9, 0.9], [np.nan, 0.6], [1.5, -0.5]]))
    found = report(capsys, labels, tmp_path / "p.npy")
    assert codes(found) == {"prediction-probs-sum": 2, "prediction-probs-null": 1}
    assert found["metrics"]["accuracy"] == 2 / 3
    both = document([label(1, "a"), label(1, "b"), label(2, "b")], ["a", "b"], 2)
    answers = write(tmp_path / "q.csv", "id,category\n1,a\n2,b\n")
    found = report(capsys, write(tmp_path / "l.json", both), answers, "--task", "classification")
    assert codes(found) == {"label-several-answers": 1, "prediction-without-label": 1}
    assert found["labels"] == 1


@pytest.mark.parametrize(
    "content, words",
    [
        (b"\x93NUMPY\x01\x00", "damaged NumPy file"),
        ("id,category\n9,a\n", "none of its 1 image ids"),
        ("", "the file is empty"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    content: str | bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "l.json", LABELS)
    assert words in refusal(capsys, labels, write(tmp_path / "p.csv", content), "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_options_that_do_not_fit_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, answers = write(tmp_path / "l.json", LABELS), write(tmp_path / "p.csv", "id,category\n1,a\n")
    assert "'boxes' is no task" in refusal(capsys, labels, answers, "--task", "boxes")
    assert "sklearn, labelbox" in refusal(capsys, labels, answers, "--convention", "coco")
    assert "--top-k" in refusal(capsys, labels, answers, "--top-k", "0")
    assert "--categories" in refusal(capsys, labels, answers, "--categories", "a")
    sample = Path(__file__).parents[2] / "sample_data"
    boxes = (sample / "labels.json", sample / "predictions" / "better.json")
    assert "sklearn: has rules for classes alone" in refusal(capsys, *boxes, "--convention", "sklearn")
    assert "--top-k: not for objects" in refusal(capsys, *boxes, "--top-k", "5")
    assert "--explain: not for classes" in refusal(capsys, labels, answers, "--explain")
    assert "--voc-devkit: not for classes" in refusal(capsys, labels, answers, "--voc-devkit")
    assert "--iou: not for classes" in refusal(capsys, labels, answers, "--iou", "0")
    assert "--auc: not for text" in refusal(capsys, labels, answers, "--task", "text", "--auc")
