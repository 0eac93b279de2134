from __future__ import annotations

import pytest

from qm_cli.render.terminal_similar import show_similar


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    item = {"place": 1, "id": 1234567, "file_name": "[red]a[/red].png", "distance": 0.000012}
    report = {"level": "image", "to": "[bold]7", "embedder": "descriptor", "items": [item]}
    show_similar(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "images most like [bold]7, by descriptor; distance: 1 − cosine, 0 is alike"
    assert lines[2].split() == ["1", "1234567", "[red]a[/red].png", "0.00001"]
    show_similar({**report, "items": []})
    assert "nothing else has an embedding" in capsys.readouterr().out
