"""Adverse events over HTTP: the happy path, each problem, each role."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.auth.permissions import COURSE_READERS, EVERYBODY
from shared.kernel.actor import Role
from tests.services.safety.builders import AWARE, CHILD, EVENT
from tests.services.safety.house import House, infused, screened

REPORT: dict[str, Any] = {
    "adverse_event_id": str(EVENT),
    "participant_id": str(CHILD),
    "term": "Cytokine release syndrome",
    "grade": 2,
    "onset": "2026-03-15",
    "became_aware_at": AWARE.isoformat(),
}
PATH = f"/v1/adverse-events/{EVENT}"


@pytest.fixture
async def investigator(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(Role.INVESTIGATOR) as client:
        yield client


async def report(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    return await client.post("/v1/adverse-events", json={**REPORT, **changed})


async def change(client: httpx.AsyncClient, verb: str, version: int, **body: Any) -> httpx.Response:
    return await client.post(f"{PATH}/{verb}", json=body, headers={"If-Match": f'"{version}"'})


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"]


async def test_a_report_says_where_it_can_be_read(any_house: House) -> None:
    async with any_house.client(Role.INVESTIGATOR) as client:
        answer = await report(client)
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"/safety{PATH}"
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["trial-position"] == f"adverse-event:{EVENT}@1"
        read = await client.get(PATH)
    assert read.headers["etag"] == '"1"'
    assert read.json() == {
        "adverse_event_id": str(EVENT),
        "participant_id": str(CHILD),
        "site_id": "CU",
        "term": {
            "edition": "5.0",
            "meddra_code": "10052015",
            "name": "Cytokine release syndrome",
            "soc": "Immune system disorders",
            "specification": None,
        },
        "grade": 2,
        "worst_grade": 2,
        "grades": [{"grade": 2, "since": "2026-03-15", "basis": {"how": "ctcae", "mapping": None}}],
        "onset": "2026-03-15",
        "became_aware_at": "2026-03-16T09:00:00+07:00",
        "ended_on": None,
        "serious": False,
        "seriousness": [],
        "causality": [],
        "action_taken": "unknown",
        "outcome": "unknown",
        "treatment_emergent": None,
        "consent_gaps": ["guardian-consent-missing", "assent-missing"],  # none has arrived
        "special_interest": [],
        "retracted": False,
        "retraction_reason": None,
        "alerts": [],
    }


async def test_the_same_report_twice_answers_as_the_first_time(investigator: httpx.AsyncClient) -> None:
    first, again = await report(investigator), await report(investigator)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_another_report_under_the_same_id_is_a_conflict(investigator: httpx.AsyncClient) -> None:
    await report(investigator)
    assert problem(await report(investigator, grade=3)) == (409, "other-content-on-record")


async def test_an_idempotency_key_stands_for_an_id(investigator: httpx.AsyncClient) -> None:
    body = {name: value for name, value in REPORT.items() if name != "adverse_event_id"}
    key = {"Idempotency-Key": "form-17"}
    first = await investigator.post("/v1/adverse-events", json=body, headers=key)
    again = await investigator.post("/v1/adverse-events", json=body, headers=key)
    other = await investigator.post("/v1/adverse-events", json=body)
    assert first.json() == again.json() != other.json()
    assert other.status_code == 201


async def test_an_event_is_followed_to_its_end(investigator: httpx.AsyncClient) -> None:
    await report(investigator)
    aware = AWARE.isoformat()
    steps: list[tuple[str, dict[str, Any]]] = [
        ("regrade", {"grade": 3, "since": "2026-03-16"}),
        ("reassess-seriousness", {"seriousness": ["hospitalisation"], "became_aware_at": aware}),
        ("assess-causality", {"causality": [{"agent": "car-t-product", "attribution": "probable"}]}),
        ("correct", {"reason": "The chart says 14 March", "onset": "2026-03-14"}),
        ("resolve", {"ended_on": "2026-03-16", "outcome": "recovered"}),
    ]
    version = 1
    for verb, body in steps:
        answer = await change(investigator, verb, version, **body)
        assert answer.status_code == 200, answer.text
        version = answer.json()["version"]
    event = (await investigator.get(PATH)).json()
    assert (event["grade"], event["worst_grade"], event["onset"]) == (3, 3, "2026-03-14")
    assert (event["outcome"], event["ended_on"], event["serious"]) == ("recovered", "2026-03-16", True)
    assert [alert["alert_id"] for alert in event["alerts"]] == [f"{EVENT}-1"]

    history = (await investigator.get(f"{PATH}/history")).json()
    assert [entry["type"].removeprefix("safety.") for entry in history] == [
        "adverse-event-reported",
        "adverse-event-regraded",
        "seriousness-reassessed",
        "serious-adverse-event-identified",
        "causality-assessed",
        "adverse-event-corrected",
        "adverse-event-resolved",
    ]
    correction = history[5]
    assert (correction["actor"], correction["role"]) == ("dr-mali", "investigator")
    assert correction["reason"] == "The chart says 14 March"
    assert correction["data"]["onset"] == {"was": "2026-03-15", "now": "2026-03-14"}


async def test_a_death_is_recorded_in_one(investigator: httpx.AsyncClient) -> None:
    await report(investigator)
    answer = await change(investigator, "record-death", 1, died_on="2026-03-16", became_aware_at=AWARE.isoformat())
    assert answer.json()["version"] == 5
    event = (await investigator.get(PATH)).json()
    assert (event["grade"], event["outcome"], event["seriousness"]) == (5, "fatal", ["results-in-death"])


async def test_a_retracted_event_says_so(investigator: httpx.AsyncClient) -> None:
    await report(investigator, seriousness=["hospitalisation"])
    await change(investigator, "retract", 2, reason="Another child's")
    event = (await investigator.get(PATH)).json()
    assert (event["retracted"], event["retraction_reason"]) == (True, "Another child's")
    assert len(event["alerts"]) == 1
    late = await change(investigator, "regrade", 3, grade=3, since="2026-03-16")
    assert problem(late) == (409, "adverse-event-already-retracted")


async def test_treatment_emergence_follows_the_infusion_whenever_it_becomes_known(house: House) -> None:
    async with house.client(Role.INVESTIGATOR) as client:
        await report(client)
        before = (await client.get(PATH)).json()
        await house.hears(infused())
        after = await client.get(PATH)
    assert (before["treatment_emergent"], after.json()["treatment_emergent"]) == (None, True)
    assert after.headers["etag"] == '"1"'


async def test_the_day_of_the_infusion_is_the_trials_wherever_the_site_is(house: House) -> None:
    """Six in the evening in London is the next day in Bangkok: an event of the day before came before."""
    child, at = uuid4(), "2026-03-14T18:00:00Z"
    await house.hears(screened(child, time_zone="Europe/London"), infused(child, started_at=at, day_zero=at))
    async with house.client(Role.INVESTIGATOR) as client:
        await report(client, participant_id=str(child), onset="2026-03-14")
        event = (await client.get(PATH)).json()
    assert event["treatment_emergent"] is False


# --- Problems


@pytest.mark.parametrize(
    ("changed", "code", "detail"),
    [
        ({"term": "Anaemia"}, "unknown-term", "Anemia (10002272)"),
        ({"term": "Asystole"}, "grade-not-defined-for-term", "1, 4 or 5"),
        ({"term": "Cardiac disorders - Other, specify"}, "specification-missing", "specification"),
        ({"specification": "x"}, "specification-not-asked", "Other, specify"),
        ({"onset": "2026-03-17"}, "dates-contradict", "future"),
        ({"ended_on": "2026-03-14"}, "dates-contradict", "before the onset"),
        ({"grade": 5}, "death-facts-disagree", "record-death"),
        ({"causality": [{"agent": "aspirin", "attribution": "possible"}]}, "unknown-agent", "car-t-product"),
        ({"causality": [{"agent": "disease", "attribution": "possible"}] * 2}, "agent-named-twice", "once"),
    ],
)
async def test_a_report_that_breaks_a_rule_is_told_what_to_send(
    investigator: httpx.AsyncClient, changed: dict[str, Any], code: str, detail: str
) -> None:
    answer = await report(investigator, **changed)
    assert problem(answer) == (422, code)
    assert detail in answer.json()["detail"]
    assert problem(await investigator.get(PATH)) == (404, "no-such-adverse-event")


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"grade": "2"}, "/grade"),
        ({"grade": 0}, "/grade"),
        ({"onset": "15/03/2026"}, "/onset"),
        ({"onset": "2026-02-30"}, "/onset"),
        ({"became_aware_at": "2026-03-16T09:00:00"}, "/became_aware_at"),
        ({"seriousness": ["severe"]}, "/seriousness/0"),
        ({"severity": "MILD"}, "/severity"),
        ({"specification": "ICANS of Master Somchai"}, "/specification"),
        ({"grade_basis": {"how": "mapped"}}, "/grade_basis"),
    ],
)
async def test_a_report_that_does_not_fit_its_schema_is_told_where(
    investigator: httpx.AsyncClient, changed: dict[str, Any], at: str
) -> None:
    answer = await report(investigator, **changed)
    assert problem(answer) == (422, "invalid-request")
    assert [each["at"] for each in answer.json()["errors"]] == [at]


async def test_a_participant_nobody_has_heard_of_is_not_found(investigator: httpx.AsyncClient) -> None:
    answer = await report(investigator, participant_id=str(uuid4()))
    assert problem(answer) == (404, "no-such-participant")


async def test_a_change_names_the_version_it_was_decided_on(investigator: httpx.AsyncClient) -> None:
    await report(investigator)
    body = {"grade": 3, "since": "2026-03-16"}
    assert problem(await investigator.post(f"{PATH}/regrade", json=body)) == (428, "missing-if-match")
    stale = await change(investigator, "regrade", 7, **body)
    assert problem(stale) == (412, "stale-version")
    assert stale.json()["current_version"] == 1
    first = await change(investigator, "regrade", 1, **body)
    again = await change(investigator, "regrade", 1, **body)  # as after a lost answer
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("verb", "body", "answer"),
    [
        ("regrade", {"grade": 2, "since": "2026-03-16"}, (409, "grade-already-on-record")),
        ("regrade", {"grade": 5, "since": "2026-03-16"}, (422, "death-facts-disagree")),
        ("resolve", {"ended_on": "2026-03-16", "outcome": "recovering"}, (422, "not-an-end")),
        ("resolve", {"ended_on": "2026-03-17", "outcome": "recovered"}, (422, "dates-contradict")),
        ("assess-causality", {"causality": []}, (422, "invalid-request")),
        ("correct", {"onset": "2026-03-14"}, (422, "invalid-request")),  # no reason
        ("correct", {"reason": "Wrong", "term": "Syncope"}, (422, "grade-not-defined-for-term")),
        ("retract", {}, (422, "invalid-request")),
    ],
)
async def test_a_change_that_breaks_a_rule_changes_nothing(
    investigator: httpx.AsyncClient, verb: str, body: dict[str, Any], answer: tuple[int, str]
) -> None:
    await report(investigator)
    assert problem(await change(investigator, verb, 1, **body)) == answer
    assert (await investigator.get(PATH)).headers["etag"] == '"1"'


async def test_a_change_of_an_event_nobody_reported_is_not_found(investigator: httpx.AsyncClient) -> None:
    answer = await change(investigator, "regrade", 1, grade=3, since="2026-03-16")
    assert problem(answer) == (404, "no-such-adverse-event")
    assert problem(await investigator.get(f"{PATH}/history")) == (404, "no-such-adverse-event")


# --- Roles and sites

ENTRY = {Role.INVESTIGATOR, Role.COORDINATOR, Role.SYSTEM}
JUDGEMENT = {Role.INVESTIGATOR}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize(
    ("verb", "may"),
    [
        ("regrade", ENTRY),
        ("reassess-seriousness", ENTRY),
        ("resolve", ENTRY),
        ("record-death", ENTRY),
        ("assess-causality", JUDGEMENT),
        ("correct", JUDGEMENT),
        ("retract", JUDGEMENT),
    ],
)
async def test_each_role_does_what_it_may(house: House, role: Role, verb: str, may: set[Role]) -> None:
    async with house.client(role) as client:
        answer = await change(client, verb, 1)
    assert answer.status_code == (422 if role in may else 403)


@pytest.mark.parametrize("role", EVERYBODY)
async def test_those_who_follow_a_course_read_and_some_report(house: House, role: Role) -> None:
    async with house.client(role) as client:
        assert (await report(client)).status_code == (201 if role in ENTRY else 403)
    async with house.client(Role.INVESTIGATOR) as writer:
        await report(writer)
    async with house.client(role) as reader:
        read = 200 if role in COURSE_READERS else 403
        assert (await reader.get(PATH)).status_code == read
        assert (await reader.get(f"{PATH}/history")).status_code == read


async def test_another_sites_participants_do_not_exist(house: House) -> None:
    theirs = uuid4()
    await house.hears(screened(theirs, site="SI"))
    async with house.client(Role.INVESTIGATOR, site="CU") as client:
        assert problem(await report(client, participant_id=str(theirs))) == (404, "no-such-participant")
        await report(client)
    async with house.client(Role.INVESTIGATOR, site="SI") as client:
        assert problem(await client.get(PATH)) == (404, "no-such-adverse-event")
        assert problem(await client.get(f"{PATH}/history")) == (404, "no-such-adverse-event")
        answer = await change(client, "regrade", 1, grade=3, since="2026-03-16")
        assert problem(answer) == (404, "no-such-adverse-event")


async def test_without_a_token_nobody_reads(house: House) -> None:
    async with house.client(Role.INVESTIGATOR) as client:
        del client.headers["authorization"]
        assert problem(await client.get(PATH)) == (401, "unauthenticated")
