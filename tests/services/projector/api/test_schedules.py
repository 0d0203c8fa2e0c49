"""Schedules, calendars, the screening log and the flow of participants over HTTP."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from shared.contracts import enrollment as enr
from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_follow_up import FollowUpContactRecorded, FollowUpContactRetracted
from shared.contracts.enrollment_product import InfusionAppraised
from shared.contracts.enrollment_product_terms import ProductFinding
from shared.contracts.enrollment_terms import Route
from shared.kernel.actor import Role
from shared.kernel.events import Event
from tests.services.projector.chronicle import PROTOCOL, Chronicle, named
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

CALENDAR = "/v1/sites/CU/calendar.ics"


async def ask(house: House, path: str, *, accept: str = "application/json", **params: str) -> Any:
    async with house.client(accept=accept) as client:
        answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json() if accept == "application/json" else answer.text


async def everything(house: House, path: str, **params: str) -> list[Any]:
    found, cursor = [], None
    while True:
        answer = await ask(house, path, **params, **({} if cursor is None else {"cursor": cursor}))
        found += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


async def test_the_schedule_of_a_participant(trial: House) -> None:
    found = (await ask(trial, f"/v1/participants/{named('SI-001')}/schedule"))["result"]
    assert (found["time_zone"], found["today"], found["reason"]) == ("Asia/Bangkok", "2026-04-20", None)
    visits = {each["visit"]: each for each in found["visits"]}
    assert (visits["D7"]["nominal_on"], visits["D7"]["day"], visits["D7"]["study_day"]) == ("2026-04-06", 7, 8)
    d7 = {each["assessment"]: (each["status"], each["performed_on"]) for each in visits["D7"]["assessments"]}
    assert d7["cytokines"] == ("done", "2026-04-06")
    assert d7["adverse-events"] == (None, None)
    assert len(found["long_term_follow_up"]["years"]) == 14
    text = await ask(trial, f"/v1/participants/{named('SI-001')}/schedule", accept="text/csv")
    assert text.count("\r\n") == 1 + 29 + 14


async def test_a_contact_makes_a_year_of_long_term_follow_up_done_and_is_a_day_known_alive(house: House) -> None:
    house.now = at(1, 20).replace(year=2028)
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    told = {"participant_id": child.id, "site_id": "CU", "contact_id": named("contact"), "protocol": PROTOCOL.ref}
    made = {"contacted_on": "2028-01-10", "way": "examination", "late_events": {"new_malignancy": "no"}}
    chronicle.tell(child.stream, FollowUpContactRecorded.model_validate({**told, **made}))
    await house.hears(chronicle.told)
    found = (await ask(house, f"/v1/participants/{child.id}/schedule"))["result"]["long_term_follow_up"]["years"]
    assert [(each["year"], each["status"], each["performed_on"]) for each in found[:2]] == [
        (2, "done", "2028-01-10"),
        (3, "upcoming", None),
    ]
    (censored,) = (await ask(house, "/v1/outcomes/survival", endpoint="os"))["result"]["participants"]
    assert (censored["until_day"], censored["ending"]) == (735, "last-known-alive")


async def test_a_year_without_a_contact_is_a_deviation_by_what_is_on_record_now(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    who = {"participant_id": child.id}
    of_contact = {**who, "contact_id": named("contact"), "protocol": PROTOCOL.ref}
    made = {"site_id": "CU", "contacted_on": "2028-01-10", "way": "examination", "late_events": {}}
    follow_up: dict[str, Any] = {**who, "scopes": ["follow-up"]}
    withdrawn = {"withdrawn_on": "2028-02-01", "disposition": "WITHDRAWAL BY PARENT/GUARDIAN"}
    restored = {"restored_on": "2028-03-01", "reason": "The family allows it again"}
    missed = [("Y2 examination", "2028-03-05")]

    async def years() -> list[tuple[str, str]]:
        lines = await everything(house, "/v1/deviations", kind="visit-missed")
        found = [(each["about"], each["occurred_on"]) for each in lines if each["about"].startswith("Y")]
        behind = [each for each in await everything(house, "/v1/schedule-deviations") if each["contact"]]
        assert [(f"{each['visit']} {each['contact']}", each["closes_on"]) for each in behind] == found
        return found

    async def after(event: Event) -> list[tuple[str, str]]:
        chronicle.tell(child.stream, event)
        await house.hears(chronicle.told[-1:])
        return await years()

    await house.hears(chronicle.told)
    house.now = datetime(2028, 3, 5, 16, 59, tzinfo=UTC)  # a minute before midnight at the site
    assert await years() == []
    house.now += timedelta(minutes=1)
    assert await years() == missed
    assert await after(FollowUpContactRecorded.model_validate({**of_contact, **made})) == []
    assert await after(FollowUpContactRetracted.model_validate({**of_contact, "reason": "Another child's"})) == missed
    assert await after(ConsentLimited.model_validate({**follow_up, **withdrawn})) == []
    assert await after(ConsentRestored.model_validate({**follow_up, **restored})) == missed
    child.died("2028-03-04")
    await house.hears(chronicle.told[-1:])
    assert await years() == []


async def test_who_was_not_infused_has_a_reason_instead(trial: House) -> None:
    found = (await ask(trial, f"/v1/participants/{named('SI-002')}/schedule"))["result"]
    assert found["visits"] == []
    assert found["reason"].startswith("no infusion")
    async with trial.client() as client:
        assert (await client.get(f"/v1/participants/{named('nobody')}/schedule")).status_code == 404


async def test_what_a_site_has_to_do_page_by_page(trial: House) -> None:
    whole = (await ask(trial, "/v1/sites/CU/schedule", limit="200"))["items"]
    assert await everything(trial, "/v1/sites/CU/schedule", limit="2") == whole
    assert [each["overdue"] for each in whole] == sorted((each["overdue"] for each in whole), reverse=True)
    assert {each["site_id"] for each in whole} == {"CU"}
    period = {"from": "2026-05-01", "until": "2026-05-31"}
    assert await everything(trial, "/v1/sites/CU/schedule", **period) == []
    text = await ask(trial, "/v1/sites/CU/schedule", accept="text/csv")
    assert text.count("\r\n") == len(whole) + 1


@pytest.mark.parametrize(
    ("params", "status", "problem"),
    [
        ({"from": "2026-05-02", "until": "2026-05-01"}, 422, "days-out-of-order"),
        ({"cursor": "bm90IG91cnM"}, 422, "unreadable-cursor"),
    ],
)
async def test_questions_that_cannot_be_answered(
    trial: House, params: dict[str, str], status: int, problem: str
) -> None:
    async with trial.client() as client:
        answer = await client.get("/v1/sites/CU/schedule", params=params)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2].rpartition(":")[2]) == (status, problem)


@pytest.mark.parametrize("path", ["schedule", "calendar.ics"])
async def test_another_site_is_unknown(trial: House, path: str) -> None:
    async with trial.client(Role.COORDINATOR, sites=["SI"]) as client:
        assert (await client.get(f"/v1/sites/CU/{path}")).status_code == 404
        assert (await client.get(f"/v1/sites/SI/{path}")).status_code == 200


async def test_the_calendar_is_valid_and_tells_nothing_of_a_child(trial: House) -> None:
    async with trial.client(Role.COORDINATOR, sites=["CU"]) as client:
        answer = await client.get(CALENDAR)
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers.get_list("Cache-Control") == ["private, no-cache"]
        assert (await client.get("/v1/visits")).headers.get_list("Cache-Control") == ["no-store"]
        again = await client.get(CALENDAR, headers={"If-None-Match": f'"other", W/{answer.headers["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    read: Any = Calendar.from_ical(answer.content)
    assert (read["VERSION"], "METHOD" in read) == ("2.0", False)
    events: dict[str, Any] = {str(event["SUMMARY"]): event for event in read.walk("VEVENT")}
    assert len({str(event["UID"]) for event in events.values()}) == len(events)
    d30 = events["CU-001 D30"]
    assert (d30["DTSTART"].dt, d30["DTEND"].dt) == (date(2026, 2, 1), date(2026, 2, 8))
    assert d30["DTSTART"].params["VALUE"] == "DATE"
    assert (d30["STATUS"], d30["TRANSP"], d30["UID"]) == (
        "CONFIRMED",
        "TRANSPARENT",
        f"{named('CU-001')}-D30@cmd03",
    )
    assert events["CU-002 M6"]["STATUS"] == "CANCELLED"
    assert {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"} <= set(d30)
    told = answer.text.lower()
    assert not any(word in told for word in ("neuroblastoma", "2017-03", "sepsis", "died", "dr-mali"))


async def test_an_infusion_that_is_corrected_moves_its_visits_under_the_same_uid(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    await house.hears(chronicle.told)
    before = await _event(house, "CU-001 D7")
    told = len(chronicle.told)
    corrected = enr.InfusionCorrected(
        participant_id=child.id,
        infusion_number=1,
        started_at=at(1, 6),
        ended_at=at(1, 6, 10),
        route=Route.INTRAVENOUS,
        lot=None,
        weight_kg=None,
        cells_per_kg=None,
        total_car_positive_cells=None,
        day_zero=at(1, 6),
        consent_gaps=(),
        reason="Read from the wrong line",
        protocol=PROTOCOL.ref,
    )
    chronicle.tell(child.stream, corrected)
    await house.hears(chronicle.told[told:])
    after = await _event(house, "CU-001 D7")
    assert before["UID"] == after["UID"]
    assert (before["DTSTART"].dt, after["DTSTART"].dt) == (date(2026, 1, 11), date(2026, 1, 12))
    assert before["SEQUENCE"] < after["SEQUENCE"]
    assert before["LAST-MODIFIED"].dt < after["LAST-MODIFIED"].dt


async def _event(house: House, summary: str) -> Any:
    read: Any = Calendar.from_ical(await ask(house, CALENDAR, accept="text/calendar"))
    (event,) = [each for each in read.walk("VEVENT") if each["SUMMARY"] == summary]
    return event


async def test_deviations_of_the_schedule(trial: House) -> None:
    whole = (await ask(trial, "/v1/schedule-deviations", limit="200"))["items"]
    assert await everything(trial, "/v1/schedule-deviations", limit="3") == whole
    mine = await everything(trial, "/v1/schedule-deviations", participant_id=str(named("SI-001")))
    assert [(each["visit"], each["assessment"], each["kind"]) for each in mine] == [
        ("PRE", "car-t-flow", "visit-missed"),
        ("D14", "cytokines", "visit-missed"),
    ]
    assert "visit-missed" in await ask(trial, "/v1/schedule-deviations", accept="text/csv")


async def test_deviations_of_every_kind_in_one_list(trial: House) -> None:
    whole = (await ask(trial, "/v1/deviations", limit="200"))["items"]
    assert await everything(trial, "/v1/deviations", limit="3") == whole
    of_visits = (await ask(trial, "/v1/schedule-deviations", limit="200"))["items"]
    late = [each for each in whole if each["recorded_by"] is None and each["kind"] != "consent-lacking"]
    assert sorted((each["subject_number"], each["about"]) for each in late) == sorted(
        (each["subject_number"], f"{each['visit']} {each['assessment']}") for each in of_visits
    )
    missed = await everything(trial, "/v1/deviations", kind="visit-missed", participant_id=str(named("SI-001")))
    assert [(each["about"], each["occurred_on"], each["important"]) for each in missed] == [
        ("PRE car-t-flow", "2026-03-30", False),
        ("D14 cytokines", "2026-04-15", False),
    ]
    assert "decided_by" in await ask(trial, "/v1/deviations", accept="text/csv")
    assert {each["site_id"] for each in await everything(trial, "/v1/deviations", site="SI")} == {"SI"}
    async with trial.client(Role.COORDINATOR, sites=["CU"]) as client:
        theirs = (await client.get("/v1/deviations", params={"limit": "200"})).json()["items"]
        assert {each["site_id"] for each in theirs} == {"CU"}
        assert (await client.get("/v1/deviations", params={"kind": "lateness"})).status_code == 422


async def test_a_deviation_that_was_recorded_says_who_decided_it(house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    appraised = InfusionAppraised(
        participant_id=child.id,
        infusion_number=1,
        product_id=None,
        lot="LOT-7",
        bags=(),
        dose=None,
        findings=(ProductFinding.EXPIRED,),
        given_despite="No other lot, and no time",
        protocol=PROTOCOL.ref,
    )
    chronicle.tell(f"appraisal:{child.id}", appraised)
    await house.hears(chronicle.told)
    (found,) = (await ask(house, "/v1/deviations", kind="product-not-released"))["items"]
    assert (found["about"], found["found"], found["day"], found["study_day"]) == ("infusion 1", ["expired"], 0, 1)
    by = [{"actor": "dr-mali", "role": "investigator", "reason": "No other lot, and no time"}]
    assert (found["important"], found["recorded_by"], found["decided_by"]) == (True, "dr-mali", by)


async def test_the_screening_log(trial: House) -> None:
    found = await everything(trial, "/v1/screening-log", limit="1")
    assert [(each["subject_number"], each["attempt"], each["outcome"]) for each in found] == [
        (number, 1, "enrolled") for number in ("CU-001", "CU-002", "SI-001", "SI-002")
    ]
    assert "days_to_enrolment" in await ask(trial, "/v1/screening-log", accept="text/csv")


async def test_the_flow_of_participants(trial: House) -> None:
    found = (await ask(trial, "/v1/consort"))["result"]
    total = found["total"]
    assert (found["screened"], total["enrolled"], total["infused"], total["died"]) == (4, 4, 3, 1)
    assert (total["in_follow_up"], total["not_infused"]) == (2, [{"reason": "awaiting-infusion", "n": 1}])
    analysed = {each["outcome"]: each["n"] for each in total["analysed"]}
    assert analysed == {"adverse-events": 3, "response-rate": 3, "persistence": 3, "cytokines": 3}
    assert "\r\n,analysed,persistence,3\r\n" in await ask(trial, "/v1/consort", accept="text/csv")


async def test_the_workload_of_sites(trial: House) -> None:
    found = {each["site_id"]: each for each in (await ask(trial, "/v1/site-workload"))["result"]}
    assert {site: (each["participants"], each["in_follow_up"]) for site, each in found.items()} == {
        "CU": (2, 1),
        "SI": (2, 1),
    }
    assert (found["SI"]["awaiting_infusion"], found["CU"]["unacknowledged_alerts"]) == (1, 2)
    assert await ask(trial, "/v1/site-workload", accept="text/csv")
    async with trial.client(Role.COORDINATOR, sites=["SI"]) as client:
        assert [each["site_id"] for each in (await client.get("/v1/site-workload")).json()["result"]] == ["SI"]
