"""qm compare of classes, checklists, free text and text entities: each side is what qm evaluate says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qm_cli import main
from qm_cli.analysis.weighted_counts import OVERALL
from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.answer_slices import OF_LABELS
from qm_cli.comparing import Request, compare
from qm_cli.errors import InputError, UsageError
from qm_cli.load_answers import AnswerSource
from qm_cli.run import score
from qm_cli.slice_language import Wanted
from tests.answer_files import document, label, lines
from tests.input_files import write

RANDOM = np.random.default_rng(7)
NAMES = ["ant", "bee", "cow"]
COUNT = 30


def picked(random: np.random.Generator, skill: float, true: list[int], **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": n, "category": NAMES[c if random.random() < skill else random.integers(0, 3)], **more,
         "score": round(float(random.random()), 3)}
        for n, c in enumerate(true)
    ]  # fmt: skip


TRUE = RANDOM.integers(0, 3, COUNT).tolist()
LABELS = [{"id": n, "category": NAMES[c]} for n, c in enumerate(TRUE)]


def files(folder: Path, labels: Any, *models: Any) -> tuple[Path, ...]:
    content = lines(labels) if isinstance(labels, list) else labels
    paths = [write(folder / f"{name}.jsonl", lines(rows)) for name, rows in zip("ab", models, strict=True)]
    return (write(folder / ("l.jsonl" if isinstance(labels, list) else "l.json"), content), *paths)


def evaluated(labels: Path, predictions: Path, **how: Any) -> dict[str, Any]:
    return evaluate_answer_files(AnswerRequest(AnswerSource(labels, predictions), **how))[1]


def assert_sides(report: dict[str, Any], targets: tuple[Path, ...], **how: Any) -> None:
    for side, path in zip("ab", targets[1:], strict=True):
        wanted = evaluated(targets[0], path, **how)
        assert {row["metric"]: row[side] for row in report["metrics"]} == pytest.approx(
            {name: wanted["metrics"][name] for name in OVERALL if wanted["metrics"].get(name) is not None}
        )
        given = {row["name"]: row for row in wanted["categories"]}
        for row in report["categories"]:
            for one in row["metrics"]:
                expected = given[row["name"]][one["metric"]] if row["name"] in given else None
                assert one[side] == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("how", [{}, {"convention": "labelbox"}, {"confidence": 0.4}, {"task": "multilabel"}])
def test_classes(how: dict[str, Any], tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    targets = files(tmp_path, LABELS, picked(random, 0.3, TRUE)[:-3], picked(random, 0.8, TRUE))
    report, rows = compare(Request(targets, resamples=100, **how))
    assert_sides(report, targets, **how)
    tally = report["changes"]["answers"]
    assert sum(tally["total"].values()) == rows.num_rows
    for word, count in tally["total"].items():
        assert count == rows["change"].to_pylist().count(word)
        assert count == sum(row[word] for row in tally["by_category"])
    assert tally["total"]["fixed"] > tally["total"]["broken"]
    worst = report["regressed_images"][0]
    assert worst["errors_b"] > worst["errors_a"]
    if how == {}:
        accuracy = report["metrics"][0]
        gained = tally["total"]["fixed"] - tally["total"]["broken"]
        assert accuracy["difference"] == pytest.approx(gained / COUNT)
        assert accuracy["low"] < accuracy["difference"] < accuracy["high"]


def test_questions_checklists_and_free_text(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    labels = [
        *({**row, "question": "kind"} for row in LABELS),
        *({"id": n, "question": "all", "category": NAMES[c]} for n in range(COUNT) for c in range(3) if (n + c) % 2),
        *({"id": n, "question": "words", "answer": "yes" if n % 3 else "no"} for n in range(COUNT)),
    ]
    models = []
    for skill in (0.3, 0.9):
        rows = picked(random, skill, TRUE, question="kind")
        rows += [{"id": n, "question": "all", "category": NAMES[c], "score": round(float(random.random()), 2)}
                 for n in range(COUNT) for c in range(3) if random.random() < skill]  # fmt: skip
        rows += [{"id": n, "question": "words", "answer": "yes"} for n in range(COUNT)]
        models.append([{"score": 0.5, **row} for row in rows])
    targets = files(tmp_path, labels, *models)
    report, rows = compare(Request(targets, resamples=100))
    assert [one["kind"] for one in report["questions"]] == ["radio", "checklist", "text"]
    for side, path in zip("ab", targets[1:], strict=True):
        wanted = {one["question"]: one["metrics"] for one in evaluated(targets[0], path)["questions"]}
        for one in report["questions"]:
            for row in one["metrics"]:
                assert row[side] == pytest.approx(wanted[one["question"]][row["metric"]])
        accuracy = next(row for row in report["metrics"] if row["metric"] == "accuracy")
        assert accuracy[side] == pytest.approx(np.mean([one["accuracy"] for one in wanted.values()]))
    assert {row["question"] for row in report["categories"]} == {"kind", "all"}
    assert set(rows["question"].to_pylist()) == {"kind", "all", "words"}
    assert any("several questions" in note for note in report["notes"])


def test_entities(tmp_path: Path) -> None:
    def at(row: int, name: str, start: int, end: int) -> dict[str, Any]:
        return {"id": row, "category": name, "start": start, "end": end}

    labels = [at(0, "ant", 0, 4), at(0, "bee", 6, 9), at(1, "ant", 2, 5), at(2, "ant", 0, 3)]
    first = [at(0, "ant", 0, 4), at(1, "bee", 2, 5), at(1, "ant", 8, 9), at(2, "bee", 8, 9)]
    second = [at(0, "ant", 0, 4), at(0, "bee", 6, 9), at(1, "ant", 2, 5), at(2, "bee", 8, 9), at(2, "ant", 5, 6)]
    targets = files(tmp_path, labels, first, second)
    report, rows = compare(Request(targets, resamples=100))
    assert_sides(report, targets)
    changes = report["changes"]
    assert changes["labels"]["total"] == {"still_found": 1, "fixed": 2, "broken": 0, "still_missed": 1}
    wanted = {"kept": 3, "flipped_category": 1, "new_false_positive": 1, "gone_false_positive": 1}
    assert changes["entities"]["total"] == wanted
    found = list(zip(*(rows[name].to_pylist() for name in ("object", "change", "data_row_id", "start")), strict=True))
    assert ("entity", "gone_false_positive", 1, 8) in found
    assert ("entity", "flipped_category", 1, 2) in found
    assert ("label", "still_missed", 2, 0) in found


def test_runs_say_what_their_files_do(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    targets = files(tmp_path, LABELS, picked(random, 0.4, TRUE), picked(random, 0.7, TRUE))
    run = score(tmp_path, tmp_path / "run", labels=targets[0], predictions=targets[1:]).path
    of_run, of_files = (compare(Request(one, resamples=100))[0] for one in ((run,), targets))
    for name in ("metrics", "categories", "changes", "regressed_images", "task", "convention", "confidence"):
        assert of_run[name] == of_files[name]


def test_clusters(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    content = document([label(n + 1, NAMES[c]) for n, c in enumerate(TRUE)], NAMES, COUNT)
    content["images"] = [{"id": n + 1, "video_id": n // 2} for n in range(COUNT)]
    del content["data_rows"]
    targets = files(tmp_path, content, *([{**row, "id": row["id"] + 1} for row in picked(random, skill, TRUE)]
                                         for skill in (0.4, 0.8)))  # fmt: skip
    report, _ = compare(Request(targets, resamples=100, cluster="video_id"))
    assert report["units"] == COUNT // 2
    with pytest.raises(UsageError, match="no column 'video'"):
        compare(Request(targets, resamples=100, cluster="video"))


def weathered(folder: Path) -> tuple[tuple[Path, ...], list[int]]:
    """Files of COUNT data rows, of which every third is foggy, and the foggy ones."""
    random = np.random.default_rng(5)
    content = document([label(n, NAMES[c]) for n, c in enumerate(TRUE)], NAMES, COUNT)
    content["data_rows"] = [{"id": n, "weather": "fog" if n % 3 == 0 else "clear"} for n in range(COUNT)]
    models = [picked(random, skill, TRUE) for skill in (0.4, 0.8)]
    return files(folder, content, *models), list(range(0, COUNT, 3))


def test_slices_are_comparisons_of_their_data_rows(tmp_path: Path) -> None:
    targets, foggy = weathered(tmp_path)
    wanted = Wanted(None, ("weather",), ("bees=category = 'bee'",))
    report, rows = compare(Request(targets, resamples=100, wanted=wanted))
    run = score(tmp_path, tmp_path / "run", labels=targets[0], predictions=targets[1:]).path
    of_run, _ = compare(Request((run,), resamples=100, wanted=wanted))
    found = {row["name"]: row for row in report["slices"]}
    assert list(found) == ["bees", "weather=clear", "weather=fog"]
    assert of_run["slices"] == report["slices"]
    assert of_run["changes"] == report["changes"]
    for name, members in (("weather=fog", foggy), ("bees", [n for n, c in enumerate(TRUE) if c == 1])):
        row = found[name]
        assert (row["images"], row["units"]) == (len(members), len(members))
        models = [
            {one["id"]: one["category"] for one in map(json.loads, path.read_text().splitlines())}
            for path in targets[1:]
        ]
        accuracy = row["metrics"][0]
        for side, given in zip("ab", models, strict=True):
            right = sum(given[n] == NAMES[TRUE[n]] for n in members)
            assert accuracy[side] == pytest.approx(right / len(members))
        assert accuracy["p_corrected"] is None or accuracy["p_corrected"] >= accuracy["p"]
        counts = next(one for one in report["changes"]["answers"]["by_slice"] if one["name"] == name)
        table = [rows[column].to_pylist() for column in ("data_row_id", "change")]
        inside = [word for n, word in zip(*table, strict=True) if n in members]
        assert {word: count for word, count in counts.items() if word != "name"} == {
            word: inside.count(word) for word in counts if word != "name"
        }
    assert OF_LABELS in report["notes"]


def test_slices_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets, _ = weathered(tmp_path)
    assert main.run(["compare", *map(str, targets), "--resamples", "100", "--slice", "dim=weather = 'fog'"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("dim") == 2


def test_refusals(tmp_path: Path) -> None:
    entity = [{"id": 0, "category": "ant", "start": 0, "end": 2}]
    targets = files(tmp_path, LABELS, picked(np.random.default_rng(0), 0.5, TRUE), entity)
    with pytest.raises(InputError, match="none of the 30 labels is a text entity"):
        compare(Request(targets, resamples=100))
    with pytest.raises(UsageError, match="--categories: not for classes and text"):
        compare(Request(targets, resamples=100, categories=("ant",)))
