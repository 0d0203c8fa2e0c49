"""Who may do what: each role at its own site, and nobody at another's."""

from typing import Any
from uuid import uuid4

import pytest

from shared.auth.permissions import COURSE_READERS, EVERYBODY
from shared.kernel.actor import Role
from tests.services.efficacy.api.trial import BURDEN, Trial
from tests.services.efficacy.domain.builders import a_baseline, a_correction, a_lesion, an_id

RECORDERS = {Role.INVESTIGATOR, Role.RADIOLOGIST, Role.COORDINATOR, Role.SYSTEM}
JUDGES = {Role.INVESTIGATOR, Role.RADIOLOGIST}
READERS = {*COURSE_READERS, Role.RADIOLOGIST}
LESION, ASSESSMENT = f"/lesions/{an_id('T01')}", f"/assessments/{an_id('month 1')}"
WHY: dict[str, Any] = {"reason": "Only to see who may"}

CHANGES: list[tuple[str, dict[str, Any], set[Role]]] = [
    ("/lesions", a_lesion("NT01", role="non-target").model_dump(mode="json"), RECORDERS),
    ("/assessments", a_baseline().model_dump(mode="json"), RECORDERS),
    (f"{LESION}/correct", a_lesion().model_dump(mode="json") | WHY, RECORDERS),
    (f"{LESION}/retract", WHY, JUDGES),
    (f"{ASSESSMENT}/correct", a_correction().model_dump(mode="json"), RECORDERS),
    (f"{ASSESSMENT}/retract", WHY, JUDGES),
    (f"{ASSESSMENT}/override-response", WHY | {"response": "SD"}, JUDGES),
    (f"{ASSESSMENT}/withdraw-override", WHY, JUDGES),
]
READS = ["/tumour-burden", "/tumour-burden/history", LESION, ASSESSMENT]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_changes_are_for_those_who_read_images_or_enter_data(trial: Trial, role: Role) -> None:
    for path, body, allowed in CHANGES:
        answer = await trial.post(path, body, role, If_Match='"1"')
        assert (answer.status_code == 403) == (role not in allowed), (path, answer.text)


@pytest.mark.parametrize("role", EVERYBODY)
async def test_who_follows_courses_or_reads_images_reads_their_own_sites(trial: Trial, role: Role) -> None:
    await trial.progressed()
    for path in READS:
        assert (await trial.get(path, role)).status_code == (200 if role in READERS else 403)


@pytest.mark.parametrize("role", [each for each in EVERYBODY if each is not Role.SPONSOR])
async def test_another_sites_participant_does_not_exist(trial: Trial, role: Role) -> None:
    await trial.progressed()
    for path in READS:
        answer = await trial.get(path, role, site="SIRIRAJ")
        said = (404, "no-such-participant") if role in READERS else (403, "forbidden")
        assert (answer.status_code, answer.json()["type"]) == said
    for path, body, allowed in CHANGES:
        answer = await trial.post(path, body, role, "SIRIRAJ", If_Match='"4"')
        assert answer.status_code == (404 if role in allowed else 403)


async def test_a_participant_not_known_yet_is_not_found(trial: Trial) -> None:
    path = BURDEN.rsplit("/", 1)[0] + f"/{uuid4()}/lesions"
    body = a_lesion().model_dump(mode="json")
    answer = await trial.client.post(path, json=body, headers=trial.headers())
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
    assert "try again" in answer.json()["detail"]


async def test_nobody_without_a_token(trial: Trial) -> None:
    assert (await trial.client.get(f"{BURDEN}/tumour-burden")).status_code == 401
