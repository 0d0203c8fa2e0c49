"""Cases over HTTP: the sponsor's assessment, reports, what changed between them, and who may."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.kernel.actor import Role
from tests.services.safety.api.test_adverse_events import change, report
from tests.services.safety.builders import AWARE, CRS, EVENT
from tests.services.safety.cases.course import opinion
from tests.services.safety.house import House, infused

PATH = f"/v1/adverse-events/{EVENT}"
SENT = {"kind": "initial", "recipient": "thai-fda", "sent_at": AWARE.isoformat()}


async def a_serious_event(house: House, **changed: Any) -> None:
    await house.hears(infused())
    async with house.client(Role.INVESTIGATOR) as client:
        answer = await report(client, seriousness=["hospitalisation"], grade=3, **changed)
    assert answer.status_code == 201


async def sent(client: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await client.post(f"{PATH}/reports", json={**SENT, **given})


async def test_a_case_shows_what_follows_before_the_clocks_have_recorded_it(house: House) -> None:
    await a_serious_event(house, causality=opinion("probable"))
    async with house.client(Role.MONITOR) as client:
        answer = await client.get(f"{PATH}/case")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"0"')
    case = answer.json()
    assert case["susar"]["held"] is True
    assert case["susar"]["urgency"] == "other"
    assert case["susar"]["basis"]["related_by"] == ["investigator"]
    assert "no reference safety information" in case["susar"]["basis"]["explanation"]
    assert [(each["clock"], each["state"]) for each in case["clocks"]] == [
        ("thai-fda-other-susar", "running"),
        ("investigator-to-sponsor", "running"),
        ("ethics-other-serious", "running"),
    ]
    assert await house.store.history(f"case:{EVENT}") == []


async def test_the_sponsors_opinion_stands_beside_the_investigators_and_leaves_the_event_as_it_is(
    house: House,
) -> None:
    await a_serious_event(house, causality=opinion("unlikely"))
    async with house.client(Role.SAFETY_OFFICER) as client:
        before = (await client.get(PATH)).headers["etag"]
        body = {"causality": opinion("possible"), "became_aware_at": AWARE.isoformat()}
        key = {"Idempotency-Key": "assessed once"}
        first = await client.post(f"{PATH}/sponsor-assessment", json=body, headers=key)
        again = await client.post(f"{PATH}/sponsor-assessment", json=body, headers=key)
        case = (await client.get(f"{PATH}/case")).json()
        history = (await client.get(f"{PATH}/case/history")).json()
        after = (await client.get(PATH)).headers["etag"]
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (200, 200, "true")
    assert before == after
    assert case["investigator_causality"] == opinion("unlikely")
    assert case["assessment"]["causality"] == opinion("possible")
    assert case["susar"]["basis"]["related_by"] == ["sponsor"]
    assert history[0]["role"] == "safety-officer"
    assert sum(entry["type"] == "safety.sponsor-assessed" for entry in history) == 1


async def test_a_report_is_complete_and_does_the_duty(house: House) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        answer = await sent(client, narrative_reference="DOC-7")
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/safety{PATH}/reports/1"
        told = (await client.get(f"{PATH}/reports/1")).json()
        clocks = {each["clock"]: each for each in (await client.get(f"{PATH}/case")).json()["clocks"]}
    content = told["content"]
    assert content["adverse_event"]["term"]["meddra_code"] == CRS.meddra_code
    assert content["participant"] == {
        "participant_id": content["participant"]["participant_id"],
        "site_id": "CU",
        "subject_number": "CU-001",
        "sex": "F",
        "age_at_onset": {"months_at_least": 107, "months_at_most": 108},
        "weight_kg": "21.5",
    }
    assert [(each["number"], each["lot"]) for each in content["infusions"]] == [(1, "LOT-7")]
    assert (content["narrative_reference"], content["sponsor"]["susar"]) == ("DOC-7", "other")
    assert clocks["thai-fda-other-susar"]["state"] == "met"
    assert clocks["thai-fda-other-susar"]["report_number"] == 1
    assert clocks["investigator-to-sponsor"]["state"] == "running"


async def test_the_same_report_twice_is_recorded_once_and_another_under_its_id_is_refused(house: House) -> None:
    await a_serious_event(house)
    one = {"report_id": str(uuid4())}
    async with house.client(Role.SAFETY_OFFICER) as client:
        first, again = await sent(client, **one), await sent(client, **one)
        other = await sent(client, **one, recipient="us-fda")
        reports = (await client.get(f"{PATH}/reports")).json()
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert (other.status_code, len(reports)) == (409, 1)


async def test_the_difference_of_two_versions_names_field_person_time_and_reason(house: House) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER, subject="officer") as officer, house.client(Role.INVESTIGATOR) as site:
        await sent(officer)
        house.wait(hours=2)
        corrected = await change(site, "correct", 2, onset="2026-03-14", reason="The chart says 14 March")
        assert corrected.status_code == 200
        house.wait(hours=1)
        body = {"causality": opinion("definite"), "became_aware_at": house.now.isoformat()}
        await officer.post(f"{PATH}/sponsor-assessment", json=body)
        house.wait(hours=1)
        sent_at = {"sent_at": house.now.isoformat()}
        reason = "The onset was wrong"
        answer = await sent(officer, kind="amendment", reason=reason, narrative_reference="DOC-8", **sent_at)
        assert answer.status_code == 201
        found = (await officer.get(f"{PATH}/reports/2/changes", params={"since": 1})).json()
        default = (await officer.get(f"{PATH}/reports/2/changes")).json()
        assert (await officer.get(f"{PATH}/reports/1/changes")).json() == []
        nothing = (await officer.get(f"{PATH}/reports/1/changes", params={"since": 1})).json()
        backwards = await officer.get(f"{PATH}/reports/1/changes", params={"since": 2})
    assert default == found
    told = {each["at"]: each for each in found}
    onset = told["/adverse_event/onset"]
    assert (onset["was"], onset["now"]) == ("2026-03-15", "2026-03-14")
    assert (onset["changed_by"], onset["role"], onset["reason"]) == (
        "dr-mali",
        "investigator",
        "The chart says 14 March",
    )
    assert told["/adverse_event/grades/0/since"]["changed_by"] == "dr-mali"
    assert told["/sponsor/causality/0"]["now"] == opinion("definite")[0]
    assert told["/narrative_reference"]["reason"] == reason
    assert (nothing, backwards.status_code) == ([], 422)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"kind": "follow-up"}, "no-initial-report"),
        ({"kind": "nullification"}, "no-initial-report"),
        ({"sent_at": "2027-01-01T00:00:00+07:00"}, "case-dates-contradict"),
        ({"sent_at": "2026-03-01T00:00:00+07:00"}, "case-dates-contradict"),
    ],
)
async def test_a_report_that_cannot_be_is_refused(house: House, body: dict[str, str], problem: str) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert (await sent(client, **body)).json()["type"].endswith(problem)


async def test_an_event_that_is_not_serious_has_nobody_to_be_reported_to(house: House) -> None:
    async with house.client(Role.INVESTIGATOR, Role.SAFETY_OFFICER) as client:
        assert (await report(client)).status_code == 201
        assert (await sent(client)).json()["type"].endswith("never-serious")
        assert (await client.get(f"{PATH}/case")).json()["clocks"] == []
        assert (await client.get(f"{PATH}/case/history")).json() == []


async def test_a_site_reports_to_its_committee_and_the_sponsor_to_regulators(house: House) -> None:
    await a_serious_event(house)
    async with house.client(Role.INVESTIGATOR) as site, house.client(Role.COORDINATOR) as clerk:
        assert (await sent(site, recipient="ethics-committee")).status_code == 201
        assert (await sent(site)).json()["type"].endswith("not-yours-to-report")
        assert (await sent(clerk, recipient="sponsor")).status_code == 403
        body = {"became_aware_at": AWARE.isoformat()}
        assert (await site.post(f"{PATH}/sponsor-assessment", json=body)).status_code == 403
    async with house.client(Role.SPONSOR, site="SI") as sponsor:
        assert (await sent(sponsor)).status_code == 201


async def test_another_sites_case_does_not_exist(house: House) -> None:
    await a_serious_event(house)
    async with house.client(Role.SAFETY_OFFICER, site="SI") as client:
        for path in ("case", "case/history", "reports", "reports/1", "reports/1/changes?since=1"):
            assert (await client.get(f"{PATH}/{path}")).status_code == 404
        assert (await sent(client)).status_code == 404
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert (await client.get(f"{PATH}/reports/1")).json()["type"].endswith("no-such-report")
        assert (await client.get(f"/v1/adverse-events/{UUID(int=1)}/case")).status_code == 404


VERSION = {
    "rsi_version": "IB-2.0",
    "effective_from": "2026-01-01",
    "terms": [{"meddra_code": CRS.meddra_code, "max_grade": 3}],
}
RSI = "/v1/reference-safety-information"


async def test_reference_safety_information_is_recorded_read_and_withdrawn(house: House) -> None:
    await a_serious_event(house, causality=opinion("probable"))
    async with house.client(Role.SAFETY_OFFICER) as client:
        assert (await client.get(f"{RSI}/history")).json() == []
        assert (await client.post(RSI, json=VERSION)).status_code == 201
        assert (await client.post(RSI, json=VERSION)).status_code == 201
        assert (await client.get(f"{PATH}/case")).json()["susar"]["held"] is False
        other = await client.post(RSI, json={**VERSION, "terms": []})
        assert other.json()["type"].endswith("reference-safety-information-on-record")
        withdrawn = await client.post(f"{RSI}/IB-2.0/withdraw", json={"reason": "Entered from a draft"})
        assert withdrawn.status_code == 200
        assert (await client.get(f"{RSI}/IB-2.0")).json()["withdrawn_because"] == "Entered from a draft"
        assert [each["rsi_version"] for each in (await client.get(RSI)).json()] == ["IB-2.0"]
        assert (await client.get(f"{RSI}/IB-3.0")).status_code == 404
        assert (await client.get(f"{PATH}/case")).json()["susar"]["held"] is True
        assert len((await client.get(f"{RSI}/history")).json()) == 2
    async with house.client(Role.INVESTIGATOR) as site:
        assert (await site.post(RSI, json=VERSION)).status_code == 403
