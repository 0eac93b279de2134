"""Files of this machine and of an object store: a real S3 API on loopback, moto's server."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from qm_cli import dataset, main, run, storage
from qm_cli.errors import InputError
from qm_cli.load import load_tables
from qm_cli.run_folder import open_run
from tests.photo_sets import fingerprints, photo_set


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URI of a bucket at a server of this test's own, as a user would write it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        from pyarrow.fs import S3FileSystem

        S3FileSystem(endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True).create_dir("bucket")
        yield "s3://bucket"
    server.stop()


def test_a_uri_survives_path() -> None:
    assert storage.uri_of(Path("s3://bucket/a b/c")) == "s3://bucket/a b/c"
    assert storage.uri_of(Path("file:///tmp/x")) == "file:///tmp/x"
    assert [storage.uri_of(text) for text in ("images", "/images", "C:/images", "a:b/c")] == [None] * 4


def test_names_and_links_that_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "a.png").write_bytes(b"x")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "in.png").symlink_to(folder / "a.png")
    (tmp_path / "linked").symlink_to(folder)
    inside = ("a.png", "sub/../a.png", "in.png", str(folder / "a.png"), "none.png")
    for root in (folder, tmp_path / "linked"):
        assert [storage.is_inside(str(root), name) for name in inside] == [True] * 5
    assert not any(storage.is_inside(str(folder), name) for name in ("../secret.png", "out.png", "/etc/passwd", "a\0"))
    assert not any(storage.is_inside("s3://bucket/images", name) for name in ("../secret.png", "sub/../../x", "a\0"))


def test_stamps_tell_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    os.utime(tmp_path / "a.png", ns=(7, 7))
    assert storage.stamps(str(tmp_path), ["a.png", "none.png", None]) == [(1, 7), None, None]


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    """Opening one would wait for ever."""
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(OSError, match="a pipe or a device"):
        storage.read(str(tmp_path), "a.jpg")


def test_names_that_no_store_can_hold(bucket: str, tmp_path: Path) -> None:
    """Each is a finding of its image, as on disk; none ends the run."""
    folder = photo_set(tmp_path / "set", 3)
    document = json.loads((folder / "labels.json").read_text())
    names = ["", "a//b.png", "./0001.png", "sub/", "new\nline.png", "x" * 3000, "ü.png", "/0001.png", "nul\0.png"]
    for name in names:
        document["images"].append({"id": len(document["images"]), "file_name": name, "width": 48, "height": 48})
    (folder / "labels.json").write_text(json.dumps(document))
    storage.send(folder / "images", f"{bucket}/names", "0002.png")
    for resume in (False, True):
        options = {"images": Path(f"{bucket}/names"), "workers": 1, "resume": resume}
        found = run.score(folder, tmp_path / "run", **options)
        assert found.table("image", ["brightness"])["brightness"].null_count >= len(names) - 2


def test_objects_deleted_meanwhile(bucket: str, tmp_path: Path) -> None:
    from pyarrow.fs import FileSystem

    folder = photo_set(tmp_path / "set", 4)
    storage.send(folder / "images", f"{bucket}/meanwhile", "0003.png")
    options = {"images": Path(f"{bucket}/meanwhile"), "workers": 1}
    run.score(folder, tmp_path / "run", **options)
    FileSystem.from_uri(bucket)[0].delete_file("bucket/meanwhile/0002.png")
    found = run.score(folder, tmp_path / "run", resume=True, **options)
    assert found.table("image", ["brightness"])["brightness"].is_null().to_pylist() == [False, False, True, False]
    assert [one["code"] for one in found.summary()["findings"]] == ["image-missing-file"]


def test_an_object_store(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "sub/b.txt", "last.txt"):
        (tmp_path / name).write_text(name)
    storage.send(tmp_path, f"{bucket}/run", "last.txt")
    assert storage.read(f"{bucket}/run", "sub/b.txt") == b"sub/b.txt"
    assert [stamp and stamp[0] for stamp in storage.stamps(f"{bucket}/run", ["a.txt", "none"])] == [5, None]
    assert storage.exists(f"{bucket}/run/a.txt")
    assert not storage.exists(f"{bucket}/run/none")
    storage.fetch_folder(f"{bucket}/run", tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*.txt")) == ["a.txt", "b.txt", "last.txt"]
    storage.fetch(Path(f"{bucket}/run/a.txt"), tmp_path / "fetched")
    assert (tmp_path / "fetched").read_text() == "a.txt"
    with pytest.raises(FileNotFoundError):
        storage.read(f"{bucket}/run", "none.txt")


@pytest.mark.parametrize("name", ["../../escaped.txt", "sub/../../escaped.txt"])
def test_no_name_of_a_store_leads_out_of_the_copy(bucket: str, tmp_path: Path, name: str) -> None:
    import os

    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.put_object(Bucket="bucket", Key=f"evil/{name}", Body=b"x")
    client.put_object(Bucket="bucket", Key="evil/a.txt", Body=b"x")
    with pytest.raises(InputError, match=r"leads out of the folder"):
        storage.fetch_folder(f"{bucket}/evil", tmp_path / "deep" / "copy")
    assert not list(tmp_path.rglob("*.txt"))
    client.delete_object(Bucket="bucket", Key=f"evil/{name}")


def test_file_uris(tmp_path: Path) -> None:
    (tmp_path / "from" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "sub" / "a.txt").write_text("a")
    storage.send(tmp_path / "from", f"file://{tmp_path}/to", "a.txt")
    assert storage.read(f"file://{tmp_path}/to", "sub/a.txt") == b"a"


def test_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nosuch://x/y: .*nosuch"):
        storage.exists("nosuch://x/y")


def test_a_dataset_in_an_object_store_scores_as_one_on_disk(bucket: str, tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 6)
    here = run.score(folder, tmp_path / "here", workers=1)
    storage.send(folder, f"{bucket}/set", "labels.json")
    (tmp_path / "empty").mkdir()
    files = {"labels": Path(f"{bucket}/set/labels.json"), "images": Path(f"{bucket}/set/images")}
    there = run.score(tmp_path / "empty", Path(f"{bucket}/runs/one"), workers=1, shards=3, **files)
    assert fingerprints(there) == fingerprints(here)
    assert there.manifest["images"] == f"{bucket}/set/images"
    with pytest.raises(InputError, match=f"{bucket}/set/none.json: no such file"):
        run.score(tmp_path / "empty", labels=Path(f"{bucket}/set/none.json"))


Qm = Callable[..., tuple[int, str, str]]


@pytest.fixture
def qm(capsys: pytest.CaptureFixture[str]) -> Qm:
    """The command line: exit code, stdout and stderr."""

    def called(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main.run(list(words))
        return code, *capsys.readouterr()

    return called


@pytest.fixture(scope="module")
def stored(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A dataset folder with predictions, embeddings and a qm.toml, here and in the bucket."""
    folder = photo_set(tmp_path_factory.mktemp("stored") / "set", 6)
    labels = json.loads((folder / "labels.json").read_text())["annotations"]
    rows = [{key: one[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9} for one in labels]
    (folder / "predictions").mkdir()
    for name, kept in (("good", rows), ("poor", rows[:2])):
        (folder / "predictions" / f"{name}.json").write_text(json.dumps(kept))
    np.save(folder / "embeddings.npy", np.random.default_rng(0).normal(size=(6, 4)))
    (folder / "qm.toml").write_text('prob_categories = ["thing"]\n')
    storage.send(folder, f"{bucket}/stored", "labels.json")
    return folder, f"{bucket}/stored"


def test_a_dataset_folder_in_a_store_is_found_as_one_on_disk(stored: tuple[Path, str]) -> None:
    here, there = (dataset.find(Path(folder)) for folder in stored)
    assert list(there.predictions) == list(here.predictions) == ["good", "poor"]
    assert there.prob_categories == here.prob_categories == ("thing",)
    for name in ("labels", "images", "embeddings"):
        place = getattr(here, name).relative_to(stored[0])
        assert storage.shown(getattr(there, name)) == f"{stored[1]}/{place}"


def test_a_dataset_folder_in_a_store_scores_into_it(stored: tuple[Path, str], tmp_path: Path) -> None:
    folder, uri = stored
    here, there = run.score(folder, tmp_path / "here", workers=1), run.score(uri, workers=2, shards=3)
    assert fingerprints(there) == fingerprints(here)
    assert storage.is_file(f"{uri}/qm-run/run.json")
    assert there.manifest["inputs"]["labels"] == {"path": f"{uri}/labels.json"}
    assert fingerprints(run.score(uri, tmp_path / "local", workers=1)) == fingerprints(here)


def test_commands_on_a_dataset_folder_in_a_store(bucket: str, stored: tuple[Path, str], qm: Qm, tmp_path: Path) -> None:
    folder, uri = stored[0], f"{bucket}/commands"
    storage.send(folder, uri, "labels.json")
    checked = [json.loads(qm("check", place, "--json")[1]) for place in (str(folder), uri)]
    assert checked[1]["findings"] == checked[0]["findings"]
    assert (checked[1]["rows"], checked[1]["images"]) == (checked[0]["rows"], f"{uri}/images")
    named = ("--model", "good", "-a", "least_confidence")
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert qm("rank", uri, *named)[1] == qm("rank", str(copy), *named)[1] != ""
    evaluated = [qm("evaluate", f"{place}/labels.json", f"{place}/predictions/good.json") for place in (folder, uri)]
    assert evaluated[0][1] == evaluated[1][1] != ""
    assert json.loads(qm("score", uri, "--dry-run", "--json")[1])["files"]["labels"] == f"{uri}/labels.json"
    assert json.loads(qm("leakage", uri, str(copy), "--json")[1])["counts"]["exact"] == 6
    assert qm("score", uri, "--json")[0] == 0
    for words in (("describe",), ("gate", "--min", "recall=0.5", "--model", "good"), ("rank", *named)):
        found = qm(words[0], uri, *words[1:])
        assert found[0] == 0, found


def test_labels_as_a_folder_of_xml_in_a_store(bucket: str, tmp_path: Path) -> None:
    entry = "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object>"
    size = "<size><width>48</width><height>48</height></size>"
    (tmp_path / "set" / "Annotations").mkdir(parents=True)
    for name in ("a", "b"):
        text = f"<annotation><filename>{name}.png</filename>{size}{entry}</annotation>"
        (tmp_path / "set" / "Annotations" / f"{name}.xml").write_text(text)
    storage.send(tmp_path / "set", f"{bucket}/voc", "b.xml")
    found = dataset.find(Path(f"{bucket}/voc"))
    tables = load_tables(found.labels, None)
    assert (tables.count("image"), tables.count("label")) == (2, 2)


def test_images_alone_in_a_store(bucket: str, tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "set", 3)
    (folder / "labels.json").unlink()
    (folder / "images" / ".hidden.png").write_bytes(b"x")
    storage.send(folder, f"{bucket}/alone", "0002.png")
    here, there = run.score(folder, tmp_path / "a", workers=1), run.score(f"{bucket}/alone", tmp_path / "b", workers=1)
    assert fingerprints(here) == fingerprints(there)


def test_what_is_not_there_in_a_store(bucket: str, stored: tuple[Path, str], qm: Qm) -> None:
    cases = {
        f"{bucket}/nowhere": f"{bucket}/nowhere: no such folder",
        f"{stored[1]}/labels.json": f"{stored[1]}/labels.json: a file, not a dataset folder",
        "s3://no-such-bucket/set": "s3://no-such-bucket/set: no such folder",
        f"{stored[1]}/images": f"{stored[1]}/images: no labels, predictions or images found",
    }
    for place, message in cases.items():
        found = qm("score", place)
        assert (found[0], message in found[2]) == (2, True), found


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    folder = photo_set(tmp_path / "a set", 2)
    uri = f"file://{str(folder).replace(' ', '%20')}"
    found = run.score(uri, workers=1)
    assert found.path == folder / "qm-run"
    assert open_run(Path(uri)).path == folder / "qm-run"
    assert fingerprints(found) == fingerprints(run.score(folder, tmp_path / "other", workers=1, resume=True))


def test_a_name_that_is_no_text_has_a_link_that_is(tmp_path: Path) -> None:
    plain = tmp_path / "p.json"
    plain.write_text("[]")
    assert storage.by_text(plain) == plain
    foreign = tmp_path / os.fsdecode(b"p\xff.json")
    assert storage.by_text(foreign) == foreign  # not there: whoever opens it says so
    plain.rename(foreign)
    link = storage.by_text(foreign)
    assert link.read_text() == "[]"
    assert str(link).isascii()
    assert link.suffix == ".json"
    assert storage.by_text(foreign) == link
