"""A participant who is handed over: every endpoint of every service shows them at the new site, and not at the old."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx
import pytest

from services.loading.sending import ON_THE_WAY
from shared.kernel.actor import Role
from tests.architecture.declared import roles
from tests.flows import course
from tests.flows.carried_out import copied_to
from tests.flows.embedded import embedded_trial
from tests.flows.endpoints import ENDPOINTS, About
from tests.flows.trial import Trial
from tests.flows.waiting import until

FROM, TO = ("CU",), ("KKU",)
ABOUT = [
    key
    for key, endpoint in sorted(ENDPOINTS.items())
    if key.startswith("GET ") and "{participant_id}" in key and endpoint.about is About.PARTICIPANT
]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Iterator[Trial]:
    """One participant with a whole course at one site, handed over to another."""
    with embedded_trial(copied_to(tmp_path_factory.mktemp("embedded"), run_folder)) as running:
        site = {"site_id": "KKU", "name": "Khon Kaen", "country": "TH", "time_zone": "Asia/Vientiane"}
        running.command("/enrollment/v1/sites", site, role=Role.SPONSOR, sites=("*",))
        path = f"/enrollment/v1/participants/{course.an_id('CU', 'main')}"
        version = partial(course.version_of, running, f"{path}/transfer", "CU", Role.SPONSOR)
        moved = {"to_site": "KKU", "transferred_on": "2026-01-05", "reason": "The family moved to Khon Kaen"}
        answer = running.command(f"{path}/transfer", moved, role=Role.SPONSOR, sites=("*",), version=version)
        for service in ("safety", "efficacy", "biomarkers"):
            until(f"{service} has heard of it", partial(_is_there, running, service))
        running.read(f"/trial/v1/participants?wait_for={answer.headers['Trial-Position']}")
        yield running


LISTS = ("participants", "adverse-events", "sae-worklist", "safety-reconciliation", "visits", "specimens", "deviations")
LOOKS = {"safety": "candidates", "efficacy": "tumour-burden", "biomarkers": "specimens"}


def _is_there(trial: Trial, service: str) -> bool:
    path = f"/{service}/v1/participants/{course.an_id('CU', 'main')}/{LOOKS[service]}"
    return trial.get(path, sites=TO).status_code == 200


@pytest.mark.parametrize("key", ABOUT)
def test_access_moves_with_the_participant(trial: Trial, key: str) -> None:
    path = course.Step(key).path("CU")
    for role in sorted(roles(key) - {Role.SPONSOR})[:2]:
        before, now = (trial.get(path, role=role, sites=sites) for sites in (FROM, TO))
        assert (before.status_code, now.status_code) == (404, 200), f"{role}: {before.text} {now.text}"


def test_lists_follow(trial: Trial) -> None:
    who = course.an_id("CU", "main")
    for name in LISTS:
        assert who not in trial.get(f"/trial/v1/{name}", sites=FROM).text, name
        assert who in trial.get(f"/trial/v1/{name}", sites=TO).text, name
    (own,) = trial.read("/trial/v1/participants", sites=TO)["items"]
    assert (own["participant_id"], own["site_id"], own["subject_number"]) == (who, "KKU", "CU-001")


def test_the_new_site_records_and_the_old_one_cannot(trial: Trial) -> None:
    usual = ENDPOINTS["POST /safety/v1/adverse-events"].body
    assert isinstance(usual, Mapping)
    ids = {"participant_id": course.an_id("CU", "main"), "adverse_event_id": course.an_id("CU", "moved")}
    event = {**usual, **ids}
    refused = until(
        "safety no longer takes it from the old site",
        lambda: _refusal(trial.call("POST", "/safety/v1/adverse-events", event, role=Role.INVESTIGATOR, sites=FROM)),
    )
    assert refused in ON_THE_WAY
    taken = trial.call("POST", "/safety/v1/adverse-events", event, role=Role.INVESTIGATOR, sites=TO)
    assert taken.status_code == 201, taken.text


def _refusal(answer: httpx.Response) -> str | None:
    return answer.json()["type"] if answer.status_code == 404 else None
