"""Who reads images or samples learns from no endpoint what happened to a child meanwhile."""

import pytest

from shared.auth.permissions import COURSE_READERS
from shared.kernel.actor import Role
from tests.architecture.declared import roles
from tests.flows.course import READ
from tests.flows.endpoints import ENDPOINTS

OPEN = {
    "GET /enrollment/v1/sites/{site_id}",
    "GET /enrollment/v1/sites/{site_id}/history",
    "GET /enrollment/v1/sites/{site_id}/consent-documents",
    "GET /enrollment/v1/sites/{site_id}/consent-documents/history",
    "GET /efficacy/v1/criteria",
    "GET /safety/v1/ctcae/terms",
    "GET /safety/v1/ctcae/terms/{meddra_code}",
    "GET /safety/v1/ctcae/socs",
    "GET /trial/v1/protocol",
    "GET /trial/v1/visits",
    "GET /trial/v1/participants/{participant_id}/visits",
    "GET /trial/v1/participants/{participant_id}/schedule",
    "GET /trial/v1/sites/{site_id}/schedule",
    "GET /trial/v1/sites/{site_id}/calendar.ics",
}


# What a laboratory knows of itself: its codes and ranges, and the rows that it sent and nobody could read.
LABORATORIES = {
    "GET /safety/v1/laboratories/{laboratory_id}",
    "GET /safety/v1/laboratories/{laboratory_id}/history",
    "GET /safety/v1/lab-results/quarantine",
}


INDEPENDENT = {key for key in ENDPOINTS if "/independent-reads/" in key}
REVIEW = {f"GET {READ}/review", f"POST {READ}/adjudicate"}


def test_blinded_readers_have_their_own_reading_and_no_other_endpoint() -> None:
    assert len(INDEPENDENT) == 10
    for reader in (Role.INDEPENDENT_READER_1, Role.INDEPENDENT_READER_2):
        assert {key for key in ENDPOINTS if reader in roles(key)} == INDEPENDENT - REVIEW
    assert {key for key in ENDPOINTS if Role.ADJUDICATOR in roles(key)} == REVIEW


def test_the_review_is_read_by_those_who_read_courses_and_not_by_whoever_reads_images() -> None:
    assert roles(f"GET {READ}/review") == {*COURSE_READERS, Role.ADJUDICATOR}


@pytest.mark.parametrize(("role", "own"), [(Role.RADIOLOGIST, "/efficacy/"), (Role.LABORATORY, "/biomarkers/")])
def test_they_read_what_they_measured_and_what_they_plan_by_and_nothing_else(role: Role, own: str) -> None:
    read = {key for key in ENDPOINTS if key.startswith("GET ") and role in roles(key)}
    theirs = {key for key in ENDPOINTS if key.startswith(f"GET {own}")} - INDEPENDENT - OPEN
    assert theirs
    beside = LABORATORIES | {"GET /trial/v1/specimens"} if role is Role.LABORATORY else set()
    assert read == OPEN | theirs | beside


@pytest.mark.parametrize("role", [Role.MANUFACTURING, Role.QUALITY])
def test_who_makes_the_product_reads_its_chain_and_nothing_else_of_a_child(role: Role) -> None:
    read = {key for key in ENDPOINTS if key.startswith("GET ") and role in roles(key)}
    assert {key for key in read if "/product" in key} == read - OPEN
    assert len(read - OPEN) > 1
