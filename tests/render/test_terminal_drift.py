"""The terminal shows a drift report's own numbers, what drifted most first."""

from __future__ import annotations

from typing import Any

from qm_cli.render.terminal_drift import show_drift
from tests.render.screens import printed


def row(name: str, ks: float | None, drifted: bool) -> dict[str, Any]:
    side = {"rows": 9, "missing": 0, "median": None if ks is None else 0.5}
    floors = dict.fromkeys(("ks_floor", "wasserstein_floor", "psi_floor"), 0.1)
    return {
        "metric": name,
        "a": side,
        "b": side,
        "ks": ks,
        "p": ks,
        "wasserstein": ks,
        "psi": ks,
        **floors,
        "drifted": drifted,
    }


def test_order_and_numbers() -> None:
    mix = {"level": "label", "psi": 0.3, "psi_floor": 0.1, "total_variation": 0.2, "total_variation_floor": 0.1}
    report = {
        "a": {"target": "one", "model": "m", "images": 1200},
        "b": {"target": "two", "model": None, "images": 8},
        "metrics": [row("image.none", None, False), row("image.low", 0.05, False), row("image.high", 0.5, True)],
        "mixes": [{**mix, "drifted": True}],
        "notes": ["few"],
    }
    lines = printed(show_drift, report).splitlines()
    assert lines[0] == "A one m (1,200 images), B two (8 images)"
    assert [line.split()[0] for line in lines if line.startswith("image.")] == ["image.high", "image.low", "image.none"]
    high = next(line.split() for line in lines if line.startswith("image.high"))
    assert high == ["image.high", "0.5", "0.5", "0.5", "(0.1)", "0.5000", "0.5", "(0.1)", "drift"]
    assert "categories of labels" in "\n".join(lines)
    assert lines[-1] == "2 of 4 above the noise floor"
