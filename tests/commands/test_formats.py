"""Every command that takes labels or predictions of classes reads them in every form, from the shell."""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli import main, run_folder
from qm_cli.errors import InputError
from tests.answer_files import lines
from tests.input_files import document, prediction, write

Captured = pytest.CaptureFixture[str]
NAMES = ["bird", "cat", "dog"]
RANDOM = np.random.default_rng(3)
COUNT = 40
TRUE = RANDOM.integers(0, 3, COUNT)
VALUES = {}
for seed, model in enumerate(("p", "q")):
    weights = np.random.default_rng(seed).random((COUNT, 3))
    weights[np.arange(COUNT), TRUE] += 0.5 + seed / 4
    VALUES[model] = weights / weights.sum(1, keepdims=True)
FORMS = ("json", "jsonl", "csv", "parquet", "arrow", "npy", "probs.csv", "coco")


def _rows(model: str | None) -> list[dict[str, Any]]:
    if model is None:
        return [{"id": f"{n:02}.jpg", "category": NAMES[c]} for n, c in enumerate(TRUE)]
    best = VALUES[model].argmax(1)
    return [
        {"id": f"{n:02}.jpg", "category": NAMES[c], "score": float(VALUES[model][n, c])} for n, c in enumerate(best)
    ]


def _csv(rows: list[dict[str, Any]]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(str(one) for one in row.values()) for row in rows)]) + "\n"


def _written(folder: Path, stem: str, form: str, model: str | None = None) -> Path:
    """Labels, or the predictions of a model, in one form; labels as CSV where the form is of predictions alone."""
    rows = _rows(model)
    folder.mkdir(parents=True, exist_ok=True)
    if form == "coco":
        return _coco(folder / f"{stem}.json", rows, model)
    if form in ("npy", "probs.csv") and model is not None:
        values = VALUES[model]
        if form == "npy":
            np.save(folder / f"{stem}.npy", values)
            return folder / f"{stem}.npy"
        columns = [{"id": row["id"]} | {f"prob_{n}": v for n, v in zip(NAMES, values[k].tolist(), strict=True)}
                   for k, row in enumerate(rows)]  # fmt: skip
        return write(folder / f"{stem}.csv", _csv(columns))
    path = folder / f"{stem}.{'csv' if form in ('npy', 'probs.csv') else form}"
    table = pa.Table.from_pylist(rows)
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        write(path, rows if form == "json" else lines(rows) if form == "jsonl" else _csv(rows))
    return path


def _coco(path: Path, rows: list[dict[str, Any]], model: str | None) -> Path:
    """COCO's own fields, as they always were read."""
    plain = [{"image_id": n, "category_id": NAMES.index(row["category"]) + 1} for n, row in enumerate(rows)]
    if model is not None:
        return write(path, [{**one, "score": row["score"]} for one, row in zip(plain, rows, strict=True)])
    images = [{"id": n, "file_name": row["id"], "width": 8, "height": 8} for n, row in enumerate(rows)]
    categories = [{"id": n + 1, "name": name} for n, name in enumerate(NAMES)]
    annotations = [{"id": n, **one} for n, one in enumerate(plain)]
    return write(path, {"images": images, "categories": categories, "annotations": annotations})


def _report(capsys: Captured, *arguments: object, code: int = 0) -> dict[str, Any]:
    assert main.run([*map(str, arguments), "--json"]) == code, capsys.readouterr().err
    loaded: dict[str, Any] = json.loads(capsys.readouterr().out)
    return loaded


ACCURACY = float(np.mean(VALUES["p"].argmax(1) == TRUE))


@pytest.mark.parametrize("form", FORMS)
def test_evaluate_and_gate(form: str, tmp_path: Path, capsys: Captured) -> None:
    files = _written(tmp_path, "l", form), _written(tmp_path, "p", form, "p")
    assert _report(capsys, "evaluate", *files)["metrics"]["accuracy"] == ACCURACY
    assert _report(capsys, "gate", *files, "--min", "accuracy=0.1")["verdict"] == "passed"


@pytest.mark.parametrize("form", FORMS)
def test_score_and_rank(form: str, tmp_path: Path, capsys: Captured) -> None:
    _written(tmp_path, "labels", form)
    for model in ("p", "q"):
        _written(tmp_path / "predictions", model, form, model)
    found = _report(capsys, "score", tmp_path)
    for model, report in found["models"].items():
        assert report["metrics"]["accuracy"] == float(np.mean(VALUES[model].argmax(1) == TRUE))
        assert report["task"] == "classification"
    run = tmp_path / "qm-run"
    table = pq.read_table(run / "p" / "prediction.parquet")
    assert table["outcome"].to_pylist().count("TP") == round(ACCURACY * COUNT)
    if form in ("npy", "probs.csv"):
        entropy = -(VALUES["p"] * np.log2(VALUES["p"])).sum(1)
        ours = pq.read_table(run / "p" / "image.parquet")["entropy"].to_numpy()
        assert ours == pytest.approx(entropy, abs=1e-12)
    assert main.run(["rank", str(tmp_path), "--model", "p", "-a", "entropy", "--top", "3"]) == 0
    assert capsys.readouterr().out.count("\n") == 3


@pytest.mark.parametrize("form", FORMS)
def test_check_and_drift(form: str, tmp_path: Path, capsys: Captured) -> None:
    labels, first, second = (
        _written(tmp_path, stem, form, model) for stem, model in (("l", None), ("p", "p"), ("q", "q"))
    )
    found = _report(capsys, "check", labels, first)
    assert found["counts"]["error"] == 0
    assert (found["rows"]["label"], found["rows"]["prediction"]) == (COUNT, COUNT)
    drifted = _report(capsys, "drift", first, second)
    assert drifted["a"]["images"] == COUNT
    assert "prediction.score" in [row["metric"] for row in drifted["metrics"]]


@pytest.mark.parametrize("form", FORMS)
def test_compare(form: str, tmp_path: Path, capsys: Captured) -> None:
    files = [_written(tmp_path, stem, form, model) for stem, model in (("l", None), ("p", "p"), ("q", "q"))]
    found = _report(capsys, "compare", *files, "--resamples", "100")
    accuracy = next(row for row in found["metrics"] if row["metric"] == "accuracy")
    assert (accuracy["a"], accuracy["b"]) == (ACCURACY, float(np.mean(VALUES["q"].argmax(1) == TRUE)))
    assert found["changes"]["answers"]["total"]["still_right"] > 0
    assert main.run(["compare", *map(str, files), "--resamples", "100", "--changes", str(tmp_path / "c.csv")]) == 0
    assert "data rows" in capsys.readouterr().out
    assert (tmp_path / "c.csv").read_text().count("\n") == COUNT + 1


ENTITIES = "id,category,start,end\na,name,0,4\nb,place,2,6\n"
TEXTS = "id,answer\na,yes\nb,no\n"


@pytest.mark.parametrize(("content", "metric"), [(ENTITIES, "f1"), (TEXTS, "accuracy")])
def test_text_is_scored_into_a_run(content: str, metric: str, tmp_path: Path, capsys: Captured) -> None:
    labels, predictions = write(tmp_path / "labels.csv", content), write(tmp_path / "predictions.csv", content)
    found = _report(capsys, "score", tmp_path)
    assert found["models"]["predictions"]["metrics"][metric] == 1.0
    assert _report(capsys, "gate", tmp_path / "qm-run", "--min", f"{metric}=1")["verdict"] == "passed"
    assert _report(capsys, "check", labels, predictions)["counts"]["error"] == 0
    assert main.run(["score", str(tmp_path), "-o", "-"]) == 2
    assert "no samples to score" in capsys.readouterr().err
    write(tmp_path / "other.csv", content)
    both = ["--predictions", str(predictions), "--predictions", str(tmp_path / "other.csv")]
    assert main.run(["score", str(tmp_path), *both]) == 2
    assert "name one --model" in capsys.readouterr().err


def test_free_text_does_not_drift(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path / "p.csv", TEXTS)
    assert main.run(["drift", str(path), str(path)]) == 2
    assert "holds free text alone" in capsys.readouterr().err


def test_the_task_of_a_score(tmp_path: Path, capsys: Captured) -> None:
    for stem, model in (("labels", None), ("predictions", "p")):
        _written(tmp_path, stem, "csv", model)
    found = _report(capsys, "score", tmp_path, "--task", "multilabel")
    assert found["models"]["predictions"]["task"] == "multilabel"


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are text")
@pytest.mark.parametrize("form", [*FORMS, "json.gz"])
def test_names_need_not_be_text(form: str, tmp_path: Path, capsys: Captured) -> None:
    """Bytes that are no UTF-8 in the name of a file and of its folder: read like any other, in every form."""
    kind, folder = form.removesuffix(".gz"), tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    files = [_written(tmp_path, stem, kind, model) for stem, model in (("l", None), ("p", "p"), ("q", "q"))]
    files = [one.rename(folder / (os.fsdecode(b"\xff") + one.name)) for one in files]
    if form != kind:
        for one in files:
            one.write_bytes(gzip.compress(one.read_bytes()))
        files = [one.rename(f"{one}.gz") for one in files]
    assert _report(capsys, "evaluate", *files[:2])["metrics"]["accuracy"] == ACCURACY
    assert _report(capsys, "check", *files[:2])["counts"]["error"] == 0
    assert _report(capsys, "compare", *files, "--resamples", "100")["changes"]["answers"]["total"]["still_right"] > 0


@pytest.mark.skipif(sys.platform == "darwin", reason="its file names are text")
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_objects_and_runs_of_names_that_are_no_text(form: str, tmp_path: Path, capsys: Captured) -> None:
    labels = write(tmp_path / os.fsdecode(b"l\xff.json"), document())
    rows = [prediction(), prediction(image_id=2, bbox=[0, 0, 5, 5])]
    paths = [tmp_path / os.fsdecode(name + f".{form}".encode()) for name in (b"p\xff", b"q\xff")]
    for path in paths:
        if form == "json":
            write(path, rows)
        else:
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / "plain.parquet")
            (tmp_path / "plain.parquet").rename(path)
    assert _report(capsys, "evaluate", labels, paths[0])["metrics"]["recall"] == 0.5
    run, thresholds = tmp_path / "run", tmp_path / "t.json"
    written = ["--thresholds", "f1", "--thresholds-out", thresholds, "-o", run]
    assert _report(capsys, "evaluate", labels, paths[0], *written)["metrics"]["recall"] == 0.5
    assert json.loads(thresholds.read_text())["predictions"]["name"] == paths[0].name
    gated = ["gate", run, "--min", "recall=0.4", "--markdown", tmp_path / "g.md", "--junit", tmp_path / "g.xml"]
    assert _report(capsys, *gated)["verdict"] == "passed"
    both = [text for path in paths for text in ("--predictions", path)]
    empty = tmp_path / "images"
    empty.mkdir()
    scored = _report(capsys, "score", empty, "--labels", labels, *both, "-o", tmp_path / "two", "--kind", "model")
    assert list(scored["models"]) == ["p\\udcff", "q\\udcff"]
    assert main.run(["query", str(tmp_path / "two"), "SELECT count(*) FROM prediction", "--model", "p\\udcff"]) == 0
    foreign = run.rename(tmp_path / os.fsdecode(b"run\xff"))
    with pytest.raises(InputError, match="its name is no UTF-8 text"):
        run_folder.open_run(foreign)
    with pytest.raises(InputError, match="its name is no UTF-8 text"), run_folder.writing(foreign):
        pass


@pytest.mark.parametrize("name", ["predictions.jsonl", "predictions.json", "predictions.ndjson.gz"])
def test_boxes_one_a_line_are_a_results_list(name: str, tmp_path: Path, capsys: Captured) -> None:
    labels = write(tmp_path / "set" / "labels.json", document())
    rows = [prediction(), prediction(image_id=2, bbox=[0, 0, 5, 5]), prediction(image_id=3), prediction(score=None)]
    listed = write(tmp_path / "listed.json", rows)
    content = lines(rows).encode()
    lined = write(tmp_path / "set" / name, gzip.compress(content) if name.endswith(".gz") else content)
    first, second = (_report(capsys, "evaluate", labels, path) for path in (listed, lined))
    assert first == second
    assert {one["code"] for one in second["findings"]} >= {"prediction-unknown-image", "prediction-missing-score"}
    checked = [_report(capsys, "check", labels, path, code=1) for path in (listed, lined)]
    assert checked[0]["rows"] == checked[1]["rows"]
    assert list(checked[0]["findings"].values()) == list(checked[1]["findings"].values())
    drifted = _report(capsys, "drift", listed, lined)
    assert (drifted["a"]["images"], drifted["b"]["images"]) == (3, 3)
    (tmp_path / "set" / "images").mkdir()
    scored = _report(capsys, "score", tmp_path / "set", "--kind", "model")
    assert scored["models"]["predictions"]["metrics"] == first["metrics"]
