"""FHIR R4 in: observations, reports and bundles; names are never kept, and every refusal is an OperationOutcome."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.kernel.actor import Role
from tests.services.biomarkers.api.test_hl7v2 import panels, registered, the_panel, values, waiting
from tests.services.biomarkers.api.trial import Trial

EXAMPLES = Path(__file__).parents[1] / "files" / "fhir"
NAME = "Khumdee"


def observation(code: str = "26881-3", value: str = "38.4", status: str = "final", **given: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": "Interleukin"},
        "subject": {"identifier": {"value": "CU-001"}, "display": f"Somsri {NAME}"},
        "effectiveDateTime": "2026-03-09T08:30:00+07:00",
        "method": {"coding": [{"code": "LUMINEX-200"}]},
        "valueQuantity": {"value": float(value), "unit": "pg/mL", "code": "pg/mL"},
        "performer": [{"display": f"Dr {NAME}"}],
        **given,
    }


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:x:{n}", "resource": resource} for n, resource in enumerate(resources)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


async def send(trial: Trial, body: Any, query: str = "", site: str = "CU") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body)
    headers = trial.headers(Role.SYSTEM, site) | {"Content-Type": "application/fhir+json"}
    answer = await trial.client.post(f"/v1/fhir{query}", content=content, headers=headers)
    assert answer.headers["content-type"].startswith("application/fhir+json")
    return answer


def issues(answer: httpx.Response) -> list[tuple[str, str]]:
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome", body
    return [(each["severity"], each["code"]) for each in body["issue"]]


async def test_an_observation_becomes_a_panel_and_twice_changes_nothing(trial: Trial) -> None:
    first, again = await send(trial, observation()), await send(trial, observation())
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert issues(first) == [("information", "informational")]
    panel = await the_panel(trial)
    assert (values(panel), panel["superseded"]) == ({"IL6": "38.4"}, [])
    assert first.headers["Location"] == f"/v1/cytokine-panels/{(await panels(trial))[0]}"


async def test_further_observations_of_a_sample_join_its_panel(trial: Trial) -> None:
    low = observation("33939-0", valueQuantity={"value": 2.1, "comparator": "<", "code": "ng/L"})
    await send(trial, observation())
    assert (await send(trial, low)).status_code == 201
    current = (await the_panel(trial))["current"]
    results = {each["analyte"]: each for each in current["results"]}
    assert (results["IL6"]["value_pg_ml"], results["IL2"]["qualifier"], results["IL2"]["lloq_pg_ml"]) == (
        "38.4",
        "<",
        "2.1",
    )


@pytest.mark.parametrize("status", ["corrected", "amended", "final"])
async def test_a_corrected_observation_supersedes(trial: Trial, status: str) -> None:
    await send(trial, observation())
    assert (await send(trial, observation(value="41", status=status))).status_code == 201
    panel = await the_panel(trial)
    assert values(panel) == {"IL6": "41"} or values(panel) == {"IL6": "41.0"}
    assert len(panel["superseded"]) == 1
    assert (await send(trial, observation())).status_code == 200  # the old value again: it stays superseded
    assert len((await the_panel(trial))["superseded"]) == 1


async def test_an_observation_entered_in_error_is_taken_back(trial: Trial) -> None:
    await send(trial, observation())
    withdrawn = observation(status="entered-in-error")
    assert (await send(trial, withdrawn)).status_code == 201
    assert (await the_panel(trial))["status"] == "entered-in-error"
    assert (await send(trial, withdrawn)).status_code == 200


async def test_a_flow_result_is_made_of_its_observations(trial: Trial) -> None:
    fields = {"CARPCT": (12.5, "%"), "CARPARENT": (250000, "1"), "LYM": (1.2, "10*9/L"), "CD3PCT": (80, "%")}
    body = bundle(
        *(observation(key, valueQuantity={"value": value, "code": unit}) for key, (value, unit) in fields.items())
    )
    answer = await send(trial, body)
    assert answer.status_code == 201, answer.text
    found = (await trial.get(answer.headers["Location"])).json()["current"]
    assert found["report"]["parent_events"] == 250000
    assert found["count"]["cells_per_ul"] == "120.0000" or float(found["count"]["cells_per_ul"]) == 120


async def test_a_report_with_contained_results_and_a_person_found_by_reference(trial: Trial) -> None:
    inner = observation(id="a")
    del inner["subject"], inner["effectiveDateTime"]
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": NAME}], "identifier": [{"value": "CU-001"}]}
    tube = {
        "resourceType": "Specimen",
        "id": "s",
        "type": {"coding": [{"code": "119361006"}]},
        "collection": {"collectedDateTime": "2026-03-09T08:00:00+07:00"},
    }
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Cytokines"},
        "subject": {"reference": "#p"},
        "specimen": [{"reference": "#s"}],
        "contained": [inner, patient, tube],
        "result": [{"reference": "#a"}],
    }
    answer = await send(trial, report)
    assert answer.status_code == 201, answer.text
    specimen = (await the_panel(trial))["current"]["report"]["specimen"]
    assert (specimen["type"], specimen["collected_at"]) == ("plasma", "2026-03-09T08:00:00+07:00")
    withdrawn = {**report, "status": "entered-in-error"}
    assert (await send(trial, withdrawn)).status_code == 201
    assert (await the_panel(trial))["status"] == "entered-in-error"


async def test_a_transaction_is_recorded_whole_or_not_at_all(trial: Trial) -> None:
    await registered(trial)
    bad = observation("99999-9")
    answer = await send(trial, bundle(observation(), bad, kind="transaction"), "?source=LUMILIS@CU")
    assert (answer.status_code, await panels(trial)) == (422, [])
    assert issues(answer) == [("error", "code-invalid")]  # nothing is said to be recorded
    good = await send(trial, bundle(observation(), observation("26848-2"), kind="transaction"))
    assert (good.status_code, good.json()["type"]) == (200, "transaction-response")
    assert [each["response"]["status"] for each in good.json()["entry"]] == ["201 Created", "201 Created"]


async def test_a_number_with_a_comparator_that_r4_does_not_have_is_not_taken_for_exact(trial: Trial) -> None:
    sent = observation()
    sent["valueQuantity"]["comparator"] = "ad"
    answer = await send(trial, sent)
    assert (answer.status_code, issues(answer), await panels(trial)) == (422, [("error", "value")], [])


async def test_a_batch_is_answered_entry_by_entry(trial: Trial) -> None:
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": NAME}]}
    answer = await send(trial, bundle(patient, observation(), observation("99999-9"), kind="batch"))
    statuses = [each["response"]["status"] for each in answer.json()["entry"]]
    assert statuses == ["200 OK", "201 Created", "422 Unprocessable Entity"]
    assert len(await panels(trial)) == 1


async def test_with_a_source_its_codes_are_used_and_the_rest_waits(trial: Trial) -> None:
    await registered(trial)
    answer = await send(trial, observation("XIL6"), "?source=LUMILIS@CU")
    assert (answer.status_code, issues(answer)) == (202, [("warning", "code-invalid")])
    again = await send(trial, observation("XIL6"), "?source=LUMILIS@CU")
    assert again.text == answer.text
    [kept] = await waiting(trial)
    assert kept["message_id"] in answer.text
    await trial.post(
        "/v1/result-sources/LUMILIS@CU/map-codes", {"codes": [{"code": "XIL6", "measures": "IL6"}]}, If_Match='"1"'
    )
    assert (await trial.post(f"/v1/quarantined-messages/{kept['message_id']}/release", {})).status_code == 200
    assert (await send(trial, observation("XIL6"), "?source=LUMILIS@CU")).status_code == 200


async def test_a_dry_run_records_and_keeps_nothing(trial: Trial) -> None:
    await registered(trial)
    for body in (observation(), observation("XIL6")):
        await send(trial, body, "?source=LUMILIS@CU&dry_run=true")
    assert (await panels(trial), await waiting(trial)) == ([], [])


async def test_nothing_of_a_person_is_kept(trial: Trial) -> None:
    await registered(trial)
    await send(trial, bundle(observation(), observation("XIL6", valueString=f"as {NAME} says")), "?source=LUMILIS@CU")
    async with trial.db.connect() as connection:
        rows = [(await connection.execute(text(f"select * from {each}"))).all() for each in ("messages", "events")]
    assert NAME not in repr(rows)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid"),
        (b"", 422, "structure"),
        (b"[]", 422, "structure"),
        ({"resourceType": "Patient"}, 422, "not-supported"),
        ({"resourceType": "Bundle", "type": "searchset"}, 422, "not-supported"),
        ({"resourceType": "Bundle", "type": "batch"}, 422, "required"),
        ({"resourceType": "Observation", "code": {}}, 422, "required"),
        (observation(status="done"), 422, "code-invalid"),
        (observation(subject={"identifier": {"value": "CU-999"}}), 422, "not-found"),
        (observation(subject={"display": "Somsri"}), 422, "not-found"),
        (observation(effectiveDateTime="2026-03-09"), 422, "value"),
        (observation(effectiveDateTime="2026-03-09T08:30:00"), 422, "value"),
        (observation(effectiveDateTime="2027-03-09T08:30:00Z"), 422, "business-rule"),
        (observation(valueQuantity={"value": 1, "comparator": ">=", "code": "pg/mL"}), 422, "value"),
        (observation(valueQuantity={"value": 1, "code": "mol/L"}), 422, "business-rule"),
        (observation(valueQuantity={"value": 0, "code": "pg/mL"}), 422, "business-rule"),
        (observation(valueQuantity={"value": "much"}), 422, "structure"),
        (observation(method=None), 422, "required"),
        (observation(status="entered-in-error"), 422, "conflict"),
    ],
)
async def test_a_refusal_is_an_operation_outcome(trial: Trial, body: Any, status: int, code: str) -> None:
    answer = await send(trial, body)
    assert (answer.status_code, issues(answer)) == (status, [("error", code)]), answer.text
    assert await panels(trial) == []


async def test_a_source_that_is_not_registered_is_not_found(trial: Trial) -> None:
    answer = await send(trial, observation(), "?source=LUMILIS@CU")
    assert (answer.status_code, issues(answer)) == (404, [("error", "not-found")])


async def test_somebody_of_another_site_is_not_found(trial: Trial) -> None:
    assert issues(await send(trial, observation(), site="KK")) == [("error", "not-found")]


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.json")))
async def test_the_examples_of_hl7_are_refused_with_a_reason_where_they_are_not_of_this_trial(
    trial: Trial, name: str
) -> None:
    answer = await send(trial, (EXAMPLES / name).read_bytes())
    assert answer.status_code == 422
    assert {severity for severity, _ in issues(answer)} <= {"error", "information"}


async def test_an_example_of_hl7_loads_with_our_subject_code_unit_and_year(trial: Trial) -> None:
    """Its year is before the child was born, let alone consented for."""
    sent = (EXAMPLES / "Observation-f001.json").read_text(encoding="utf-8")
    assert "consent-does-not-cover" in (await send(trial, ours(json.loads(sent)))).text
    example = ours(json.loads(sent.replace("2013-04-", "2025-04-")))
    assert (await send(trial, example)).status_code == 201
    assert (await the_panel(trial))["current"]["report"]["specimen"]["collected_at"] == "2025-04-02T09:30:10+01:00"


def ours(example: dict[str, Any]) -> dict[str, Any]:
    return example | {key: observation()[key] for key in ("subject", "code", "valueQuantity", "method")}
