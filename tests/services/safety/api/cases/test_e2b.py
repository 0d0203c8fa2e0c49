"""E2B(R3) over HTTP: the message, what it lacks, and the acknowledgement that moves the report's state."""

from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from services.safety.domain.e2b.acknowledgement import LARGEST
from shared.auth.permissions import EVERYBODY
from shared.contracts.safety_cases import ReportSubmitted
from shared.kernel.actor import Role
from tests.services.safety.api.cases.test_cases import PATH, a_serious_event, sent
from tests.services.safety.builders import EVENT
from tests.services.safety.cases.course import opinion
from tests.services.safety.domain.e2b.acknowledgements import an_acknowledgement
from tests.services.safety.domain.e2b.reports import told
from tests.services.safety.house import House

NARRATIVE = "Fever & hypotension <the day> after the infusion.\nดีขึ้นหลังได้ยา"
E2B, ACKNOWLEDGEMENT = f"{PATH}/reports/1/e2b", f"{PATH}/reports/1/acknowledgement"
XML = {"Content-Type": "application/xml"}


async def a_report(house: House, **given: Any) -> ReportSubmitted:
    """The first report to the authority, as it is on record."""
    await a_serious_event(house, causality=opinion("probable"))
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await sent(client, **{"narrative": NARRATIVE, **given})
    assert answer.status_code == 201, answer.text
    life = await house.store.history(f"case:{EVENT}")
    return next(event for each in life if isinstance(event := each.event(), ReportSubmitted))


async def test_a_report_is_read_as_a_message_the_same_each_time(any_house: House) -> None:
    report = await a_report(any_house)
    async with any_house.client(Role.MONITOR) as client:
        first = await client.get(E2B)
        any_house.wait(days=3)
        again = await client.get(E2B)
    assert (first.status_code, first.headers["content-type"]) == (200, "application/xml")
    assert first.content == again.content
    assert fromstring(first.content).tag == "{urn:hl7-org:v3}MCCI_IN200100UV01"  # noqa: S314 - our own message
    assert told(first.content, "H.1") == [NARRATIVE]
    assert told(first.content, "N.1.2") == [str(report.report_id)]
    assert told(first.content, "D.1.1.4") == ["CU-001"]


async def test_what_is_missing_is_listed_by_element(house: House) -> None:
    await a_report(house, narrative=None, recipient="us-fda")
    async with house.client(Role.MONITOR) as client:
        answer = await client.get(E2B)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "required-elements-missing")
    assert [each["at"] for each in problem["errors"]] == ["N.1.4", "N.2.r.3", "H.1"]
    assert problem["errors"][-1] == {"at": "H.1", "why": "narrative"}
    assert "H.1 (narrative)" in problem["detail"]


async def test_a_later_report_tells_what_the_first_lacked(house: House) -> None:
    await a_report(house, narrative=None)
    house.wait(hours=1)
    async with house.client(Role.SAFETY_OFFICER) as client:
        await sent(client, kind="follow-up", narrative=NARRATIVE, sent_at=house.now.isoformat())
        first, second = await client.get(E2B), await client.get(f"{PATH}/reports/2/e2b")
    assert (first.status_code, second.status_code) == (409, 200)


async def test_an_acknowledgement_moves_the_reports_state_and_is_recorded_once(any_house: House) -> None:
    report = await a_report(any_house)
    any_house.wait(days=5)
    body = an_acknowledgement(report)
    async with any_house.client(Role.SAFETY_OFFICER) as client:
        key = {"Idempotency-Key": "the file of the 19th"}
        first = await client.post(ACKNOWLEDGEMENT, content=body, headers=XML | key)
        again = await client.post(ACKNOWLEDGEMENT, content=body, headers=XML | key)
        told_again = await client.post(ACKNOWLEDGEMENT, content=body, headers=XML)
        known = (await client.get(f"{PATH}/reports/1")).json()
        history = (await client.get(f"{PATH}/case/history")).json()
    assert (first.status_code, again.status_code, told_again.status_code) == (200, 200, 200)
    assert first.headers["trial-position"] == f"case:{EVENT}@{first.json()['version']}"
    assert (known["answered"], known["receiver_reference"]) == ("accepted", "TH-19426650")
    assert known["answered_at"] == "2026-03-19T10:12:46+07:00"
    assert [entry["type"] for entry in history].count("safety.report-acknowledged") == 1


async def test_a_rejected_message_counts_as_not_sent(house: House) -> None:
    report = await a_report(house)
    house.wait(days=5)
    rejected = an_acknowledgement(report, transmission="AE", message="CR")
    async with house.client(Role.SPONSOR) as client:
        assert (await client.post(ACKNOWLEDGEMENT, content=rejected)).status_code == 200
        again = await sent(client, narrative=NARRATIVE, sent_at=house.now.isoformat())
        reports = (await client.get(f"{PATH}/reports")).json()
    assert again.status_code == 201
    assert [each["answered"] for each in reports] == ["rejected", None]


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"batch": str(uuid4())}, (409, "acknowledgement-of-another-report")),
        ({"case": "TH-CHULA-another"}, (409, "acknowledgement-of-another-report")),
        ({"message": None}, (422, "unreadable-acknowledgement")),
        ({"at": "20990101000000+0700"}, (422, "case-dates-contradict")),
    ],
)
async def test_an_answer_to_something_else_changes_nothing(
    house: House, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = an_acknowledgement(await a_report(house), **changed)
    house.wait(days=5)
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert problem(await client.post(ACKNOWLEDGEMENT, content=body, headers=XML)) == expected
        assert (await client.get(f"{PATH}/reports/1")).json()["answered"] is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a>" * 9_000, b" " * (LARGEST + 1)],
    ids=["empty", "json", "another", "entity", "deep", "large"],
)
async def test_what_is_no_acknowledgement_is_refused(house: House, body: bytes) -> None:
    await a_report(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await client.post(ACKNOWLEDGEMENT, content=body, headers=XML)
    assert problem(answer) == (422, "unreadable-acknowledgement")
    assert not body or body.decode() not in answer.text


async def test_a_body_over_a_mebibyte_is_refused_unread(house: House) -> None:
    await a_report(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await client.post(ACKNOWLEDGEMENT, content=b" " * (1 << 20 | 1), headers=XML)
    assert answer.status_code == 413


@pytest.mark.parametrize("role", EVERYBODY)
async def test_whoever_reads_reports_reads_messages_and_the_sponsors_side_records_answers(
    house: House, role: Role
) -> None:
    body = an_acknowledgement(await a_report(house))
    house.wait(days=5)
    async with house.client(role) as client:
        read, written = await client.get(E2B), await client.post(ACKNOWLEDGEMENT, content=body, headers=XML)
        alike = await client.get(f"{PATH}/reports/1")
    assert read.status_code == alike.status_code
    assert written.status_code == (200 if role in {Role.SAFETY_OFFICER, Role.SPONSOR} else 403)


async def test_another_site_knows_of_no_report(house: House) -> None:
    body = an_acknowledgement(await a_report(house))
    async with house.client(Role.SAFETY_OFFICER, site="KKU") as client:
        assert problem(await client.get(E2B)) == (404, "no-such-adverse-event")
        assert problem(await client.post(ACKNOWLEDGEMENT, content=body)) == (404, "no-such-adverse-event")
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert problem(await client.get(f"{PATH}/reports/2/e2b")) == (404, "no-such-report")


async def test_a_narrative_that_names_somebody_is_refused(house: House) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await sent(client, narrative="Fever.\nMr. Somchai was told.")
    assert problem(answer) == (422, "invalid-request")
