"""Import files of labelling tools from a run: the images in their order, pre-annotations, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from qm_cli import labelling
from qm_cli.batch import Batch
from qm_cli.errors import InputError, UsageError
from qm_cli.ranking import Answer, Ranking, rank
from qm_cli.run import score
from qm_cli.run_folder import Run
from qm_cli.selection import Choice
from tests.made_run import write_run
from tests.pictures import write_pictures


def import_file(answer: Answer, format: str, image_url: str | None) -> str:
    return "".join(labelling.import_file(answer, format, image_url))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = write_pictures(tmp_path_factory.mktemp("pictures") / "set", predictions=True)
    return score(folder, metrics=("entropy",))


@pytest.fixture(scope="module")
def answer(run: Run) -> Answer:
    """Predictions score .3 + n / 20; those of .5 and more are pre-annotations."""
    return rank(Ranking(run.path, Choice(column="entropy", top=3), Batch()), run, run)


def test_coco_is_what_pycocotools_reads(answer: Answer, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    file = tmp_path / "subset.json"
    file.write_text(import_file(answer, "coco", None))
    coco = COCO(str(file))
    ids = answer.selection.table["id"].to_pylist()
    assert [image["id"] for image in coco.dataset["images"]] == ids
    assert {one["image_id"] for one in coco.dataset["annotations"]} <= set(ids)
    assert len(coco.getAnnIds(imgIds=ids[:1])) == 2
    assert coco.loadCats([1])[0]["name"] == "cat"


def test_pre_annotations_are_those_from_the_confidence_on(answer: Answer, run: Run) -> None:
    tasks = json.loads(import_file(answer, "label-studio", None))
    root = ElementTree.fromstring(import_file(answer, "cvat", None))
    lines = import_file(answer, "labelbox-predictions", None).splitlines()
    ids = answer.selection.table["id"].to_pylist()
    rows = run.table("prediction", ["image_id", "score"]).to_pylist()
    expected = [sum(row["image_id"] == one and row["score"] >= 0.5 for row in rows) for one in ids]
    assert [sum(len(part["result"]) for part in task.get("predictions", [])) for task in tasks] == expected
    assert [len(image.findall("box")) for image in root.findall("image")] == expected
    assert len(lines) == sum(expected)
    assert sum(expected) > 0


def test_urls(answer: Answer) -> None:
    tasks = json.loads(import_file(answer, "label-studio", None))
    name = answer.selection.table["file_name"][0].as_py()
    assert tasks[0]["data"]["image"] == f"/data/local-files/?d={name}"
    rows = json.loads(import_file(answer, "labelbox", "https://bucket/{file_name}?i={id}"))
    assert rows[0]["row_data"] == f"https://bucket/{name}?i={answer.selection.table['id'][0].as_py()}"
    for url in (None, "s3://bucket/{file_name}"):
        with pytest.raises(UsageError, match="fetches images by URL"):
            import_file(answer, "labelbox", url)
    refused = {
        "{name}": "{name} is not known",
        "{}": "{} is not known",
        "{file_name.foo}": "{file_name.foo} is not known",
        "{id:>9999999999}": "{id} is not known",
        "{id!r}": "{id} is not known",
        "{": "Single '{'",
        "x.jpg": "is the same for every image",
        "{{id}}": "is the same for every image",
    }
    for url, told in refused.items():
        with pytest.raises(UsageError, match=re.escape(told)) as caught:
            import_file(answer, "labelbox", f"https://bucket/{url}")
        assert "use {file_name} or {id}" in caught.value.hint


def test_sizes_that_are_not_known(tmp_path: Path) -> None:
    from qm_cli.run_folder import open_run

    made = open_run(write_run(tmp_path / "run"))
    answer = rank(Ranking(made.path, Choice(top=2), Batch()), made, made)
    with pytest.raises(InputError, match="its size is not known"):
        import_file(answer, "cvat", None)
    assert "predictions" not in json.loads(import_file(answer, "label-studio", None))[0]


OUTLINE = [[10, 10, 50, 10, 50, 50, 10, 50]]
KEYPOINTS = [12.0, 13.0, 2.0] * 17


def shaped(folder: Path, shape: dict[str, Any]) -> Answer:
    """One image with a label and two predictions of a shape, the second of them outside it."""
    folder.mkdir()
    image = {"id": 1, "file_name": "a.png", "width": 99, "height": 99}
    categories = [{"id": 1, "name": "cat"}]
    label = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, **shape}
    document = {"images": [image], "categories": categories, "annotations": [label]}
    (folder / "labels.json").write_text(json.dumps(document))
    found = [{"image_id": 1, "category_id": 1, "score": score, **shape} for score in (0.9, 0.4)]
    (folder / "predictions.json").write_text(json.dumps(found))
    made = score(folder, folder / "run", metrics=("image.entropy",))
    return rank(Ranking(made.path, Choice(top=1), Batch()), made, made)


def test_masks_go_to_every_tool(tmp_path: Path) -> None:
    answer = shaped(tmp_path / "set", {"segmentation": OUTLINE})
    assert json.loads(import_file(answer, "coco", None))["annotations"][0]["segmentation"] == OUTLINE
    root = ElementTree.fromstring(import_file(answer, "cvat", None))
    masks = [(one.attrib["left"], one.attrib["width"]) for one in root.iterfind("image/mask")]
    assert masks == [("10", "40")]
    (task,) = json.loads(import_file(answer, "label-studio", None))
    assert [one["type"] for one in task["predictions"][0]["result"]] == ["brushlabels"]
    (line,) = import_file(answer, "labelbox-predictions", None).splitlines()
    assert set(json.loads(line)["mask"]) == {"png"}


def test_keypoints_go_where_there_is_a_shape_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pose = {"keypoints": [value + (place // 3 if place % 3 < 2 else 0) for place, value in enumerate(KEYPOINTS)]}
    answer = shaped(tmp_path / "set", pose)
    (label,) = json.loads(import_file(answer, "coco", None))["annotations"]
    assert (label["keypoints"], label["num_keypoints"]) == (pose["keypoints"], 17)
    points = ElementTree.fromstring(import_file(answer, "cvat", None)).find("image/points")
    assert points is not None
    assert points.attrib["points"].startswith("12.00,13.00;13.00,14.00;")
    capsys.readouterr()
    (line,) = import_file(answer, "labelbox-predictions", None).splitlines()
    assert json.loads(line)["bbox"] == {"left": 12, "top": 13, "width": 16, "height": 16}
    assert "no shape for keypoints" in capsys.readouterr().err


def answering(folder: Path, questions: dict[str, str]) -> Answer:
    """Rows of answers by Labelbox, each with the confidences of its answers; the last has no label for its own."""
    folder.mkdir()

    def line(row: str, question: str, answers: dict[str, float], own: bool) -> str:
        options = [{"name": name} | ({} if own else {"confidence": c}) for name, c in answers.items()]
        shown = options if questions[question] == "checklist" else options[0]
        return json.dumps({"name": question, "answer": shown, "dataRow": {"globalKey": row}}) + "\n"

    rows = [
        ("row 1", "sky", {"rain": 0.4}),
        ("row 1", "sky", {"sun": 0.3}),
        ("row 1", "things", {"cat": 0.9, "dog": 0.6, "cow": 0.2}),
        ("row 2", "sky", {"sun": 0.8}),
        ("row 2", "things", {"cow": 0.4}),
        ("row 3", "things", {"dog": 0.7}),
    ]
    labels = [row for row in rows if row[0] != "row 3" and "sun" not in row[2]]
    labels += [(row, "sky", {"sun": 1.0}) for row in ("row 2", "row 3")]
    (folder / "labels.ndjson").write_text("".join(line(*row, own=True) for row in labels))
    (folder / "predictions.ndjson").write_text("".join(line(*row, own=False) for row in rows))
    made = score(folder, folder / "run", metrics=("image.entropy",))
    return rank(Ranking(made.path, Choice(), Batch()), made, made)


def test_answers_are_those_that_the_evaluation_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a radio question the most confident, of a checklist those from .5 on; rows without a file name by id."""
    answer = answering(tmp_path / "set", {"sky": "radio", "things": "checklist"})
    lines = [json.loads(line) for line in import_file(answer, "labelbox-predictions", None).splitlines()]
    assert "qm: 5 answers as pre-annotations" in capsys.readouterr().err
    told = [(line["dataRow"]["globalKey"], line["name"], line["answer"]) for line in lines]
    assert told == [
        ("row 1", "sky", {"name": "rain"}),
        ("row 1", "things", [{"name": "cat", "confidence": 0.9}, {"name": "dog", "confidence": 0.6}]),
        ("row 2", "sky", {"name": "sun"}),
        ("row 3", "things", [{"name": "dog", "confidence": 0.7}]),
    ]
    tasks = json.loads(import_file(answer, "label-studio", "https://bucket/{id}.jpg"))
    assert [task["data"]["image"] for task in tasks] == [f"https://bucket/row%20{n}.jpg" for n in (1, 2, 3)]
    choices = [result["value"]["choices"] for task in tasks for result in task["predictions"][0]["result"]]
    assert choices == [["rain"], ["cat", "dog"], ["sun"], ["dog"]]
    assert [row["global_key"] for row in json.loads(import_file(answer, "labelbox", "https://b/{id}"))] == [
        f"row {n}" for n in (1, 2, 3)
    ]
    assert len(json.loads(import_file(answer, "coco", None))["images"]) == 3


def test_images_without_a_file_name_have_a_way_out(tmp_path: Path) -> None:
    answer = answering(tmp_path / "set", {"sky": "radio", "things": "checklist"})
    for url in (None, "https://bucket/{file_name}"):
        with pytest.raises(InputError, match=r"3 of the images have no file name \(first: row 1\)") as caught:
            import_file(answer, "label-studio", url)
        assert "--image-url 'https://…/{id}.jpg'" in caught.value.hint
    for format in ("cvat", "cvat-manifest"):
        with pytest.raises(InputError, match="by which CVAT knows them"):
            import_file(answer, format, None)


def test_portions_are_the_whole(answer: Answer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    every = rank(Ranking(run.path, Choice(), Batch()), run, run)
    for one in (answer, every):
        for format in labelling.WRITERS:
            url = "https://b/{file_name}"
            monkeypatch.setattr(labelling, "PORTION", 1)
            small = import_file(one, format, url)
            monkeypatch.setattr(labelling, "PORTION", 1000)
            assert import_file(one, format, url) == small


def test_without_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pictures(tmp_path / "set")
    made = score(folder, metrics=("image.area",))
    answer = rank(Ranking(made.path, Choice(), Batch()), made, made)
    with pytest.raises(InputError, match="no predictions to write"):
        import_file(answer, "labelbox-predictions", None)
    assert all("predictions" not in task for task in json.loads(import_file(answer, "label-studio", None)))
    assert "no predictions as pre-annotations" in capsys.readouterr().err


def test_several_models(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "set", predictions=True)
    first = folder / "predictions.json"
    (folder / "other.json").write_bytes(first.read_bytes())
    made = score(folder, predictions=(first, folder / "other.json"), metrics=("image.area",))
    answer = rank(Ranking(made.path, Choice(), Batch()), made, made)
    for format in labelling.WITH_PREDICTIONS:
        with pytest.raises(UsageError, match="holds the models predictions, other"):
            import_file(answer, format, None)
    assert json.loads(import_file(answer, "coco", None))["annotations"]
