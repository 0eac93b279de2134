"""What the screen shows of classes and text entities is in the report, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qm_cli.answer_evaluation import AnswerRequest, evaluate_answer_files
from qm_cli.load_answers import AnswerSource
from qm_cli.render.terminal import shown
from qm_cli.render.terminal_classification import show_answers
from tests.answer_files import document, label, lines
from tests.input_files import write
from tests.render.screens import unwrapped

CLASSES = [label(1, "[red]a"), label(2, "b"), label(3, "[red]a")]
PROBABLE = [{"id": 1, "probs": [0.9, 0.1]}, {"id": 2, "probs": [0.7, 0.3]}]


def screen(folder: Path, labels: Any, answers: list[Any], capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    source = AnswerSource(write(folder / "l.json", labels), write(folder / "p.jsonl", lines(answers)))
    _, report = evaluate_answer_files(AnswerRequest(source))
    show_answers(report)
    return report, capsys.readouterr().out


def test_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, text = screen(tmp_path, document(CLASSES, ["[red]a", "b"]), PROBABLE, capsys)
    assert text.startswith("classification, convention sklearn: 3 data rows, 3 labels, 2 predictions")
    assert "at confidence 0" in text
    assert "[red]a" in text
    for name, value in report["metrics"].items():
        assert shown(value) in text, name


def test_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [label(1, "a", question="x"), label(1, "b", question="[y]"), label(1, "a", question="[y]")]
    answers = [{"id": 1, "category": "a", "question": "x"}]
    report, text = screen(tmp_path, document(rows, ["a", "b"], 1), answers, capsys)
    assert "question x, radio" in text
    assert "question [y], checklist" in text
    assert "hamming_loss" in text
    assert all(note in unwrapped(text) for note in report["notes"])


def test_text_entities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [label(1, "a", start=0, end=4)]
    report, text = screen(tmp_path, document(rows, ["a", "b"]), [{"id": 1, "category": "b", "span": [0, 4]}], capsys)
    assert text.startswith("text, convention coco: 3 data rows, 1 labels, 1 predictions")
    assert "at IoU 0.5, confidence 0.5" in text
    assert "exact" in text
    assert "most confused" in text
    assert report["metrics"]["precision"] == 0


def test_more_categories_than_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"c{n}" for n in range(25)]
    _, text = screen(tmp_path, document([label(1, "c0")], names), [{"id": 1, "category": "c0"}], capsys)
    assert "… and 5 more categories" in text
