"""The planted label errors lead the queue of sample_data, each with the right suggestion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qm_cli.errors import InputError, UsageError
from qm_cli.load import load_tables
from qm_cli.report import report_of
from qm_cli.reviewing import review_queue, write_patch
from qm_cli.run import score
from qm_cli.run_folder import Run, open_run
from qm_cli.settings import Settings
from tests.oracles import record_cleanlab

RECORDED = json.loads(record_cleanlab.PLACE.read_text())["classes"]
SAMPLE = Path(__file__).parent.parent / "sample_data"
FAULTS = {fault["fault"]: fault for fault in json.loads((SAMPLE / "planted.json").read_text("utf-8"))["faults"]}
CATEGORIES = {row["id"]: row["name"] for row in json.loads((SAMPLE / "labels.json").read_text())["categories"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score(SAMPLE, tmp_path_factory.mktemp("scored") / "run", metrics=("image.area",)).path


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    return open_run(place, "better")


def iou(one: list[float], other: list[float]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    inter = max(width, 0) * max(height, 0)
    return inter / (one[2] * one[3] + other[2] * other[3] - inter)


def test_planted_errors_lead_the_queue(run: Run) -> None:
    """All of them come before anything else, however little suspicion is asked for."""
    queue = review_queue(run, least=0.05, top=None).report["queue"]
    planted = {("overlooked", key) for key in FAULTS["missing_label"]["ids"]}
    planted |= {("wrong category", key) for key in FAULTS["wrong_category"]["ids"]}
    planted |= {("badly located", key) for key in FAULTS["shifted_box"]["ids"]}
    planted |= {("labelled twice", key) for key in FAULTS["duplicate_label"]["copies"]}
    named = [(row["reason"], row["prediction_id" if row["reason"] == "overlooked" else "label_id"]) for row in queue]
    assert set(named[: len(planted)]) == planted
    assert len(named) > len(planted)


def test_suggestions_are_what_was_true(run: Run) -> None:
    rows: dict[str, dict[Any, dict[str, Any]]] = {}
    for row in review_queue(run).report["queue"]:
        rows.setdefault(row["reason"], {})[row["prediction_id" if row["label_id"] is None else "label_id"]] = row
    fault = FAULTS["wrong_category"]
    for key, category in zip(fault["ids"], fault["true_category_ids"], strict=True):
        assert rows["wrong category"][key]["suggested_category"] == CATEGORIES[category]
    fault = FAULTS["shifted_box"]
    for key, box in zip(fault["ids"], fault["true_boxes"], strict=True):
        assert iou(rows["badly located"][key]["suggested_bbox"], box) > 0.85
    fault = FAULTS["missing_label"]
    for key, image, box, category in zip(
        *(fault[n] for n in ("ids", "image_ids", "boxes", "category_ids")), strict=True
    ):
        row = rows["overlooked"][key]
        assert (row["image_id"], row["suggested_category"]) == (image, CATEGORIES[category])
        assert iou(row["suggested_bbox"], box) > 0.8
    assert all(row["delta_AP"] > 0 for reason in rows.values() for row in reason.values())


def test_where_may_ask_about_the_queue_and_the_images(run: Run) -> None:
    every = review_queue(run).report
    some = review_queue(run, where="reason = 'overlooked' AND weather = 'fog' AND score > 0.9").report
    assert 0 < some["found"] < every["reasons"]["overlooked"]
    assert some["reasons"]["wrong category"] == 0
    assert [row for row in every["queue"] if row in some["queue"]] == some["queue"]


def test_top_cuts_and_tells_how_many_there_are(run: Run) -> None:
    report = review_queue(run, top=3).report
    assert (len(report["queue"]), report["found"]) == (3, 22)


def test_patch_raises_ap_and_leaves_the_original_alone(run: Run, tmp_path: Path) -> None:
    before = (SAMPLE / "labels.json").read_bytes()
    queue = review_queue(run)
    done = write_patch(run, queue, None, tmp_path / "patched.json")
    assert (SAMPLE / "labels.json").read_bytes() == before
    assert (done["accepted"], done["add label"], done["remove label"]) == (22, 6, 4)
    predictions = SAMPLE / "predictions" / "better.json"
    after = report_of(load_tables(tmp_path / "patched.json", predictions), Settings())["metrics"]["AP"]
    assert after > queue.report["AP"] + 0.03
    one = queue.report["queue"][0]
    write_patch(run, queue, [one["id"]], tmp_path / "one.json")
    alone = report_of(load_tables(tmp_path / "one.json", predictions), Settings())["metrics"]["AP"]
    assert alone - queue.report["AP"] == pytest.approx(one["delta_AP"], abs=1e-12)


DATA = Path(__file__).parents[2] / "shared" / "data" / "cocoapi_val2014_first100"
LOSING = [
    {"category_id": 1, "bbox": [10, 10, 40, 40]},
    {"category_id": 1, "bbox": [45, 10, 40, 40]},
]
SURE = [
    {"category_id": 1, "bbox": [45, 10, 40, 40], "score": 0.9},
    {"category_id": 1, "bbox": [10, 10, 40, 26], "score": 0.4},
    {"category_id": 2, "bbox": [10, 60, 30, 30], "score": 0.99, "image_id": 2},
]


def test_what_lowers_ap_stays_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    """The first cat's only confident neighbour is the second's: moving it there loses its own prediction."""
    run = shaped(tmp_path / "set", [*LOSING, {"category_id": 2, "bbox": [60, 60, 9, 9], "image_id": 2}], SURE)
    queue = review_queue(run, least=0.05, top=None)
    delta = {row["id"]: row["delta_AP"] for row in queue.report["queue"]}
    losing = [name for name, gain in delta.items() if gain < 0]
    assert losing == ["badly-located:1"]
    target, settings = tmp_path / "patched.json", Settings()

    def ap() -> float:
        found: float = report_of(load_tables(target, tmp_path / "set" / "predictions.json"), settings)["metrics"]["AP"]
        return found

    done = write_patch(run, queue, None, target)
    assert (done["accepted"], done["left_out"]) == (len(delta) - 1, 1)
    assert done["AP"] == pytest.approx(ap(), abs=1e-12)
    assert done["AP"] > queue.report["AP"]
    every = write_patch(run, queue, None, target, allow_loss=True)
    assert (every["accepted"], every["left_out"]) == (len(delta), 0)
    assert every["AP"] == pytest.approx(ap(), abs=1e-12)
    assert every["AP"] < done["AP"]
    named = write_patch(run, queue, losing * 2, target)
    assert (named["accepted"], named["left_out"]) == (1, 0)
    assert named["AP"] - queue.report["AP"] == pytest.approx(delta[losing[0]], abs=1e-12)


def test_one_prediction_is_for_one_label(tmp_path: Path) -> None:
    """Either cat gains by moving where the prediction is; with both there would be two labels for one prediction."""
    boxes = [[10, 10, 40, 40], [30, 10, 40, 40]]
    labels = [{"category_id": 1, "bbox": box} for box in boxes]
    run = shaped(tmp_path / "set", labels, [{"category_id": 1, "bbox": [21, 10, 40, 40], "score": 0.9}])
    queue = review_queue(run, least=0.05, top=None)
    delta = {row["id"]: row["delta_AP"] for row in queue.report["queue"]}
    assert len(delta) == 2
    assert min(delta.values()) > 0
    target = tmp_path / "patched.json"
    done = write_patch(run, queue, None, target)
    assert (done["accepted"], done["left_out"], done["competing"]) == (1, 0, 1)
    assert done["AP"] == pytest.approx(queue.report["AP"] + max(delta.values()), abs=1e-12)
    assert [row["bbox"] for row in json.loads(target.read_text())["annotations"]].count([21, 10, 40, 40]) == 1
    named = write_patch(run, queue, list(delta), target)
    assert (named["accepted"], named["competing"]) == (2, 0)


def test_where_may_ask_what_ap_gains(run: Run) -> None:
    every = review_queue(run, least=0.05, top=None).report["queue"]
    middle = sorted(row["delta_AP"] for row in every)[len(every) // 2]
    found = review_queue(run, least=0.05, top=None, where=f"Delta_ap > {middle!r} AND reason = 'overlooked'").report
    expected = [row for row in every if row["delta_AP"] > middle and row["reason"] == "overlooked"]
    assert found["queue"] == expected
    with pytest.raises(UsageError, match="delta_accuracy"):
        review_queue(run, where="delta_accuracy > 0")


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there")
@pytest.mark.parametrize("task", ["bbox", "segm"])
def test_published_results_gain_by_a_patch(task: str, tmp_path: Path) -> None:
    """Where many confident predictions are of the neighbour, all suggestions together lower AP."""
    labels, predictions = DATA / "instances_val2014_100.json", DATA / f"instances_val2014_fake{task}100_results.json"
    settings = Settings(task=task)
    made = score(tmp_path, labels=labels, predictions=(predictions,), metrics=("image.area",), settings=settings)
    scored = open_run(made.path)
    queue = review_queue(scored)
    done = write_patch(scored, queue, None, tmp_path / "patched.json")
    tables = load_tables(tmp_path / "patched.json", predictions, measure=settings.measure)
    assert done["AP"] == pytest.approx(report_of(tables, settings)["metrics"]["AP"], abs=1e-12)
    assert done["AP"] > queue.report["AP"] + 0.005
    assert done["left_out"] == sum(row["delta_AP"] < 0 for row in queue.report["queue"]) > 0


def test_refusals(place: Path, run: Run, tmp_path: Path) -> None:
    queue = review_queue(run, top=3)
    with pytest.raises(UsageError, match="not in the queue"):
        write_patch(run, queue, ["overlooked:0"], tmp_path / "patched.json")
    with pytest.raises(UsageError, match="the label file itself"):
        write_patch(run, queue, None, SAMPLE / "labels.json")
    with pytest.raises(UsageError, match="the report goes to stdout"):
        write_patch(run, queue, None, Path("-"))
    with pytest.raises(UsageError, match="better, worse"):
        review_queue(open_run(place))
    assert list(tmp_path.iterdir()) == []


def test_labels_that_have_changed_are_refused(tmp_path: Path) -> None:
    labels, predictions = tmp_path / "labels.json", tmp_path / "predictions.json"
    labels.write_text((SAMPLE / "labels.json").read_text())
    predictions.write_text((SAMPLE / "predictions" / "better.json").read_text())
    run = score(tmp_path, metrics=("label.area_absolute",), labels=labels, predictions=(predictions,))
    queue = review_queue(run, top=1)
    labels.write_text(labels.read_text() + " ")
    with pytest.raises(InputError, match="has changed since the run"):
        write_patch(run, queue, None, tmp_path / "patched.json")
    labels.unlink()
    with pytest.raises(InputError, match=r"labels.json: the run's label file is not there any more"):
        write_patch(run, queue, None, tmp_path / "patched.json")
    labels.mkdir()
    with pytest.raises(InputError, match=r"a folder of XML files"):
        write_patch(run, queue, None, tmp_path / "patched.json")


def test_issues_alone(run: Run) -> None:
    """Some of what is suspicious, and nothing else, is an issue by ObjectLab's rule: here by the columns of the run."""
    every = review_queue(run, least=0.05, top=None).report
    some = review_queue(run, least=0.05, top=None, issues=True).report
    assert [row for row in every["queue"] if row["issue"]] == some["queue"]
    assert 0 < some["issues"] == some["found"] < every["found"]


SQUARE = [[10, 10, 50, 10, 50, 50, 10, 50]]
MOVED = [[40, 10, 80, 10, 80, 50, 40, 50]]
FAR = [[60, 60, 95, 60, 95, 95, 60, 95]]


def shaped(folder: Path, labels: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> Run:
    folder.mkdir()
    images = [{"id": n, "file_name": f"{n}.png", "width": 99, "height": 99} for n in (1, 2)]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    annotations = [
        {"id": n + 1, "image_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, **one} for n, one in enumerate(labels)
    ]
    document = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(document))
    (folder / "predictions.json").write_text(json.dumps([{"image_id": 1, **one} for one in predictions]))
    return open_run(score(folder, folder / "run", metrics=("label.label_issue", "prediction.label_issue")).path)


def patch_of_each(run: Run, folder: Path) -> dict[str, dict[str, Any]]:
    """Every suggestion accepted alone: the patched labels by reason, AP raised by what was said."""
    queue, made = review_queue(run, least=0.05, top=None), {}
    settings = Settings.from_dict(run.manifest["settings"])
    predictions = Path(run.manifest["inputs"]["predictions predictions"]["path"])
    for row in queue.report["queue"]:
        file = folder / "patched.json"
        write_patch(run, queue, [row["id"]], file)
        after = report_of(load_tables(file, predictions, measure=settings.measure), settings)["metrics"]["AP"]
        assert after - queue.report["AP"] == pytest.approx(row["delta_AP"], abs=1e-12)
        made[row["reason"]] = {**row, "labels": json.loads(file.read_text())["annotations"]}
    return made


def test_masks(tmp_path: Path) -> None:
    from pycocotools import mask

    labels = [
        {"category_id": 1, "segmentation": SQUARE, "kept": "yes"},
        {"category_id": 2, "segmentation": FAR, "bbox": [60, 60, 35, 35], "area": 1225},
        {"category_id": 1, "segmentation": SQUARE},
    ]
    predictions = [
        {"category_id": 1, "score": 0.9, "segmentation": MOVED},
        {"category_id": 1, "score": 0.99, "segmentation": FAR},
        {"image_id": 2, "category_id": 2, "score": 0.97, "segmentation": SQUARE},
    ]
    run = shaped(tmp_path / "set", labels, predictions)
    made = patch_of_each(run, tmp_path)
    assert set(made) == {"overlooked", "wrong category", "badly located", "labelled twice"}
    assert (made["labelled twice"]["suspicion"], len(made["labelled twice"]["labels"])) == (1.0, 2)
    assert made["wrong category"]["labels"][1]["category_id"] == 1
    moved = next(one for one in made["badly located"]["labels"] if one["id"] == made["badly located"]["label_id"])
    assert (moved["bbox"], moved["area"], made["badly located"]["action"]) == ([40, 10, 40, 40], 1600, "change shape")
    assert moved["segmentation"] == made["badly located"]["suggested_segmentation"]
    added = made["overlooked"]["labels"][-1]
    painted = mask.area({**added["segmentation"], "counts": added["segmentation"]["counts"].encode()})
    assert (added["image_id"], added["category_id"], int(painted)) == (2, 2, 1600)


def pose(x: float, y: float, visible: int = 2) -> list[float]:
    return [value for n in range(17) for value in (x + n % 4 * 10, y + n // 4 * 10, float(visible))]


def test_keypoints(tmp_path: Path) -> None:
    """Boxes tell what is overlooked: keypoints are never wholly apart."""
    labels = [
        {"category_id": 1, "keypoints": pose(10, 10), "num_keypoints": 17},
        {"category_id": 1, "keypoints": pose(10, 10), "num_keypoints": 17, "image_id": 2},
    ]
    predictions = [
        {"category_id": 1, "score": 0.9, "keypoints": pose(16, 12)},
        {"category_id": 2, "score": 0.99, "keypoints": pose(10, 10, 1), "image_id": 2},
        {"category_id": 1, "score": 0.97, "keypoints": pose(60, 55, 0)},
    ]
    made = patch_of_each(shaped(tmp_path / "set", labels, predictions), tmp_path)
    assert set(made) == {"overlooked", "wrong category", "badly located"}
    moved = made["badly located"]["labels"][0]
    assert (moved["keypoints"], moved["bbox"], moved["num_keypoints"]) == (pose(16, 12), [10, 10, 40, 40], 17)
    added = made["overlooked"]["labels"][-1]
    assert (added["keypoints"], added["num_keypoints"]) == (pose(60, 55), 17)
    assert made["wrong category"]["labels"][1]["category_id"] == 2


def classes(folder: Path) -> Run:
    """Labels of whole images and the probabilities of a model, as cleanlab was asked about them."""
    labels, rows = record_cleanlab.class_case(7)
    folder.mkdir()
    images = [{"id": n, "file_name": f"{n}.png", "width": 9, "height": 9} for n in range(len(labels))]
    categories = [{"id": n + 1, "name": f"c{n}"} for n in range(len(rows[0]))]
    annotations = [{"id": n, "image_id": n, "category_id": one + 1} for n, one in enumerate(labels)]
    document = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(document))
    found = [
        {"image_id": n, "category_id": row.index(max(row)) + 1, "score": max(row), "probs": row}
        for n, row in enumerate(rows)
    ]
    (folder / "predictions.json").write_text(json.dumps(found))
    metrics = ("label.label_issue", "label.self_confidence", "image.label_issues")
    return open_run(score(folder, folder / "run", metrics=metrics).path)


def test_classes_by_confident_learning(tmp_path: Path) -> None:
    labels, rows = record_cleanlab.class_case(7)
    expected = {n for n, issue in enumerate(RECORDED["7"]) if issue}
    run = classes(tmp_path / "set")
    report = review_queue(run, least=0.0, top=None).report
    issues = [row["label_id"] for row in report["queue"] if row["reason"] == "confident learning"]
    assert set(issues) == expected
    assert [row["label_id"] for row in report["queue"]][: len(issues)] == issues
    assert [row["label_id"] for row in review_queue(run, issues=True).report["queue"]] == issues
    wrong = {n for n, (one, row) in enumerate(zip(labels, rows, strict=True)) if row.index(max(row)) != one}
    assert {row["label_id"] for row in report["queue"]} == wrong
    assert report["accuracy"] == pytest.approx(1 - len(wrong) / len(labels))
    named = run.table("label", ["id", "label_issue"]).to_pylist()
    assert {row["id"] for row in named if row["label_issue"] == "confident learning"} == expected
    assert run.table("image", ["label_issues"])["label_issues"].to_pylist() == [
        int(n in expected) for n in range(len(labels))
    ]
    queue = review_queue(run, top=None, issues=True)
    done = write_patch(run, queue, None, tmp_path / "patched.json")
    assert done["accuracy"] == pytest.approx(queue.report["accuracy"] + len(expected) / len(labels))
    patched = json.loads((tmp_path / "patched.json").read_text())["annotations"]
    changed = {n: row["category_id"] - 1 for n, row in enumerate(patched) if row["category_id"] - 1 != labels[n]}
    assert changed == {n: rows[n].index(max(rows[n])) for n in expected}


def test_classes_without_probabilities_are_refused(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.png", "width": 9, "height": 9} for n in (1, 2)]
    labels = {"images": images, "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}
    own = [{"id": n, "image_id": n, "category_id": n} for n in (1, 2)]
    (tmp_path / "labels.json").write_text(json.dumps({**labels, "annotations": own}))
    (tmp_path / "predictions.json").write_text(json.dumps([{**one, "score": 0.9} for one in own]))
    run = open_run(score(tmp_path, tmp_path / "run", metrics=("image.area",)).path)
    with pytest.raises(InputError, match="no class probabilities"):
        review_queue(run)


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    labels = {"images": [{"id": 1, "width": 99, "height": 99}], "categories": [{"id": 1, "name": "a"}]}
    turned = {"id": 1, "image_id": 1, "category_id": 1, "rotated_box": [30, 30, 20, 10, 30]}
    (tmp_path / "labels.json").write_text(json.dumps({**labels, "annotations": [turned]}))
    (tmp_path / "predictions.json").write_text(json.dumps([{**turned, "score": 0.9}]))
    run = open_run(score(tmp_path, tmp_path / "run").path)
    with pytest.raises(InputError, match="is of task obb, a review is of bbox, segm, keypoints"):
        review_queue(run)
