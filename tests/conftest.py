"""Settings every test shares."""

from hypothesis import HealthCheck, settings

settings.register_profile("qm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qm")
