"""Flow results over HTTP: recorded, repeated, corrected, cancelled, refused."""

from typing import Any
from uuid import uuid4

import pytest

from shared.kernel.actor import Role
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import ALC, PARTICIPANT, RESULT, a_flow_report

RESULTS = "/v1/flow-results"
WITH_ID: dict[str, Any] = {"flow_result_id": str(RESULT), "participant_id": str(PARTICIPANT)}


async def test_a_result_is_recorded_and_read_back_with_its_absolute_count(trial_on_both: Trial) -> None:
    trial = trial_on_both
    answer = await trial.post(RESULTS, {**WITH_ID, **a_flow_report()})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{RESULTS}/{RESULT}"
    assert (answer.headers["ETag"], answer.headers["Trial-Position"]) == ('"1"', f"flow-result:{RESULT}@1")
    assert answer.json() == {"id": str(RESULT), "version": 1, "position": f"flow-result:{RESULT}@1"}

    found = await trial.get(f"{RESULTS}/{RESULT}")
    assert found.headers["ETag"] == '"1"'
    result = found.json()
    assert (result["status"], result["superseded"], result["cancellation"]) == ("final", [], None)
    assert result["current"]["report"]["alc"] == ALC
    count = result["current"]["count"]
    assert (count["cells_per_ul"], count["cells_basis"], count["below_lloq"]) == ("96", "derived", False)
    assert (count["lloq_percent"], count["lloq_basis"], count["lloq_cells_per_ul"]) == ("0.01", "events", "0.096")
    assert result["current"]["protocol"] == "CMD03@1.0.0"


async def test_no_car_events_are_below_the_limit_and_never_zero(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_flow_report(percent="0", car_events=0))
    count = (await trial.get(path)).json()["current"]["count"]
    assert (count["below_lloq"], count["detectable"]) == (True, False)
    assert (count["percent"], count["cells_per_ul"], count["not_derived"]) == (None, None, "below-lloq")


async def test_a_zero_without_a_limit_is_refused_with_what_to_send(trial: Trial) -> None:
    body = {**WITH_ID, **a_flow_report(percent=0, parent_events=None)}
    answer = await trial.post(RESULTS, body)
    assert (answer.status_code, answer.json()["type"]) == (422, "zero-without-limit")
    assert "send the qualifier `<`" in answer.json()["detail"]
    assert (await trial.get(f"{RESULTS}/{RESULT}")).status_code == 404


async def test_a_sample_lies_before_or_after_the_infusion_once_that_is_known(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_flow_report())
    timing = (await trial.get(path)).json()["timing"]
    assert (timing["before_infusion"], timing["study_day"]) == (None, None)
    await trial.infused()
    timing = (await trial.get(path)).json()["timing"]
    assert (timing["before_infusion"], timing["study_day"]) == (False, 7)
    await trial.infusion_retracted()
    assert (await trial.get(path)).json()["timing"]["before_infusion"] is None


async def test_the_same_report_again_is_answered_as_the_first_time(trial_on_both: Trial) -> None:
    trial = trial_on_both
    body = {**WITH_ID, **a_flow_report()}
    await trial.post(RESULTS, body)
    again = await trial.post(RESULTS, body)
    assert (again.status_code, again.headers["ETag"]) == (201, '"1"')
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_another_report_under_the_same_id_is_a_conflict(trial: Trial) -> None:
    await trial.post(RESULTS, {**WITH_ID, **a_flow_report()})
    answer = await trial.post(RESULTS, {**WITH_ID, **a_flow_report(percent="11")})
    assert (answer.status_code, answer.json()["type"]) == (409, "other-content-on-record")


async def test_an_idempotency_key_stands_for_an_id(trial: Trial) -> None:
    body = {"participant_id": str(PARTICIPANT), **a_flow_report()}
    first = await trial.post(RESULTS, body, Idempotency_Key="machine-7-run-12")
    again = await trial.post(RESULTS, body, Idempotency_Key="machine-7-run-12")
    other = await trial.post(RESULTS, body)
    assert first.json() == again.json() != other.json()


async def test_a_correction_supersedes_and_the_report_before_it_stays_readable(trial_on_both: Trial) -> None:
    trial = trial_on_both
    path = await trial.record(RESULTS, a_flow_report())
    answer = await trial.change(f"{path}/correct", a_flow_report(percent="11"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')

    result = (await trial.get(path)).json()
    assert result["status"] == "corrected"
    assert result["current"]["count"]["cells_per_ul"] == "105.6"
    assert result["current"]["correction_reason"] == "Read from the wrong gate"
    (before,) = result["superseded"]
    assert (before["report"]["percent"], before["count"]["cells_per_ul"]) == ("10", "96")
    assert before["superseded_at"] == result["current"]["recorded_at"]
    assert before["correction_reason"] is None

    recorded, corrected = (await trial.get(f"{path}/history")).json()
    assert (recorded["actor"], recorded["reason"], recorded["data"]["report"]["percent"]) == (
        "a laboratory",
        None,
        "10",
    )
    assert (corrected["role"], corrected["reason"]) == ("laboratory", "Read from the wrong gate")


async def test_a_cancelled_result_says_why_and_takes_no_correction(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_flow_report())
    answer = await trial.change(f"{path}/cancel", {"ground": "entered-in-error"})
    assert answer.status_code == 200
    result = (await trial.get(path)).json()
    assert (result["status"], result["cancellation"]["ground"]) == ("entered-in-error", "entered-in-error")
    assert result["current"]["count"]["cells_per_ul"] == "96"
    refused = await trial.change(f"{path}/correct", a_flow_report(percent="11"))
    assert (refused.status_code, refused.json()["type"]) == (409, "flow-result-is-cancelled")


async def test_a_change_names_the_version_it_was_decided_on(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_flow_report())
    body = {"ground": "cancelled", "reason": "The tube had clotted"}
    assert (await trial.post(f"{path}/cancel", body)).status_code == 428
    assert (await trial.post(f"{path}/cancel", body, If_Match='"7"')).status_code == 412
    assert (await trial.post(f"{path}/cancel", body, If_Match='"1"')).status_code == 200
    again = await trial.post(f"{path}/cancel", body, If_Match='"1"')
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        ({"specimen": {"collected_at": "2027-01-01T00:00:00Z"}}, "collected-in-future"),
        ({"percent": None, "parent_events": None}, "nothing-measured"),
        ({"percent": None, "car_events": 600000}, "contradictory-report"),
        ({"alc": {**ALC, "drawn_at": "2026-03-08T08:30:00+07:00"}}, "lymphocyte-count-of-another-draw"),
        ({"alc": {**ALC, "value": 1200}}, "implausible-lymphocyte-count"),
        ({"alc": {**ALC, "unit": "cells"}}, "unit-not-convertible"),
        ({"percent": "100.5"}, "invalid-request"),
        ({"patient_name": "somebody"}, "invalid-request"),
        ({"method": "<script>"}, "invalid-request"),
    ],
)
async def test_what_cannot_be_a_result_is_refused(trial: Trial, report: dict[str, Any], problem: str) -> None:
    answer = await trial.post(RESULTS, {**WITH_ID, **a_flow_report(**report)})
    assert (answer.status_code, answer.json()["type"]) == (422, problem)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_result_that_is_not_on_record_is_not_found(trial: Trial) -> None:
    path = f"{RESULTS}/{uuid4()}"
    for answer in (await trial.get(path), await trial.get(f"{path}/history")):
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-flow-result")
    body = {"ground": "cancelled", "reason": "The tube had clotted"}
    assert (await trial.post(f"{path}/cancel", body, If_Match='"1"')).status_code == 404


async def test_numbers_stay_exact_however_they_are_written(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_flow_report(percent=0.1, cells_per_ul="0.960000001"))
    current = (await trial.get(path)).json()["current"]
    assert (current["report"]["percent"], current["report"]["cells_per_ul"]) == ("0.1", "0.960000001")
    assert current["count"]["derived_cells_per_ul"] == "0.96"


async def test_the_integration_engine_records_too(trial: Trial) -> None:
    assert (await trial.post(RESULTS, {**WITH_ID, **a_flow_report()}, Role.SYSTEM)).status_code == 201
