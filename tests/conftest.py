"""Settings every test shares."""

import os

from hypothesis import HealthCheck, settings

# On a developer's machine every run looks for new examples; in CI the same commit gives the same verdict.
settings.register_profile(
    "qm", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("qm")
