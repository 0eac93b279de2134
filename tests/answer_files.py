"""Small files of answers, written for real, and what the command line says about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from qm_cli import main
from qm_cli.answers import Answers
from qm_cli.load_answers import AnswerSource, load_answers
from tests.input_files import write

Row = dict[str, Any]


def document(rows: list[Row], categories: list[Any], count: int = 3, **more: Any) -> Row:
    """Data rows 1 … count, categories by name (ids from 1) or as given, and annotations."""
    named = [one if isinstance(one, dict) else {"id": n + 1, "name": one} for n, one in enumerate(categories)]
    return {"data_rows": [{"id": n + 1} for n in range(count)], "categories": named, "annotations": rows, **more}


def label(row: Any, category: Any, **more: Any) -> Row:
    return {"data_row_id": row, "category": category, **more}


def lines(rows: list[Row]) -> str:
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def load(
    folder: Path, labels: Any, predictions: Any, names: tuple[str, str] = ("labels.json", "p.jsonl"), **how: Any
) -> Answers:
    """The linked answers of two files; a list of predictions becomes JSON lines."""
    content = lines(predictions) if isinstance(predictions, list) else predictions
    source = AnswerSource(write(folder / names[0], labels), write(folder / names[1], content), **how)
    return load_answers(source)


def class_names(count: int) -> list[str]:
    return [f"c{n}" for n in range(count)]


def random_classes(rows: int, count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """True classes, and probabilities that favour them."""
    random = np.random.default_rng(seed)
    true = random.integers(0, count, rows)
    values = random.random((rows, count)) ** 3
    values[np.arange(rows), true] += random.random(rows)
    return true, values / values.sum(1, keepdims=True)


def report(capsys: pytest.CaptureFixture[str], *arguments: object, command: str = "evaluate") -> dict[str, Any]:
    assert main.run([command, *map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    loaded: dict[str, Any] = json.loads(capsys.readouterr().out)
    return loaded


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that a refused command says."""
    assert main.run(["evaluate", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    return captured.err


def codes(found: dict[str, Any]) -> dict[str, int]:
    return {finding["code"]: finding["count"] for finding in found["findings"]}
