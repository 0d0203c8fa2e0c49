"""Lesions and assessments over HTTP: recorded, repeated, corrected, overridden, refused."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts.efficacy import ResponseAssigned, TumourAssessed
from shared.kernel.actor import Role
from shared.kernel.decider import Command
from tests.services.efficacy.api.trial import BURDEN, Trial
from tests.services.efficacy.domain.builders import (
    PARTICIPANT,
    a_baseline,
    a_correction,
    a_lesion,
    an_assessment,
    an_id,
)

MONTH_1 = f"/assessments/{an_id('month 1')}"


async def test_an_assessment_is_answered_with_its_response(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await trial.record(a_lesion(), a_baseline())
    answer = await trial.post("/assessments", an_assessment(targets="T01=76x50"))
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{BURDEN}{MONTH_1}"
    assert (answer.headers["ETag"], answer.headers["Trial-Position"]) == ('"5"', f"tumour-burden:{PARTICIPANT}@5")
    assert answer.json()["id"] == str(an_id("month 1"))

    found = await trial.get(MONTH_1)
    assert found.headers["ETag"] == '"5"'
    assert found.json()["targets"][0]["longest_mm"] == "76"
    response = found.json()["response"]
    assert (response["response"], response["assigned"], response["rule"]) == ("PD", "PD", "growth-over-nadir")
    assert (response["criteria"], response["protocol"], response["override"]) == ("SEED_V1", "CMD03@1.0.0", None)
    assert response["basis"]["progression_above"] == "125"


async def test_numbers_stay_exact_however_they_are_written(trial: Trial) -> None:
    await trial.record(a_lesion(), a_baseline())
    body = (
        '{"assessed_on":"2026-02","modality":"ct","non_target":"none","targets":[{"lesion_id":"%s","state":"measured",'
    )
    body = body % an_id("T01") + '"longest_mm":75.001,"perpendicular_mm":50.0}]}'
    headers = trial.headers(Role.SYSTEM) | {"Content-Type": "application/json"}
    answer = await trial.client.post(f"{BURDEN}/assessments", content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found = (await trial.get(f"/assessments/{answer.json()['id']}")).json()
    assert found["targets"][0]["longest_mm"] == "75.001"
    assert (found["response"]["response"], found["response"]["basis"]["sum"]) == ("PD", "125.001")


async def test_the_same_request_again_is_answered_as_the_first_time(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await trial.progressed()
    again = await trial.post("/assessments", a_baseline())
    assert (again.status_code, again.headers["ETag"]) == (201, '"2"')
    assert again.headers["Idempotent-Replayed"] == "true"
    again = await trial.post("/lesions", a_lesion())
    assert (again.status_code, again.headers["ETag"]) == (201, '"1"')
    assert len((await trial.get("/tumour-burden/history")).json()) == 5


async def test_an_idempotency_key_stands_for_the_id(trial: Trial) -> None:
    await trial.record(a_lesion(), a_baseline())
    body = an_assessment().model_dump(mode="json") | {"assessment_id": None}
    first = await trial.post("/assessments", body, Idempotency_Key="scan 4711")
    second = await trial.post("/assessments", body, Idempotency_Key="scan 4711")
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    other = await trial.post("/assessments", body | {"assessed_on": "2026-02-02"}, Idempotency_Key="scan 4711")
    assert (other.status_code, other.json()["type"]) == (409, "other-content-on-record")


async def test_another_content_under_the_same_id_is_refused(trial: Trial) -> None:
    await trial.progressed()
    answer = await trial.post("/assessments", an_assessment(targets="T01=50x50"))
    assert (answer.status_code, answer.json()["type"]) == (409, "other-content-on-record")


async def test_assessments_recorded_at_once_are_all_recorded_and_judged(trial_on_both: Trial) -> None:
    """No request names a version, so none may be lost to another; each is decided on top of those before."""
    trial = trial_on_both
    await trial.record(a_lesion(), a_baseline())
    visits = [an_assessment(f"v{n}", f"T01={50 - 5 * n}x20", assessed_on=f"2026-0{n + 2}-01") for n in range(5)]
    answers = await asyncio.gather(*[trial.post("/assessments", visit) for visit in visits])
    assert [answer.status_code for answer in answers] == [201] * 5
    events = await trial.store.read(f"tumour-burden:{PARTICIPANT}")
    assert sum(isinstance(event, TumourAssessed) for event in events) == 6
    current = {event.assessment_id: event.basis for event in events if isinstance(event, ResponseAssigned)}
    nadirs = [current[an_id(f"v{n}")].nadir_sum for n in range(5)]
    assert [str(nadir) for nadir in nadirs] == ["100", "70", "65", "60", "55"]


async def test_a_late_assessment_changes_the_responses_after_it(trial: Trial) -> None:
    await trial.record(a_lesion(), a_baseline(), an_assessment("month 3", "T01=26x26", assessed_on="2026-04-01"))
    assert (await trial.response("month 3"))["response"] == "SD"
    await trial.record(an_assessment("month 1", "T01=20x20", assessed_on="2026-02"))
    assert (await trial.response("month 3"))["response"] == "PD"
    names = [each["assessment_id"] for each in (await trial.get("/tumour-burden")).json()["assessments"]]
    assert names == [str(an_id(name)) for name in ("baseline", "month 1", "month 3")]


async def test_a_correction_names_the_version_and_the_reason(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await trial.progressed()
    body = a_correction(targets="T01=75x50").model_dump(mode="json")
    missing = await trial.post(f"{MONTH_1}/correct", body)
    assert (missing.status_code, missing.json()["type"]) == (428, "missing-if-match")
    stale = await trial.post(f"{MONTH_1}/correct", body, If_Match='"2"')
    assert (stale.status_code, stale.json()["type"], stale.json()["current_version"]) == (412, "stale-version", 5)
    done = await trial.post(f"{MONTH_1}/correct", body, If_Match='"5"')
    assert (done.status_code, done.headers["ETag"]) == (200, '"8"')
    assert (await trial.response())["response"] == "SD"
    again = await trial.post(f"{MONTH_1}/correct", body, If_Match='"5"')
    assert (again.status_code, again.headers["ETag"], again.headers["Idempotent-Replayed"]) == (200, '"8"', "true")
    history = (await trial.get("/tumour-burden/history")).json()
    assert (history[5]["type"], history[5]["reason"]) == ("efficacy.assessment-corrected", "Transcription error")
    assert (history[5]["actor"], history[5]["role"]) == ("a radiologist", "radiologist")


async def test_an_override_and_the_assigned_response_both_stay_visible(trial: Trial) -> None:
    await trial.progressed()
    body = {"response": "SD", "reason": "Oedema after the infusion, no growth"}
    done = await trial.change(f"{MONTH_1}/override-response", body)
    assert (done.status_code, done.json()["id"]) == (200, str(an_id("month 1")))
    response = await trial.response()
    assert (response["response"], response["assigned"]) == ("SD", "PD")
    assert response["override"] == {
        "response": "SD",
        "assigned": "PD",
        "reason": body["reason"],
        "basis_changed": False,
    }

    correction = a_correction(targets="T01=90x50").model_dump(mode="json")
    await trial.change(f"{MONTH_1}/correct", correction)
    response = await trial.response()
    assert (response["response"], response["override"]["basis_changed"]) == ("SD", True)

    await trial.change(f"{MONTH_1}/withdraw-override", {"reason": "Growth was confirmed"})
    assert ((await trial.response())["response"], (await trial.response())["override"]) == ("PD", None)


async def test_what_was_retracted_stays_readable_and_no_longer_counts(trial: Trial) -> None:
    await trial.progressed()
    assert (await trial.change(f"{MONTH_1}/retract", {"reason": "Images of another participant"})).status_code == 200
    found = (await trial.get(MONTH_1)).json()
    assert (found["retracted"], found["response"]) == (True, None)
    again = await trial.change(f"{MONTH_1}/correct", a_correction(targets="T01=9x9").model_dump(mode="json"))
    assert (again.status_code, again.json()["type"]) == (409, "assessment-was-retracted")


async def test_a_lesion_is_read_corrected_and_retracted(trial: Trial) -> None:
    await trial.record(a_lesion())
    path = f"/lesions/{an_id('T01')}"
    correction = {"label": "T01", "role": "target", "organ": "kidney", "laterality": "left", "reason": "Other report"}
    assert (await trial.change(f"{path}/correct", correction)).status_code == 200
    found = (await trial.get(path)).json()
    assert (found["organ"], found["laterality"], found["retracted"]) == ("kidney", "left", False)
    assert (await trial.change(f"{path}/retract", {"reason": "A cyst"})).status_code == 200
    assert (await trial.get(path)).json()["retracted"] is True


async def test_a_participant_without_any_record_has_an_empty_burden(trial: Trial) -> None:
    found = await trial.get("/tumour-burden")
    assert (found.status_code, found.headers["ETag"]) == (200, '"0"')
    assert found.json() == {"participant_id": str(PARTICIPANT), "site_id": "CU", "lesions": [], "assessments": []}
    assert (await trial.get("/tumour-burden/history")).json() == []


ABSENT = {"reason": "Not there"}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (f"/lesions/{UUID(int=7)}/retract", ABSENT, "no-such-lesion"),
        (f"/assessments/{UUID(int=7)}/retract", ABSENT, "no-such-assessment"),
        (f"/assessments/{UUID(int=7)}/override-response", ABSENT | {"response": "SD"}, "no-such-assessment"),
    ],
)
async def test_what_does_not_exist_is_not_found_whatever_the_version(
    trial: Trial, path: str, body: dict[str, Any], code: str
) -> None:
    answer = await trial.post(path, body, Role.INVESTIGATOR, If_Match='"7"')
    assert (answer.status_code, answer.json()["type"]) == (404, code)
    if not path.endswith("response"):
        read = await trial.get(path.removesuffix("/retract"))
        assert (read.status_code, read.json()["type"]) == (404, code)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"assessed_on": "2027-01-01"}, 422, "assessed-in-the-future"),
        ({"targets": []}, 422, "target-lesion-left-out"),
        ({"targets": [{"lesion_id": str(uuid4()), "state": "absent"}]}, 422, "unknown-target-lesion"),
        ({"baseline": True}, 409, "baseline-on-record"),
        ({"non_target": "gone"}, 422, "invalid-request"),
        ({"evaluator": "independent-assessor"}, 422, "invalid-request"),
        ({"comment": "x"}, 422, "invalid-request"),
        ({"new_lesions": [{"label": "T01", "organ": "lung", "certainty": "equivocal"}]}, 422, "label-of-known-lesion"),
    ],
)
async def test_what_cannot_be_is_refused(trial: Trial, changed: dict[str, Any], status: int, code: str) -> None:
    await trial.record(a_lesion(), a_baseline())
    answer = await trial.post("/assessments", an_assessment().model_dump(mode="json") | changed)
    assert (answer.status_code, answer.json()["type"]) == (status, code)


@pytest.mark.parametrize(
    ("measurement", "why"),
    [
        ({"state": "measured", "longest_mm": "20", "perpendicular_mm": "21"}, "may not exceed"),
        ({"state": "measured", "longest_mm": "20"}, "needs longest_mm and perpendicular_mm"),
        ({"state": "absent", "longest_mm": "0", "perpendicular_mm": "0"}, "greater than 0"),
    ],
)
async def test_an_impossible_measurement_is_named_by_its_place(
    trial: Trial, measurement: dict[str, Any], why: str
) -> None:
    await trial.record(a_lesion())
    body = a_baseline().model_dump(mode="json") | {"targets": [{"lesion_id": str(an_id("T01"))} | measurement]}
    answer = await trial.post("/assessments", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["at"].startswith("/targets/0")
    assert why in answer.json()["errors"][0]["why"]


@pytest.mark.parametrize(
    ("targets", "code"), [("T01=60x9.9", "target-too-small-at-baseline"), ("T01=NE", "target-not-measured-at-baseline")]
)
async def test_a_baseline_measures_every_target(trial: Trial, targets: str, code: str) -> None:
    await trial.record(a_lesion())
    answer = await trial.post("/assessments", a_baseline(targets))
    assert (answer.status_code, answer.json()["type"]) == (422, code)


async def test_a_non_target_lesion_needs_a_status(trial: Trial) -> None:
    await trial.record(a_lesion(), a_lesion("NT01", role="non-target"))
    answer = await trial.post("/assessments", a_baseline())
    assert (answer.status_code, answer.json()["type"]) == (422, "non-target-status-missing")


async def test_the_rules_of_choosing_targets_are_problems_of_their_own(trial: Trial) -> None:
    await trial.record(*[a_lesion(f"T{n}", organ=organ) for n, organ in enumerate(("liver", "liver", "lung", "bone"))])
    refused: dict[str, Command | dict[str, Any]] = {
        "label-taken": a_lesion("other").model_dump(mode="json") | {"label": "T1"},
        "too-many-targets-in-one-organ": a_lesion("T8"),
        "invalid-request": a_lesion("T8").model_dump(mode="json") | {"organ": "other"},
    }
    for code, body in refused.items():
        assert (await trial.post("/lesions", body)).json()["type"] == code
    await trial.record(a_lesion("T4", organ="brain"))
    assert (await trial.post("/lesions", a_lesion("T5", organ="skin"))).json()["type"] == "too-many-targets"
    await trial.record(a_baseline("|".join(f"T{n}=20x20" for n in range(5))))
    answer = await trial.post("/lesions", a_lesion("NT1", role="non-target"))
    assert (answer.status_code, answer.json()["type"]) == (409, "baseline-already-assessed")


async def test_a_baseline_has_nothing_to_override(trial: Trial) -> None:
    await trial.progressed()
    path = f"/assessments/{an_id('baseline')}/override-response"
    answer = await trial.change(path, {"response": "SD", "reason": "Not so"})
    assert (answer.status_code, answer.json()["type"]) == (409, "nothing-to-override")


async def test_the_body_may_not_name_another_assessment_than_the_path(trial: Trial) -> None:
    await trial.progressed()
    body = {"assessment_id": str(an_id("baseline")), "reason": "Mixed up"}
    answer = await trial.change(f"{MONTH_1}/retract", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "another-id-in-the-body")


async def test_a_stated_response_is_shown_beside_the_assigned_one(trial: Trial) -> None:
    await trial.progressed()
    body = {"criteria": "SEED_V1", "response": "SD", "stated_on": "2026-02"}
    headers = trial.headers(Role.SYSTEM) | {"If-Match": (await trial.get(MONTH_1)).headers["ETag"]}
    answer = await trial.client.post(f"{BURDEN}{MONTH_1}/report-response", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found = (await trial.get(MONTH_1)).json()
    assert (found["response"]["response"], found["response"]["override"]) == ("PD", None)
    assert found["reported"] == [{**body, "of": "overall", "computed": "PD", "agrees": False}]
