"""Settings every test shares."""

import os

import pytest
from hypothesis import HealthCheck, settings

from qm_cli import console

# On a developer's machine every run looks for new examples; in CI the same commit gives the same verdict.
settings.register_profile(
    "qm", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("qm")


@pytest.fixture(autouse=True)
def fresh_mood(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits the --quiet of another."""
    monkeypatch.setattr(console, "mood", console.Mood())
