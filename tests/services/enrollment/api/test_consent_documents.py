"""Consent forms of a site over HTTP, what they make of consents, and consent withdrawn in part."""

from typing import Any

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.enrollment import builders
from tests.services.enrollment.api.requests import UNTIL_INFUSED, a_screening, steps
from tests.services.enrollment.builders import WHO
from tests.services.enrollment.conftest import Caller, do

PATH = "/v1/sites/CU/consent-documents"
PARTICIPANT = f"/v1/participants/{WHO}"
FORM: dict[str, Any] = {
    "kind": "guardian",
    "document_version": "2.0",
    "languages": ["th"],
    "approved_on": "2026-02-10",
    "effective_from": "2026-03-01",
    "reconsent_required": True,
}
NEWER = FORM | {
    "document_version": "3.0",
    "approved_on": "2026-05-04",
    "effective_from": "2026-06-01",
    "grace_days": 30,
}
WHY = {"reason": "Read off the committee's letter"}


async def course(client: httpx.AsyncClient, taken: list[tuple[str, Any]]) -> None:
    assert (await client.post("/v1/participants", json=a_screening())).status_code == 201
    for verb, body in taken:
        done = await do(client, WHO, verb, body)
        assert done.status_code == 200, done.text


async def test_a_form_comes_on_record_with_the_protocols_grace(coordinator: httpx.AsyncClient) -> None:
    answer = await coordinator.post(PATH, json=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/enrollment{PATH}")
    shown = await coordinator.get(PATH)
    assert shown.headers["ETag"] == '"1"'
    assert shown.json() == {
        "site_id": "CU",
        "documents": [FORM | {"grace_days": 60, "required_from": "2026-04-30"}],
        "version": 1,
    }
    again = await coordinator.post(PATH, json=FORM)
    assert (again.status_code, again.json()["version"]) == (201, 1)
    other = await coordinator.post(PATH, json=FORM | {"languages": ["en"]})
    assert (other.status_code, other.json()["type"]) == (409, "consent-document-on-record")


async def test_a_form_is_put_right_and_taken_back(coordinator: httpx.AsyncClient) -> None:
    await coordinator.post(PATH, json=FORM)
    right = FORM | WHY | {"grace_days": 30}
    assert (await coordinator.post(f"{PATH}/correct", json=right)).status_code == 428
    stale = await coordinator.post(f"{PATH}/correct", json=right, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    done = await coordinator.post(f"{PATH}/correct", json=right, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    named = {"kind": "guardian", "document_version": "2.0"} | WHY
    gone = await coordinator.post(f"{PATH}/withdraw", json=named, headers={"If-Match": '"2"'})
    assert gone.status_code == 200
    assert (await coordinator.get(PATH)).json()["documents"] == []
    history = (await coordinator.get(f"{PATH}/history")).json()
    assert [(entry["type"], entry["reason"]) for entry in history] == [
        ("enrollment.consent-document-approved", None),
        ("enrollment.consent-document-corrected", WHY["reason"]),
        ("enrollment.consent-document-withdrawn", WHY["reason"]),
    ]


async def test_what_is_not_there_is_not_found(caller: Caller, coordinator: httpx.AsyncClient) -> None:
    assert (await coordinator.get(f"{PATH}/history")).json()["type"] == "no-such-consent-document"
    for verb, body in (("correct", FORM | WHY), ("withdraw", {"kind": "own", "document_version": "9"} | WHY)):
        answer = await coordinator.post(f"{PATH}/{verb}", json=body, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-consent-document")
    elsewhere = caller(Role.COORDINATOR, "KKU")
    for answer in (await elsewhere.get(PATH), await elsewhere.post(PATH, json=FORM)):
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-site")


@pytest.mark.parametrize("role", EVERYBODY)
async def test_who_may_keep_and_read_forms(caller: Caller, role: Role) -> None:
    client = caller(role, "CU")
    keeps = role in {Role.COORDINATOR, Role.INVESTIGATOR, Role.SPONSOR, Role.SYSTEM}
    assert (await client.post(PATH, json=FORM)).status_code == (201 if keeps else 403)
    for verb, body in (("correct", FORM | WHY), ("withdraw", {"kind": "own", "document_version": "9"} | WHY)):
        answer = await client.post(f"{PATH}/{verb}", json=body, headers={"If-Match": '"1"'})
        assert answer.status_code in ({200, 404} if keeps else {403})
    assert (await client.get(PATH)).status_code == 200


async def test_a_consent_on_a_form_that_the_site_does_not_use_is_refused(coordinator: httpx.AsyncClient) -> None:
    await coordinator.post(PATH, json=NEWER)
    await coordinator.post("/v1/participants", json=a_screening())
    [(verb, body)] = steps(builders.consent(document_version="3.0"))
    answer = await do(coordinator, WHO, verb, body)
    assert (answer.status_code, answer.json()["type"]) == (409, "document-not-approved")


async def test_a_newer_form_outdates_a_consent_and_what_is_given_after_its_grace_says_so(
    coordinator: httpx.AsyncClient,
) -> None:
    await course(coordinator, UNTIL_INFUSED)
    assert (await coordinator.get(PARTICIPANT)).json()["consent_gaps"] == []
    await coordinator.post(PATH, json=NEWER)
    assert (await coordinator.get(PARTICIPANT)).json()["consent_gaps"] == ["guardian-consent-outdated"]
    [(verb, body)] = steps(builders.infusion("2026-07-06T10:00:00+07:00"))
    assert (await do(coordinator, WHO, verb, body)).status_code == 200
    history = (await coordinator.get(f"{PARTICIPANT}/history")).json()
    assert history[-1]["data"]["consent_gaps"] == ["guardian-consent-outdated"]


async def test_nobody_is_enrolled_on_an_outdated_form(coordinator: httpx.AsyncClient) -> None:
    await coordinator.post(PATH, json=NEWER | {"approved_on": "2026-02-01", "effective_from": "2026-03-01"})
    await coordinator.post(PATH, json=FORM | {"approved_on": "2025-02-01", "effective_from": "2025-03-01"})
    await course(coordinator, UNTIL_INFUSED[:3])
    [(verb, body)] = steps(builders.enrolment())
    answer = await do(coordinator, WHO, verb, body)
    assert (answer.status_code, answer.json()["type"]) == (409, "consent-not-valid")
    assert "guardian-consent-outdated" in answer.json()["detail"]


async def test_an_assessment_says_that_a_form_is_outdated(coordinator: httpx.AsyncClient) -> None:
    await coordinator.post(PATH, json=NEWER | {"approved_on": "2026-02-01", "effective_from": "2026-03-01"})
    await coordinator.post(PATH, json=FORM | {"approved_on": "2025-02-01", "effective_from": "2025-03-01"})
    await course(coordinator, [*UNTIL_INFUSED[:3], *steps(builders.assessment())])
    assessed = (await coordinator.get(PARTICIPANT)).json()["eligibility"]
    [consent] = [each for each in assessed["answers"] if each["criterion_id"] == "AN-13"]
    assert (consent["answer"], assessed["outcome"]) == ("not-met", "not-eligible")


async def test_samples_are_withdrawn_and_restored(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, [*UNTIL_INFUSED, *steps(builders.part_withdrawal("samples"))])
    shown = (await coordinator.get(PARTICIPANT)).json()
    assert shown["status"] == "infused"
    assert shown["consent_gaps"] == ["samples-withdrawn"]
    assert shown["consent_withdrawals"] == [{"scope": "samples", "withdrawn_on": "2026-05-20", "restored_on": None}]
    [(verb, body)] = steps(builders.restoration("samples"))
    assert (await do(coordinator, WHO, verb, body)).status_code == 200
    assert (await coordinator.get(PARTICIPANT)).json()["consent_gaps"] == []
    [(verb, body)] = steps(builders.restoration("follow-up"))
    answer = await do(coordinator, WHO, verb, body)
    assert (answer.status_code, answer.json()["type"]) == (409, "not-withdrawn")
