"""What is worth a look is what was planted, the worst first, each with a command that shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.attention import attention
from qm_cli.findings import Finding
from qm_cli.main import run as command_line
from qm_cli.run import score
from qm_cli.run_folder import Run
from qm_cli.scoring import Resources, score_tables, selection
from qm_cli.settings import Settings
from tests import builders
from tests.golden.test_evaluation_report import CATEGORIES, LABELS, PREDICTIONS
from tests.input_files import document, image, label, write

SAMPLE = Path(__file__).parent.parent / "sample_data"
METRICS = ("image.*_group", "image.label_quality", "label.swapped", "label.badly_located", "prediction.overlooked")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return score(SAMPLE, tmp_path_factory.mktemp("attention") / "run", metrics=METRICS)


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    faults = json.loads((SAMPLE / "planted.json").read_text())["faults"]
    return {fault["fault"]: fault for fault in faults}


def test_what_was_planted_is_found(run: Run, planted: dict[str, Any]) -> None:
    rows = {row["code"]: row for row in run.summary()["attention"]}
    for code, fault in (
        ("label-missing", "missing_label"),
        ("label-wrong-category", "wrong_category"),
        ("label-badly-located", "shifted_box"),
        ("image-duplicate", "exact_duplicate"),
        ("image-near-duplicate", "near_duplicate"),
        ("label-outside-image", "box_outside"),
    ):
        assert rows[code]["count"] == len(planted[fault]["ids"]), code
        assert set(rows[code]["examples"]) <= set(map(str, planted[fault]["ids"])), code
    assert rows["label-twice"]["count"] == len(planted["duplicate_label"]["copies"])
    assert {row["model"] for row in rows.values()} == {None, "better"}


def test_the_worst_comes_first_and_rows_of_a_command_together(run: Run) -> None:
    commands = [row["command"] for row in run.summary()["attention"]]
    assert commands == sorted(commands, key=commands.index)
    assert commands[0] == "qm review RUN --model better"
    tables, settings = builders.tables(document([image(1)], [], CATEGORIES), []), Settings()
    bare = score_tables(tables, selection(["image.object_count"]), settings, Resources())
    found = [Finding("label-outside-image", 9, ("1",)), Finding("image-truncated", 1, ("2",)), info()]
    told = attention(bare, {}, {}, found)
    assert [(row["code"], row["severity"]) for row in told] == [
        ("image-truncated", "error"),
        ("label-outside-image", "warning"),
    ]


def test_custom_values_are_no_matter_of_check() -> None:
    tables, settings = builders.tables(document([image(1)], [], CATEGORIES), []), Settings()
    bare = score_tables(tables, selection(["image.object_count"]), settings, Resources())
    (row,) = attention(bare, {}, {}, [Finding("values-unknown-id", 2, ("nope.jpg",))])
    assert (row["level"], row["count"], row["command"]) == ("values", 2, "jq .findings RUN/run.json")


def info() -> Finding:
    return Finding("image-without-label", 4, ("3",))


def test_its_commands_work(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for command in {row["command"] for row in run.summary()["attention"]}:
        name, *rest = (
            command.removeprefix("qm ").replace("RUN", str(run.path)).replace("DATASET", str(SAMPLE)).split(" ", 2)
        )
        arguments = [name, rest[0], *(rest[1].strip('"').split() if name != "query" and rest[1:] else [])]
        arguments += [rest[1].strip('"')] if name == "query" else []
        assert command_line(arguments) == 0, command
        assert len(capsys.readouterr().out.splitlines()) > 3, command


def test_labels_are_told_from_only_where_that_was_measured() -> None:
    tables = builders.tables(document([image(9, height=100), image(1), image(2)], LABELS, CATEGORIES), PREDICTIONS)
    scored = score_tables(tables, selection(["label.outcome"]), Settings(), Resources())
    report = {"task": "bbox", "convention": "coco", "max_detections": [100], "metrics": {"AP": 0.5}}
    assert attention(scored, {"m": scored}, {"m": report}, []) == []


TWICE = [(1, 1, [10, 10, 20, 20]), (2, 1, [10, 11, 20, 20]), (3, 2, [10, 10, 20, 20]), (4, 1, [60, 60, 9, 9])]


@pytest.mark.parametrize(("crowds", "examples"), [((), ["2"]), ((1,), []), ((2,), [])])
def test_labels_on_top_of_another_are_told_without_a_model(crowds: tuple[int, ...], examples: list[str]) -> None:
    labels = [label(id, category_id=category, bbox=box, iscrowd=int(id in crowds)) for id, category, box in TWICE]
    tables = builders.tables(document([image(1)], labels, CATEGORIES), [])
    scored = score_tables(tables, selection(["label.duplicate_iou"]), Settings(), Resources())
    told = attention(scored, {}, {}, [])
    assert [row["examples"] for row in told] == ([examples] if examples else [])
    assert [(row["code"], row["count"], row["model"]) for row in told] == [("label-twice", 1, None)] * bool(examples)
    unmeasured = score_tables(tables, selection(["label.height"]), Settings(), Resources())
    assert attention(unmeasured, {}, {}, []) == []


def test_of_several_models_the_one_whose_predictions_are_at_fault_is_named() -> None:
    labels = document([image(1)], LABELS[:2], CATEGORIES)
    outside = {"image_id": 1, "category_id": 1, "bbox": [-9, 0, 30, 30], "score": 0.5}
    models = {
        name: score_tables(builders.tables(labels, rows), selection(["prediction.height"]), Settings(), Resources())
        for name, rows in (("good", []), ("[bad]", [outside]))
    }
    findings = models["[bad]"].tables.findings
    assert [row.code for row in findings] == ["prediction-outside-image"]
    told = attention(models["good"], models, {}, findings)
    assert [(row["model"], row["meaning"]) for row in told] == [
        ("[bad]", "prediction reaching outside its image, of [bad]")
    ]
    alone = attention(models["[bad]"], {"[bad]": models["[bad]"]}, {}, findings)
    assert [(row["model"], row["meaning"]) for row in alone] == [(None, "prediction reaching outside its image")]


def test_classes_that_confident_learning_calls_wrong_are_told(tmp_path: Path) -> None:
    """Ten images of each class with sure probabilities; the second is labelled as the other class."""
    classes = [1] * 10 + [7] * 10
    given = [7 if row == 1 else one for row, one in enumerate(classes)]
    images = [image(row) for row in range(20)]
    labels = [{"id": 100 + row, "image_id": row, "category_id": one} for row, one in enumerate(given)]
    probs = [[0.9, 0.1] if one == 1 else [0.1, 0.9] for one in classes]
    rows = [{"image_id": row, "category_id": one, "score": 0.9, "probs": probs[row]} for row, one in enumerate(classes)]
    write(tmp_path / "labels.json", document(images, labels))
    write(tmp_path / "predictions.json", rows)
    run = score(tmp_path, tmp_path / "run")
    told = [
        (row["code"], row["level"], row["count"], row["examples"], row["command"])
        for row in run.summary()["attention"]
        if row["model"] is not None
    ]
    assert told == [("label-wrong-category", "label", 1, ["101"], "qm review RUN")]
    unmeasured = score(tmp_path, tmp_path / "bare", metrics=["image.entropy"])
    assert unmeasured.summary()["attention"] == []
