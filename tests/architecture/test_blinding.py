"""Who reads images or samples learns from no endpoint what happened to a child meanwhile."""

import pytest

from shared.kernel.actor import Role
from tests.architecture.declared import roles
from tests.flows.endpoints import ENDPOINTS

OPEN = {
    "GET /enrollment/v1/sites/{site_id}",
    "GET /enrollment/v1/sites/{site_id}/history",
    "GET /safety/v1/ctcae/terms",
    "GET /safety/v1/ctcae/terms/{meddra_code}",
    "GET /safety/v1/ctcae/socs",
    "GET /trial/v1/protocol",
    "GET /trial/v1/visits",
    "GET /trial/v1/participants/{participant_id}/visits",
}


# What a laboratory knows of itself: its codes and ranges, and the rows that it sent and nobody could read.
LABORATORIES = {
    "GET /safety/v1/laboratories/{laboratory_id}",
    "GET /safety/v1/laboratories/{laboratory_id}/history",
    "GET /safety/v1/lab-results/quarantine",
}


@pytest.mark.parametrize(("role", "own"), [(Role.RADIOLOGIST, "/efficacy/"), (Role.LABORATORY, "/biomarkers/")])
def test_they_read_what_they_measured_and_what_they_plan_by_and_nothing_else(role: Role, own: str) -> None:
    read = {key for key in ENDPOINTS if key.startswith("GET ") and role in roles(key)}
    theirs = {key for key in ENDPOINTS if key.startswith(f"GET {own}")}
    assert theirs
    beside = LABORATORIES if role is Role.LABORATORY else set()
    assert read == OPEN | theirs | beside
