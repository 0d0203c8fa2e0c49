"""Transgene copies over HTTP: recorded, corrected, cancelled, of a specimen or without one."""

from typing import Any
from uuid import uuid4

from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import PARTICIPANT, TRANSGENE, a_transgene_report

RESULTS = "/v1/transgene-results"
WITH_ID: dict[str, Any] = {"transgene_result_id": str(TRANSGENE), "participant_id": str(PARTICIPANT)}


async def test_a_result_is_recorded_corrected_and_cancelled(trial_on_both: Trial) -> None:
    trial = trial_on_both
    answer = await trial.post(RESULTS, {**WITH_ID, **a_transgene_report()})
    assert answer.status_code == 201, answer.text
    assert answer.json()["position"] == f"transgene-result:{TRANSGENE}@1"
    path = f"{RESULTS}/{TRANSGENE}"
    result = (await trial.get(path)).json()
    assert (result["status"], result["current"]["level"]["copies_per_ug"]) == ("final", "15200")
    assert result["current"]["level"]["copies_per_cell"] == "0.1"
    assert result["specimen"]["flags"] == ["no-specimen"]

    again = await trial.post(RESULTS, {**WITH_ID, **a_transgene_report()})
    assert again.headers["Idempotent-Replayed"] == "true"
    await trial.change(f"{path}/correct", a_transgene_report(copies_per_ug="1520"))
    result = (await trial.get(path)).json()
    assert (result["status"], result["current"]["level"]["copies_per_ug"]) == ("corrected", "1520")
    assert [each["level"]["copies_per_ug"] for each in result["superseded"]] == ["15200"]

    await trial.change(f"{path}/cancel", {"ground": "cancelled"})
    assert (await trial.get(path)).json()["status"] == "cancelled"
    refused = await trial.change(f"{path}/correct", a_transgene_report(copies_per_ug="15"))
    assert (refused.status_code, refused.json()["type"]) == (409, "transgene-result-is-cancelled")
    assert [entry["version"] for entry in (await trial.get(f"{path}/history")).json()] == [1, 2, 3]


async def test_a_zero_is_below_the_limit_or_refused(trial: Trial) -> None:
    path = await trial.record(RESULTS, a_transgene_report(copies_per_ug="0"))
    level = (await trial.get(path)).json()["current"]["level"]
    assert (level["below_lloq"], level["copies_per_ug"], level["lloq_copies_per_ug"]) == (True, None, "50")
    refused = await trial.post(RESULTS, {**WITH_ID, **a_transgene_report(copies_per_ug="0", lloq_copies_per_ug=None)})
    assert (refused.status_code, refused.json()["type"]) == (422, "zero-without-limit")


async def test_what_is_not_on_record_is_not_found(trial: Trial) -> None:
    answer = await trial.get(f"{RESULTS}/{uuid4()}")
    assert (answer.status_code, answer.json()["type"]) == (404, "no-such-transgene-result")
