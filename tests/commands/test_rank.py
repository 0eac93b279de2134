"""qm rank from the command line: one id a line, other formats, refusals; a run or a dataset."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qm_cli.main import run
from tests.builders import write
from tests.embedded_run import write_embedded
from tests.made_run import BY_ENTROPY, IDS, write_run
from tests.pictures import write_pictures

Captured = pytest.CaptureFixture[str]
QM = [sys.executable, "-m", "qm_cli"]


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(write_run(tmp_path / "run"))


def test_ids_worst_first(place: str, capsys: Captured) -> None:
    assert run(["rank", place, "--acquisition", "entropy"]) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == [str(one) for one in BY_ENTROPY]
    assert shown.err == "qm: 1 of 6 images have no entropy: put last (--no-predictions first|last|drop)\n"


def test_uncertain_end_comes_first(place: str, capsys: Captured) -> None:
    assert run(["rank", place, "-a", "image.margin", "--no-predictions", "drop", "--field", "file_name", "-q"]) == 0
    assert capsys.readouterr().out == "c, d.jpg\nf.jpg\nb.jpg\na.jpg\ng.jpg\n"


def test_explorer_by_outcome(place: str, capsys: Captured) -> None:
    arguments = ["rank", place, "--level", "prediction", "--where", "outcome = 'FP'"]
    assert run(arguments) == 0
    assert capsys.readouterr().out == "1\n2\n3\n"
    assert run([*arguments, "-a", "score", "--order", "desc", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == {
        "id": "2",
        "image_id": "9",
        "file_name": "b.jpg",
        "category": "cat",
        "score": "0.8",
        "outcome": "FP",
    }


def test_filters(place: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    names = tmp_path / "names.txt"
    names.write_text("c, d.jpg\n100\nnobody\n")
    assert run(["rank", place, "-a", "entropy", "--unlabeled-only", "--reviewed", str(names)]) == 0
    shown = capsys.readouterr()
    assert shown.out == "7\n"
    assert shown.err == "qm: unknown names in --exclude or --reviewed: 1 (first: nobody)\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"9\n1\n")))
    assert run(["rank", place, "-a", "entropy", "--exclude", "-", "--top", "2", "-q"]) == 0
    assert capsys.readouterr().out == "2\n10\n"


def test_json(place: str, capsys: Captured) -> None:
    assert run(["rank", place, "-a", "entropy", "--top", "1", "--json", "--no-predictions", "first"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "target": place,
        "model": "better",
        "level": "image",
        "acquisition": "entropy",
        "better": "lower",
        "order": "desc",
        "no_predictions": "first",
        "considered": 6,
        "without_value": 1,
        "unknown_names": [],
        "count": 1,
        "items": [{"id": 100, "file_name": "e.jpg", "entropy": None}],
    }


def test_files(place: str, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "next"
    assert run(["rank", place, "-a", "entropy", "--format", "parquet", "-o", str(out)]) == 0
    assert pq.read_table(out)["id"].to_pylist() == BY_ENTROPY
    assert run(["rank", place, "-a", "entropy", "--format", "jsonl", "--field", "id,weather", "-o", str(out)]) == 0
    assert json.loads(out.read_text().splitlines()[0]) == {"id": 9, "weather": "sun"}
    assert capsys.readouterr().out == ""


def test_a_file_is_written_as_its_name_says(place: str, tmp_path: Path) -> None:
    texts = {}
    for name in ("next.txt", "next.csv", "next.jsonl", "report.json"):
        more = ["--json"] if name.endswith(".json") else []
        assert run(["rank", place, "-a", "entropy", "--top", "1", "-o", str(tmp_path / name), *more]) == 0
        texts[name] = (tmp_path / name).read_text()
    assert texts["next.txt"] == f"{BY_ENTROPY[0]}\n"
    assert texts["next.csv"].splitlines()[0] == "id,file_name,entropy"
    assert json.loads(texts["next.jsonl"])["id"] == BY_ENTROPY[0]
    assert json.loads(texts["report.json"])["count"] == 1
    assert run(["rank", place, "-a", "entropy", "--format", "lines", "-o", str(tmp_path / "ids.csv")]) == 0
    assert (tmp_path / "ids.csv").read_text().splitlines() == [str(one) for one in BY_ENTROPY]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "next.json"], "--format coco"),
        (["-a", "entropi"], "did you mean entropy"),
        (["-a", "brightness"], "--order asc"),
        (["-a", "score"], "--level prediction"),
        (["--reviewed", "x"], "--unlabeled-only"),
        (["--unlabeled-only", "--level", "label"], "--level image"),
        (["--unlabeled-only", "--reviewed", "-", "--exclude", "-"], "stdin"),
        (["--format", "parquet"], "-o"),
        (["--field", "id,file_name"], "--format csv"),
        (["--field", "weather"], "have no weather"),
        (["--where", "outcme = 1"], "outcme"),
        (["--set", "entropy.aggregate=max"], "qm score"),
        (["--level", "pixel"], "pixel"),
        (["--top", "-1"], "-1"),
        (["--model", "other"], "no model 'other'"),
    ],
)
def test_refused_in_one_line(place: str, capsys: Captured, arguments: list[str], told: str) -> None:
    assert run(["rank", place, *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err
    assert shown.err.count("\n") == 1


def test_several_models(tmp_path: Path, capsys: Captured) -> None:
    place = str(write_run(tmp_path / "run", ("better", "worse")))
    assert run(["rank", place, "-a", "entropy"]) == 2
    assert "holds the models better, worse" in capsys.readouterr().err
    assert run(["rank", place, "--level", "prediction"]) == 2
    assert run(["rank", place, "-a", "entropy", "--model", "worse", "-q"]) == 0
    assert capsys.readouterr().out.split() == [str(one) for one in BY_ENTROPY]
    assert run(["rank", place, "-a", "object_count", "--order", "asc", "--top", "1"]) == 0


def test_a_skipped_metric_is_explained(tmp_path: Path, capsys: Captured) -> None:
    place = write_run(tmp_path / "run")
    summary = json.loads((place / "summary.json").read_text())
    summary["skipped"] = [{"metric": "image.sharpness", "reason": "there are no images"}]
    (place / "summary.json").write_text(json.dumps(summary))
    assert run(["rank", str(place), "-a", "sharpness"]) == 2
    assert "image.sharpness was skipped: there are no images" in capsys.readouterr().err


def test_a_dataset_is_scored_as_far_as_needed(tmp_path: Path, capsys: Captured) -> None:
    images = [{"id": one, "file_name": f"{one}.jpg", "width": 10, "height": 10} for one in (3, 1, 2)]
    labels = {"images": images, "categories": [{"id": 1, "name": "cat"}], "annotations": []}
    boxes = [
        {"image_id": one, "category_id": 1, "bbox": [0, 0, 2, 2], "score": score} for one, score in ((3, 0.9), (1, 0.5))
    ]
    write(tmp_path, labels, boxes)
    assert run(["rank", str(tmp_path), "-a", "entropy", "--unlabeled-only", "-q"]) == 0
    assert capsys.readouterr().out == "1\n3\n2\n"
    assert run(["rank", str(tmp_path), "-a", "mean_object_score", "--where", "entropy > 0", "-q"]) == 0
    assert capsys.readouterr().out == "1\n3\n"
    assert not (tmp_path / "qm-run").exists()


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run")
    count = 200_000
    pq.write_table(pa.table({"id": list(range(count)), "entropy": [0.5] * count}), place / "image.parquet")
    command = [*QM, "rank", str(place), "-a", "entropy", "--order", "asc"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert [process.stdout.readline() for _ in range(3)] == [b"0\n", b"1\n", b"2\n"]
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait() == 0
    assert told == b""


def test_json_parses_for_others(tmp_path: Path) -> None:
    place = write_run(tmp_path / "run")
    ranked = subprocess.run([*QM, "rank", str(place), "-a", "odd", "--order", "asc", "--json"], capture_output=True)
    parsed = subprocess.run([sys.executable, "-m", "json.tool"], input=ranked.stdout, capture_output=True)
    assert (ranked.returncode, parsed.returncode) == (0, 0)
    assert len(json.loads(parsed.stdout)["items"]) == len(IDS)


@pytest.fixture
def embedded(tmp_path: Path) -> str:
    return str(write_embedded(tmp_path / "embedded"))


def test_batches(embedded: str, capsys: Captured) -> None:
    assert run(["rank", embedded, "-a", "entropy", "--diverse", "k-center", "--top", "3"]) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == ["9", "1", "2"]
    assert "1 images have no embedding: put last" in shown.err
    assert run(["rank", embedded, "-a", "entropy", "--budget", "6", "--cost", "cost", "--json", "-q"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [item["id"] for item in report["items"]] == [9, 2, 7]
    assert report["batch"]["total_cost"] == 5
    assert run(["rank", embedded, "-a", "entropy", "--exclude-near-duplicates", "-q"]) == 0
    assert capsys.readouterr().out.split() == ["9", "1", "2", "100"]
    for options in (["--sample", "power"], ["--sample", "softmax", "--coldness", "2"], ["--diverse", "badge"]):
        outs = []
        for _ in range(2):
            assert run(["rank", embedded, "-a", "entropy", "--seed", "3", "-q", *options]) == 0
            outs.append(capsys.readouterr().out)
        assert outs[0] == outs[1]
        assert sorted(outs[0].split(), key=int) == ["1", "2", "7", "9", "10", "100"]


def test_ensembles(tmp_path: Path, capsys: Captured) -> None:
    place = str(write_embedded(tmp_path / "run", ("a", "b")))
    assert run(["rank", place, "-a", "variation_ratio", "--ensemble", "a,b", "--format", "csv", "--top", "1"]) == 0
    assert capsys.readouterr().out == "id,file_name,variation_ratio\n1,g.jpg,0\n"
    assert run(["rank", place, "-a", "bald"]) == 2
    assert "name them by --ensemble" in capsys.readouterr().err


def test_import_files(place: str, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "tasks.json"
    assert run(["rank", place, "-a", "entropy", "--top", "2", "--format", "label-studio", "-o", str(out)]) == 0
    assert [task["data"]["id"] for task in json.loads(out.read_text())] == [9, 1]
    assert run(["rank", place, "-a", "entropy", "--top", "2", "--format", "coco", "-q"]) == 0
    assert [image["id"] for image in json.loads(capsys.readouterr().out)["images"]] == [9, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--diverse", "k-center", "--sample", "power"], "two ways to choose"),
        (["--diverse", "badge", "--balance"], "takes no weights"),
        (["--cost", "cost"], "goes with --budget"),
        (["--format", "coco", "--level", "label"], "is of images"),
        (["--format", "coco", "-a", "label.area"], "rank by a column of images: area is one of labels"),
        (["--format", "coco", "--image-url", "x"], "fetch by URL"),
        (["--format", "labelbox"], "fetches images by URL"),
        (["--back-test", "--format", "csv"], "prints a report"),
        (["--back-test"], "no false_positives to test an order on"),
        (["--diverse", "k-center"], "no embeddings of images"),
        (["--exclude-near-duplicates"], "no column near_duplicate_group"),
    ],
)
def test_batches_that_cannot_be(place: str, options: list[str], words: str, capsys: Captured) -> None:
    assert run(["rank", place, "-q", *options]) == 2
    assert words in capsys.readouterr().err


def test_a_dataset_is_scored_as_far_as_a_batch_needs(tmp_path: Path, capsys: Captured) -> None:
    folder = str(write_pictures(tmp_path / "set", predictions=True))
    options = ["-a", "entropy", "--diverse", "k-center", "--exclude-near-duplicates", "--top", "3", "-q"]
    assert run(["rank", folder, *options]) == 0
    assert len(capsys.readouterr().out.split()) == 3


def test_back_test(tmp_path: Path, capsys: Captured) -> None:
    folder = str(write_pictures(tmp_path / "set", predictions=True))
    assert run(["score", folder, "--metrics", "entropy,false_*", "-q"]) == 0
    capsys.readouterr()
    assert run(["rank", folder, "-a", "entropy", "--back-test", "--top", "3", "-q"]) == 0
    assert "the first 3 of 7 images" in capsys.readouterr().out
    assert run(["rank", folder, "-a", "entropy", "--back-test", "--top", "3", "-q", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["curve"]) == 3
    assert set(report["mended"]) == {"AP", "AP50"}
