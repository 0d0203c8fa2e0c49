"""A participant over HTTP: a whole course, what it answers, and what it refuses."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.auth.permissions import EVERYBODY
from shared.kernel.actor import Role
from shared.kernel.decider import Command
from tests.services.enrollment import builders
from tests.services.enrollment.api.requests import (
    UNTIL_ENROLLED,
    UNTIL_INFUSED,
    UNTIL_PREPARED,
    UNTIL_TREATED,
    VERBS,
    a_screening,
    steps,
)
from tests.services.enrollment.builders import WHO
from tests.services.enrollment.conftest import Caller, do

NOON = "2026-03-12T12:00:00+07:00"  # of the second day of the usual lymphodepletion
PATH = f"/v1/participants/{WHO}"


async def course(client: httpx.AsyncClient, taken: list[tuple[str, Any]]) -> None:
    screened = await client.post("/v1/participants", json=a_screening())
    assert screened.status_code == 201, screened.text
    for verb, body in taken:
        done = await do(client, WHO, verb, body)
        assert done.status_code == 200, done.text


async def test_a_person_is_screened(coordinator: httpx.AsyncClient) -> None:
    answer = await coordinator.post("/v1/participants", json=a_screening())
    assert answer.status_code == 201
    assert answer.json() == {"id": str(WHO), "version": 1, "position": f"participant:{WHO}@1"}
    assert answer.headers["Location"] == f"/enrollment{PATH}"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Trial-Position"] == f"participant:{WHO}@1"


async def test_a_participant_shows_the_schedule_that_follows_from_the_infusion(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_INFUSED)
    answer = await coordinator.get(PATH)
    shown = answer.json()
    assert answer.headers["ETag"] == f'"{shown["version"]}"' == '"6"'
    assert (shown["status"], shown["subject_number"], shown["screening_number"]) == ("infused", "CU-001", "CU-001-S1")
    assert shown["day_zero"] == "2026-03-16T10:00:00+07:00"
    visits = {visit["visit"]: visit for visit in shown["schedule"]}
    assert list(visits)[-8:] == ["D7", "D14", "D21", "D30", "D60", "D90", "M6", "M12"]
    assert (visits["D7"]["opens"], visits["D7"]["nominal"], visits["D7"]["closes"]) == (
        "2026-03-22",
        "2026-03-23",
        "2026-03-24",
    )
    assert "car-t-flow" in visits["D7"]["due"]


async def test_a_participant_shows_consents_assessment_and_dose(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_INFUSED)
    shown = (await coordinator.get(PATH)).json()
    assert [(each["consent_number"], each["kind"]) for each in shown["consents"]] == [(1, "guardian"), (2, "assent")]
    assert shown["consent_gaps"] == []
    assert (shown["eligibility"]["outcome"], shown["eligibility"]["uncounted"]) == (
        "eligible",
        ["AN-19", "AN-20", "AN-21"],
    )
    assert shown["enrolment"] == {"enrolled_on": "2026-03-09", "dose_level": "DL1"}
    assert [each["total_car_positive_cells"] for each in shown["infusions"]] == ["9250000"]


async def test_before_the_infusion_there_is_no_schedule_and_gaps_are_told(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, [])
    shown = (await coordinator.get(PATH)).json()
    assert (shown["day_zero"], shown["schedule"], shown["eligibility"], shown["enrolment"]) == (None, [], None, None)
    assert shown["consent_gaps"] == ["guardian-consent-missing", "assent-missing"]


async def test_the_history_says_who_did_what_when_and_why(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, steps(builders.consent(), builders.data_correction()))
    history = (await coordinator.get(f"{PATH}/history")).json()
    assert [entry["type"] for entry in history] == [
        "enrollment.participant-screened",
        "enrollment.consent-obtained",
        "enrollment.screening-data-corrected",
    ]
    assert {(entry["actor"], entry["role"]) for entry in history} == {("coordinator-1", "coordinator")}
    assert [entry["reason"] for entry in history] == [None, None, "The referral letter says April"]
    assert history[2]["data"]["birth_month"] == "2017-04"


@pytest.mark.parametrize(
    ("taken", "status"),
    [
        (steps(*builders.CONSENTED[1:], builders.screen_failure(), builders.rescreening()), "screening"),
        (steps(*builders.CONSENTED[1:], builders.consent_correction()), "screening"),
        (UNTIL_INFUSED + steps(builders.infusion_correction()), "infused"),
        (UNTIL_INFUSED + steps(builders.infusion_retraction()), "enrolled"),
        (UNTIL_INFUSED + steps(builders.off_treatment(), builders.loss()), "lost-to-follow-up"),
        (UNTIL_INFUSED + steps(builders.loss(), builders.retraction("lost-to-follow-up")), "infused"),
        (UNTIL_INFUSED + steps(builders.withdrawal()), "withdrawn"),
        (UNTIL_INFUSED + steps(builders.completion()), "completed"),
        (UNTIL_INFUSED + steps(builders.death()), "died"),
    ],
)
async def test_every_verb_leads_where_it_should(
    coordinator: httpx.AsyncClient, taken: list[tuple[str, Any]], status: str
) -> None:
    await course(coordinator, taken)
    assert (await coordinator.get(PATH)).json()["status"] == status


async def test_the_endings_are_shown_with_their_terms(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_INFUSED + steps(builders.off_treatment(), builders.death()))
    assert (await coordinator.get(PATH)).json()["endings"] == [
        {"status": "off-treatment", "on": "2026-04-20", "disposition": "PROGRESSIVE DISEASE"},
        {"status": "died", "on": "2026-08", "disposition": "DEATH"},
    ]


@pytest.mark.parametrize(
    ("taken", "command", "status", "code"),
    [
        ([], builders.enrolment(), 409, "consent-not-valid"),
        (steps(*builders.CONSENTED[1:]), builders.enrolment(), 409, "not-eligible"),
        (steps(*builders.ELIGIBLE[1:]), builders.enrolment(dose_level="DL9"), 422, "unknown-dose-level"),
        (steps(*builders.ELIGIBLE[1:]), builders.infusion(), 409, "not-at-this-point-of-participation"),
        (UNTIL_ENROLLED, builders.infusion("2026-03-08T10:00:00+07:00"), 409, "infusion-before-enrolment"),
        (UNTIL_ENROLLED, builders.lymphodepletion(drugs=[builders.drug_given("melphalan")]), 422, "unknown-drug"),
        (UNTIL_ENROLLED, builders.lymphodepletion(drugs=[builders.drug_given(unit="g")]), 422, "unknown-dose-unit"),
        (UNTIL_ENROLLED, builders.lymphodepletion(drugs=[builders.drug_given()] * 2), 422, "drug-given-twice"),
        (UNTIL_ENROLLED, builders.lymphodepletion(first_dose_at=NOON), 422, "first-dose-disagrees"),
        (UNTIL_ENROLLED, builders.lymphodepletion(prepares_infusion=2), 409, "lymphodepletion-out-of-order"),
        (
            UNTIL_ENROLLED,
            builders.lymphodepletion(drugs=[builders.drug_given("fludarabine", "2026-03-08")]),
            409,
            "lymphodepletion-before-enrolment",
        ),
        (
            UNTIL_INFUSED,
            builders.lymphodepletion(drugs=[builders.drug_given("fludarabine", "2026-03-17")]),
            409,
            "lymphodepletion-out-of-order",
        ),
        (
            UNTIL_PREPARED,
            builders.infusion("2026-03-10T10:00:00+07:00"),
            409,
            "infusion-before-lymphodepletion",
        ),
        (
            UNTIL_PREPARED,
            builders.lymphodepletion(drugs=[builders.drug_given()]),
            409,
            "lymphodepletion-already-recorded",
        ),
        (UNTIL_ENROLLED, builders.lymphodepletion_correction(), 404, "no-such-lymphodepletion"),
        (UNTIL_ENROLLED, builders.lymphodepletion_retraction(), 404, "no-such-lymphodepletion"),
        (UNTIL_ENROLLED, builders.infusion("2028-03-08T10:00:00+07:00"), 422, "in-the-future"),
        (UNTIL_ENROLLED, builders.infusion(total_car_positive_cells="9"), 422, "dose-disagrees"),
        (UNTIL_ENROLLED, builders.infusion(lot=None), 422, "dose-incomplete"),
        (UNTIL_ENROLLED, builders.infusion_correction(), 404, "no-such-infusion"),
        (UNTIL_INFUSED, builders.infusion("2026-03-16T10:10:00+07:00"), 409, "infusion-out-of-order"),
        (UNTIL_ENROLLED, builders.therapy(), 409, "not-at-this-point-of-participation"),
        (UNTIL_INFUSED, builders.therapy("2026-03-15"), 409, "therapy-before-infusion"),
        (UNTIL_INFUSED, builders.therapy("2029"), 422, "in-the-future"),
        (UNTIL_TREATED, builders.therapy("2026-06"), 409, "anticancer-therapy-already-recorded"),
        (UNTIL_INFUSED, builders.therapy_correction(), 404, "no-such-anticancer-therapy"),
        (UNTIL_INFUSED, builders.therapy_retraction(), 404, "no-such-anticancer-therapy"),
        (UNTIL_INFUSED, builders.contact_retraction(), 404, "no-such-follow-up-contact"),
        (UNTIL_TREATED, builders.death("2026-04"), 422, "out-of-order"),
        (UNTIL_INFUSED, builders.completion("2026-06-01"), 422, "follow-up-not-over"),
        (UNTIL_INFUSED, builders.death("2026-03-01"), 422, "out-of-order"),
        (UNTIL_INFUSED, builders.retraction("died"), 409, "no-such-ending"),
        ([], builders.consent("own"), 422, "not-theirs-to-give"),
        ([], builders.consent(obtained_on="2016-01-01"), 422, "before-birth"),
        ([], builders.consent_correction(), 404, "no-such-consent"),
        ([], builders.assessment(AN_99={"flag": True}), 422, "evidence-not-asked-for"),
    ],
)
async def test_what_breaks_a_rule_is_answered_as_a_problem(
    coordinator: httpx.AsyncClient, taken: list[tuple[str, Any]], command: Command, status: int, code: str
) -> None:
    await course(coordinator, taken)
    [(verb, body)] = steps(command)
    before = (await coordinator.get(PATH)).headers["ETag"]
    answer = await do(coordinator, WHO, verb, body)
    assert (answer.status_code, answer.json()["type"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await coordinator.get(PATH)).headers["ETag"] == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (a_screening(site_id="SIRIRAJ"), 404, "no-such-site"),
        (a_screening(screened_on="2027-06-02"), 422, "in-the-future"),
        (a_screening(screened_on="2016-01-01"), 422, "before-birth"),
        (a_screening() | {"birth_date": "2017-03-14"}, 422, "invalid-request"),
        (a_screening() | {"name": "somebody"}, 422, "invalid-request"),
        (a_screening() | {"participant_id": "CU-001"}, 422, "invalid-request"),
    ],
)
async def test_a_screening_that_breaks_a_rule_is_refused(
    sponsor: httpx.AsyncClient, caller: Caller, body: Any, status: int, code: str
) -> None:
    everywhere = caller(Role.COORDINATOR, "*")
    answer = await everywhere.post("/v1/participants", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, code)
    site = await sponsor.get("/v1/sites/CU")
    assert site.json()["participants"] == 0


async def test_a_problem_points_at_the_place_and_quotes_nothing(coordinator: httpx.AsyncClient) -> None:
    answer = await coordinator.post("/v1/participants", json=a_screening() | {"birth_month": "2017-03-14"})
    assert answer.json()["errors"][0]["at"] == "/birth_month"
    assert "2017-03-14" not in answer.text


async def test_the_same_screening_twice_is_one_person(
    coordinator: httpx.AsyncClient, sponsor: httpx.AsyncClient
) -> None:
    first = await coordinator.post("/v1/participants", json=a_screening())
    second = await coordinator.post("/v1/participants", json=a_screening())
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (await sponsor.get("/v1/sites/CU")).json()["participants"] == 1


async def test_another_person_under_the_same_id_is_refused(coordinator: httpx.AsyncClient) -> None:
    await coordinator.post("/v1/participants", json=a_screening())
    answer = await coordinator.post("/v1/participants", json=a_screening(birth_month="2018-01"))
    assert (answer.status_code, answer.json()["type"]) == (409, "other-content-on-record")


async def test_the_key_of_a_request_makes_it_one_person(coordinator: httpx.AsyncClient) -> None:
    body, key = a_screening(None), {"Idempotency-Key": "screening-17"}
    first = await coordinator.post("/v1/participants", json=body, headers=key)
    again = await coordinator.post("/v1/participants", json=body, headers=key)
    other = await coordinator.post("/v1/participants", json=body)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    changed = await coordinator.post("/v1/participants", json=body | {"sex": "M"}, headers=key)
    assert (changed.status_code, changed.json()["type"]) == (409, "other-content-on-record")


async def test_one_label_is_one_person_at_a_site(coordinator: httpx.AsyncClient) -> None:
    first, second = (a_screening(uuid4(), subject_label="01-701-1015") for _ in range(2))
    assert (await coordinator.post("/v1/participants", json=first)).status_code == 201
    answer = await coordinator.post("/v1/participants", json=second)
    assert (answer.status_code, answer.json()["type"]) == (409, "subject-label-taken")


async def test_a_change_needs_the_version_it_was_decided_on(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, [])
    [(verb, body)] = steps(builders.consent())
    path = f"{PATH}/{verb}"
    missing = await coordinator.post(path, json=body)
    assert (missing.status_code, missing.json()["type"]) == (428, "missing-if-match")
    done = await coordinator.post(path, json=body, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    again = await coordinator.post(path, json=body, headers={"If-Match": '"1"'})
    assert (again.status_code, again.headers["Idempotent-Replayed"], again.json()) == (200, "true", done.json())
    [(_, other)] = steps(builders.consent("assent"))
    stale = await coordinator.post(path, json=other, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["type"], stale.json()["current_version"]) == (412, "stale-version", 2)


async def test_a_lymphodepletion_is_shown_corrected_and_taken_back(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_PREPARED)
    [shown] = (await coordinator.get(PATH)).json()["lymphodepletions"]
    assert (shown["lymphodepletion_id"], shown["prepares_infusion"]) == (str(builders.COURSE), 1)
    assert (shown["began_on"], shown["first_dose_at"]) == ("2026-03-11", None)
    assert [(each["drug"], each["dose"], each["unit"], each["route"]) for each in shown["drugs"]] == [
        ("fludarabine", "30", "mg/m2", "intravenous"),
        ("cyclophosphamide", "500", "mg/m2", "intravenous"),
    ]
    for verb, body in steps(builders.lymphodepletion_correction(first_dose_at="2026-03-11T09:00:00+07:00")):
        assert (await do(coordinator, WHO, verb, body)).status_code == 200
    [shown] = (await coordinator.get(PATH)).json()["lymphodepletions"]
    assert (shown["first_dose_at"], len(shown["drugs"])) == ("2026-03-11T09:00:00+07:00", 1)
    for verb, body in steps(builders.lymphodepletion_retraction()):
        assert (await do(coordinator, WHO, verb, body)).status_code == 200
    assert (await coordinator.get(PATH)).json()["lymphodepletions"] == []
    history = (await coordinator.get(f"{PATH}/history")).json()
    assert [entry["reason"] for entry in history[-2:]] == [
        "Cyclophosphamide was not given",
        "Entered for the wrong participant",
    ]


async def test_a_new_anticancer_therapy_is_shown_corrected_and_taken_back(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_TREATED)
    for verb, body in steps(builders.therapy("2026-04-20", therapy_id=uuid4(), kind="surgery")):
        assert (await do(coordinator, WHO, verb, body)).status_code == 200
    surgery, radiotherapy = (await coordinator.get(PATH)).json()["anticancer_therapies"]
    assert (surgery["kind"], surgery["started_on"]) == ("surgery", "2026-04-20")
    assert radiotherapy == {"therapy_id": str(builders.THERAPY), "kind": "radiotherapy", "started_on": "2026-05"}
    for verb, body in steps(builders.therapy_correction(), builders.therapy_retraction()):
        assert (await do(coordinator, WHO, verb, body)).status_code == 200
    assert [each["kind"] for each in (await coordinator.get(PATH)).json()["anticancer_therapies"]] == ["surgery"]
    history = (await coordinator.get(f"{PATH}/history")).json()
    assert [entry["reason"] for entry in history[-2:]] == [
        "The letter tells the day",
        "Entered for the wrong participant",
    ]


async def test_a_therapy_is_of_a_kind_on_the_list_and_no_drug_is_named(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_INFUSED)
    [(verb, body)] = steps(builders.therapy())
    for changed in ({"kind": "homeopathy"}, {"drug": "topotecan"}):
        answer = await do(coordinator, WHO, verb, body | changed)
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid-request")


async def test_an_unknown_drug_is_told_which_are_known(coordinator: httpx.AsyncClient) -> None:
    await course(coordinator, UNTIL_ENROLLED)
    [(verb, body)] = steps(builders.lymphodepletion(drugs=[builders.drug_given("melphalan")]))
    told = (await do(coordinator, WHO, verb, body)).json()
    assert told["detail"] == "for lymphodepletion the protocol lists fludarabine, cyclophosphamide"


async def test_decimals_are_kept_exact(coordinator: httpx.AsyncClient) -> None:
    [(verb, body)] = steps(builders.infusion())
    await course(coordinator, UNTIL_ENROLLED)
    seen = (await coordinator.get(PATH)).headers["ETag"]
    exact = {"weight_kg": "18.50", "cells_per_kg": "500000.000", "total_car_positive_cells": "9250000"}
    await coordinator.post(f"{PATH}/{verb}", json=body | exact, headers={"If-Match": seen})
    assert [(await coordinator.get(PATH)).json()["infusions"][0][name] for name in exact] == list(exact.values())


async def test_another_sites_participant_is_unknown(coordinator: httpx.AsyncClient, caller: Caller) -> None:
    await course(coordinator, UNTIL_INFUSED)
    elsewhere = caller(Role.INVESTIGATOR, "KKU")
    nobody = f"/v1/participants/{uuid4()}"
    for path in (PATH, f"{PATH}/history"):
        there, nowhere = await elsewhere.get(path), await elsewhere.get(path.replace(PATH, nobody))
        assert (there.status_code, there.json()["type"]) == (404, "no-such-participant")
        assert there.json()["detail"] == nowhere.json()["detail"]
    for verb in set(VERBS.values()) - {"decide-eligibility-exception", "transfer"}:  # the sponsor acts for every site
        [body] = [body for known, body in EVERY_VERB if known == verb]
        for version in ('"1"', '"6"', '"99"'):
            answer = await elsewhere.post(f"{PATH}/{verb}", json=body, headers={"If-Match": version})
            assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
    screened = await elsewhere.post("/v1/participants", json=a_screening(uuid4()))
    assert (screened.status_code, screened.json()["type"]) == (404, "no-such-site")


EVERY_VERB = steps(
    builders.rescreening(),
    builders.data_correction(),
    builders.transferral(),
    builders.consent(),
    builders.consent_correction(),
    builders.assessment(),
    builders.exception_request(),
    builders.exception_decision(),
    builders.enrolment(),
    builders.lymphodepletion(),
    builders.lymphodepletion_correction(),
    builders.lymphodepletion_retraction(),
    builders.infusion(),
    builders.infusion_correction(),
    builders.infusion_retraction(),
    builders.therapy(),
    builders.therapy_correction(),
    builders.therapy_retraction(),
    builders.contact(),
    builders.contact_retraction(),
    builders.screen_failure(),
    builders.off_treatment(),
    builders.loss(),
    builders.withdrawal(),
    builders.restoration(),
    builders.completion(),
    builders.death(),
    builders.retraction("died"),
)
MAY_ENTER = {Role.COORDINATOR, Role.INVESTIGATOR, Role.SYSTEM}
BY_ROLE = {
    "transfer": {Role.SPONSOR},
    "request-eligibility-exception": {Role.INVESTIGATOR},
    "decide-eligibility-exception": {Role.SPONSOR},
}


async def test_who_is_not_eligible_is_enrolled_where_two_people_agree(caller: Caller) -> None:
    doctor, sponsor = caller(Role.INVESTIGATOR), caller(Role.SPONSOR)
    await course(doctor, [*steps(builders.consent(), builders.consent("assent"))])
    ((assess, body),) = steps(builders.assessment(AN_04={"number": "6", "unit": "{xULN}"}))
    await do(doctor, WHO, assess, body)
    ((ask, asked), (decide, decided), (enrol, enrolled)) = steps(
        builders.exception_request(), builders.exception_decision(), builders.enrolment()
    )
    refused = await do(doctor, WHO, enrol, enrolled)
    assert (refused.status_code, refused.json()["type"]) == (409, "not-eligible")
    assert (await do(doctor, WHO, ask, asked)).status_code == 200
    assert (await do(doctor, WHO, decide, decided)).status_code == 403
    assert (await do(doctor, WHO, enrol, enrolled)).status_code == 409
    assert (await do(sponsor, WHO, decide, decided)).status_code == 200
    assert (await do(doctor, WHO, enrol, enrolled)).status_code == 200
    shown = (await doctor.get(PATH)).json()
    assert shown["status"] == "enrolled"
    assert shown["eligibility_exception"]["granted"] is True
    assert (await doctor.get(f"{PATH}/history")).json()[-1]["data"]["criteria_excepted"] == ["AN-04"]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_who_may_enter_data_and_who_may_read(coordinator: httpx.AsyncClient, caller: Caller, role: Role) -> None:
    await course(coordinator, [])
    client = caller(role, "CU")
    own = {Role.RADIOLOGIST, Role.LABORATORY, Role.MANUFACTURING, Role.QUALITY}
    read = 403 if role in own else 200
    assert (await client.get(PATH)).status_code == read
    assert (await client.get(f"{PATH}/history")).status_code == read
    assert len(EVERY_VERB) == len(VERBS)
    for verb, body in EVERY_VERB:
        answer = await client.post(f"{PATH}/{verb}", json=body, headers={"If-Match": '"99"'})
        # A version that nobody has seen: 412 says that the caller got as far as the participant.
        assert answer.status_code == (412 if role in BY_ROLE.get(verb, MAY_ENTER) else 403)
    screened = await client.post("/v1/participants", json=a_screening(uuid4()))
    assert screened.status_code == (201 if role in MAY_ENTER else 403)


async def test_nobody_calls_without_a_token(app: Any) -> None:
    stranger = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trial")
    for path in (PATH, f"{PATH}/history", "/v1/sites/CU", "/v1/sites/CU/history"):
        assert (await stranger.get(path)).status_code == 401
    assert (await stranger.post("/v1/participants", json=a_screening())).status_code == 401


async def test_a_participant_nobody_screened_is_unknown(coordinator: httpx.AsyncClient) -> None:
    answer = await coordinator.get(f"/v1/participants/{uuid4()}")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-participant")
