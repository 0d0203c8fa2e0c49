"""Candidates for adverse events over HTTP: an investigator accepts, merges or dismisses what laboratory values open."""

from typing import Any

import httpx
import pytest

from services.safety.domain.lab_results.deciding import adverse_event_of
from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.api.laboratory.test_results import RECORD, read, registered, row, sent
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.builders import CHILD, EVENT
from tests.services.safety.house import House, infused

CANDIDATES = f"/v1/participants/{CHILD}/candidates"
REASON = {"reason": "Known before screening, not worse since"}


@pytest.fixture
async def lab(any_house: House) -> House:
    """A child with an ALT of three times the limit."""
    await any_house.hears(infused())
    await registered(any_house)
    await sent(any_house, row(1))
    return any_house


async def candidates(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await read(house, CANDIDATES)
    return found


async def decided(house: House, verb: str, body: dict[str, Any], role: Role = Role.INVESTIGATOR) -> httpx.Response:
    [candidate, *_] = await candidates(house)
    path = f"{CANDIDATES}/{candidate['candidate_id']}"
    async with house.client(Role.INVESTIGATOR) as client:
        version = (await client.get(path)).headers["ETag"]
    async with house.client(role) as client:
        return await client.post(f"{path}/{verb}", json=body, headers={"If-Match": version})


async def test_an_accepted_candidate_becomes_the_adverse_event_in_the_same_append(lab: House) -> None:
    [candidate] = await candidates(lab)
    assert (candidate["term"]["name"], candidate["decision"]) == ("Alanine aminotransferase increased", None)
    assert candidate["course"]["onset"] == "2026-03-15"
    opinion = {"causality": [{"agent": "lymphodepletion", "attribution": "possible"}]}
    answer = await decided(lab, "accept", opinion)
    assert answer.status_code == 200, answer.text
    [candidate] = await candidates(lab)
    event = await read(lab, f"/v1/adverse-events/{candidate['adverse_event_id']}")
    assert (event["term"]["meddra_code"], event["grade"], event["onset"]) == ("10001551", 1, "2026-03-15")
    assert event["causality"] == opinion["causality"]
    assert (candidate["decision"], candidate["wants_a_look"]) == ("accepted", False)
    record = await lab.store.history(f"lab-results:{CHILD}")
    log = await lab.store.history(f"adverse-event:{candidate['adverse_event_id']}")
    assert record[-1].causation_id == log[0].causation_id


async def test_later_values_show_on_an_accepted_candidate_and_leave_the_event(lab: House) -> None:
    await decided(lab, "accept", {})
    await sent(lab, row(2, value="500", collected_at="2026-03-16T07:30:00+07:00"))
    [candidate] = await candidates(lab)
    assert (candidate["course"]["worst_grade"], candidate["wants_a_look"]) == (3, True)
    event = await read(lab, f"/v1/adverse-events/{candidate['adverse_event_id']}")
    assert event["grade"] == 1
    assert [each["decision"] for each in await read(lab, f"{CANDIDATES}?wants_a_look=true")] == ["accepted"]
    assert await read(lab, f"{CANDIDATES}?wants_a_look=false") == []


async def test_a_serious_one_raises_an_alert_at_once(lab: House) -> None:
    await decided(lab, "accept", {"seriousness": ["medically-important"]})
    [candidate] = await candidates(lab)
    event = await read(lab, f"/v1/adverse-events/{candidate['adverse_event_id']}")
    assert [alert["because"] for alert in event["alerts"]] == ["reported-serious"]


async def test_what_the_command_says_is_checked_and_nothing_is_recorded(lab: House) -> None:
    for body, error in (
        ({"became_aware_at": "2026-03-14T07:30:00+07:00"}, (422, "dates-contradict")),
        ({"causality": [{"agent": "nonsense", "attribution": "possible"}]}, (422, "unknown-agent")),
        ({"seriousness": ["results-in-death"]}, (422, "death-facts-disagree")),
    ):
        assert problem(await decided(lab, "accept", body)) == error
    [candidate] = await candidates(lab)
    assert candidate["decision"] is None
    assert await lab.store.history(f"adverse-event:{adverse_event_of(candidate['candidate_id'])}") == []


async def test_a_candidate_is_merged_into_an_event_on_record(lab: House) -> None:
    assert problem(await decided(lab, "merge", {"adverse_event_id": str(EVENT)})) == (
        422,
        "not-this-participants-event",
    )
    async with lab.client(Role.INVESTIGATOR) as client:
        report = {
            "adverse_event_id": str(EVENT),
            "participant_id": str(CHILD),
            "term": "Alanine aminotransferase increased",
            "grade": 1,
            "onset": "2026-03-15",
            "became_aware_at": "2026-03-16T09:00:00+07:00",
        }
        assert (await client.post("/v1/adverse-events", json=report)).status_code == 201
    assert (await decided(lab, "merge", {"adverse_event_id": str(EVENT)})).status_code == 200
    [candidate] = await candidates(lab)
    assert (candidate["decision"], candidate["adverse_event_id"]) == ("merged", str(EVENT))
    assert problem(await decided(lab, "dismiss", REASON)) == (409, "candidate-already-decided")


async def test_a_candidate_is_dismissed_with_the_reason(lab: House) -> None:
    assert problem(await decided(lab, "dismiss", {})) == (422, "invalid-request")
    assert (await decided(lab, "dismiss", REASON)).status_code == 200
    [candidate] = await candidates(lab)
    assert (candidate["decision"], candidate["reason"]) == ("dismissed", REASON["reason"])
    life = await read(lab, f"{RECORD}/history")
    assert (life[-1]["reason"], life[-1]["role"]) == (REASON["reason"], "investigator")


async def test_a_decision_rests_on_the_values_that_were_seen(lab: House) -> None:
    [candidate] = await candidates(lab)
    path = f"{CANDIDATES}/{candidate['candidate_id']}"
    async with lab.client(Role.INVESTIGATOR) as client:
        seen = (await client.get(path)).headers["ETag"]
        await sent(lab, row(2, value="500", collected_at="2026-03-16T07:30:00+07:00"))
        stale = await client.post(f"{path}/dismiss", json=REASON, headers={"If-Match": seen})
        assert problem(stale) == (412, "stale-version")
        assert problem(await client.post(f"{path}/dismiss", json=REASON)) == (428, "missing-if-match")
        now = {"If-Match": (await client.get(path)).headers["ETag"]}
        first = await client.post(f"{path}/dismiss", json=REASON, headers=now)
        again = await client.post(f"{path}/dismiss", json=REASON, headers=now)
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role is not Role.INVESTIGATOR])
async def test_only_an_investigator_decides(house: House, role: Role) -> None:
    await registered(house)
    await sent(house, row(1))
    for verb, body in (("accept", {}), ("merge", {"adverse_event_id": str(EVENT)}), ("dismiss", REASON)):
        assert problem(await decided(house, verb, body, role)) == (403, "forbidden")


async def test_who_measures_samples_reads_no_grades_of_a_child(house: House) -> None:
    async with house.client(Role.LABORATORY) as client:
        for path in (RECORD, CANDIDATES, f"{RECORD}/history"):
            assert problem(await client.get(path)) == (403, "forbidden")
