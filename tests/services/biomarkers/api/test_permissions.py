"""Who may do what: each role at its own site, and nobody at another's."""

from typing import Any
from uuid import uuid4

import pytest

from shared.auth.permissions import COURSE_READERS, EVERYBODY
from shared.kernel.actor import Role
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import PARTICIPANT, a_cytokine_report, a_flow_report, a_transgene_report

RECORDERS = {Role.LABORATORY, Role.COORDINATOR, Role.SYSTEM}
CORRECTORS = {Role.LABORATORY, Role.INVESTIGATOR}
READERS = {*COURSE_READERS, Role.LABORATORY}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/flow-results", a_flow_report()),
    ("/v1/transgene-results", a_transgene_report()),
    ("/v1/cytokine-panels", a_cytokine_report()),
]
WHY = {"reason": "Only to see who may"}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize(("kind", "report"), KINDS)
async def test_each_role_may_do_what_is_its_own(trial: Trial, role: Role, kind: str, report: dict[str, Any]) -> None:
    path = await trial.record(kind, report)
    recording = await trial.post(kind, {"participant_id": str(PARTICIPANT), **report}, role)
    assert recording.status_code == (201 if role in RECORDERS else 403)
    correcting = await trial.post(f"{path}/correct", {**report, **WHY}, role, If_Match='"1"')
    assert correcting.status_code == (200 if role in CORRECTORS else 403)
    cancelling = await trial.post(f"{path}/cancel", {"ground": "cancelled", **WHY}, role, If_Match='"1"')
    assert cancelling.status_code == (200 if role in CORRECTORS else 403)
    for suffix in ("", "/history"):
        reading = await trial.get(f"{path}{suffix}", role)
        assert reading.status_code == (200 if role in READERS else 403)


@pytest.mark.parametrize("role", [each for each in EVERYBODY if each is not Role.SPONSOR])
@pytest.mark.parametrize(("kind", "report"), KINDS)
async def test_another_sites_participant_does_not_exist(
    trial: Trial, role: Role, kind: str, report: dict[str, Any]
) -> None:
    path = await trial.record(kind, report)
    recording = await trial.post(kind, {"participant_id": str(PARTICIPANT), **report}, role, "SIRIRAJ")
    assert recording.status_code == (404 if role in RECORDERS else 403)
    correcting = await trial.post(f"{path}/correct", {**report, **WHY}, role, "SIRIRAJ", If_Match='"1"')
    assert correcting.status_code == (404 if role in CORRECTORS else 403)
    for suffix in ("", "/history"):
        reading = await trial.get(f"{path}{suffix}", role, "SIRIRAJ")
        assert reading.status_code == (404 if role in READERS else 403)


@pytest.mark.parametrize(("kind", "report"), KINDS)
async def test_a_participant_not_known_yet_is_not_found(trial: Trial, kind: str, report: dict[str, Any]) -> None:
    answer = await trial.post(kind, {"participant_id": str(uuid4()), **report})
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
    assert "try again" in answer.json()["detail"]


@pytest.mark.parametrize(("kind", "_report"), KINDS)
async def test_nobody_without_a_token(trial: Trial, kind: str, _report: dict[str, Any]) -> None:
    assert (await trial.client.get(f"{kind}/{uuid4()}")).status_code == 401
