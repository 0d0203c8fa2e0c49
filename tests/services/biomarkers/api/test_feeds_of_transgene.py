"""Transgene copies from feeds: by HL7 v2, FHIR and tables, in their own series, by the method that counted them."""

from typing import Any

import pytest
from sqlalchemy import text

from shared.kernel.actor import Role
from tests.services.biomarkers.api.hl7_messages import a_message, obx
from tests.services.biomarkers.api.test_fhir import bundle, issues, observation
from tests.services.biomarkers.api.test_fhir import send as send_fhir
from tests.services.biomarkers.api.test_hl7v2 import SOURCE, code, waiting
from tests.services.biomarkers.api.test_hl7v2 import send as send_hl7
from tests.services.biomarkers.api.test_result_files import AT, outcomes, table
from tests.services.biomarkers.api.test_result_files import send as send_file
from tests.services.biomarkers.api.test_specimens import collected, step
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.specimen_steps import SPECIMEN, a_receipt

SOURCES = "/v1/result-sources"


async def pcr_laboratory(trial: Trial) -> None:
    """A sender whose copies are counted by qPCR, under a code of its own."""
    assert (await trial.post(SOURCES, {**SOURCE, "platform": "qpcr"})).status_code == 201
    codes = [{"code": "B7H3VCN", "measures": "CARVCN"}]
    answer = await trial.post(f"{SOURCES}/LUMILIS@CU/map-codes", {"codes": codes}, If_Match='"1"')
    assert answer.status_code == 200, answer.text


def copies(value: str = "15200", unit: str = "copies/ug", **given: Any) -> str:
    return obx("B7H3VCN^Vector copies^L", value, unit, **given)


async def results(trial: Trial) -> list[dict[str, Any]]:
    query = "select distinct stream from events where stream like 'transgene-result:%' order by stream"
    async with trial.db.connect() as connection:
        streams = [stream.split(":")[1] for (stream,) in await connection.execute(text(query))]
    return [(await trial.get(f"/v1/transgene-results/{each}")).json() for each in streams]


async def test_an_hl7_message_becomes_a_transgene_result_and_twice_changes_nothing(trial: Trial) -> None:
    await pcr_laboratory(trial)
    for control in ("M1", "M1", "M2"):
        assert code(await send_hl7(trial, a_message(copies(), control=control))) == "AA"
    [result] = await results(trial)
    report, level = result["current"]["report"], result["current"]["level"]
    assert (report["method"], report["specimen"]["type"], level["copies_per_ug"]) == ("qpcr", "blood", "15200")
    assert result["superseded"] == []


@pytest.mark.parametrize(("value", "kind"), [("<50", "ST"), ("<^50", "SN")])
async def test_copies_below_the_limit_have_no_number(trial: Trial, value: str, kind: str) -> None:
    await pcr_laboratory(trial)
    assert code(await send_hl7(trial, a_message(copies(value, kind=kind)))) == "AA"
    [result] = await results(trial)
    level = result["current"]["level"]
    assert (level["below_lloq"], level["copies_per_ug"], level["lloq_copies_per_ug"]) == (True, None, "50")


async def test_a_corrected_number_supersedes_and_a_withdrawn_one_is_taken_back(trial: Trial) -> None:
    await pcr_laboratory(trial)
    await send_hl7(trial, a_message(copies(), control="M1"))
    assert code(await send_hl7(trial, a_message(copies("1520", status="C"), control="M2"))) == "AA"
    assert code(await send_hl7(trial, a_message(copies("<1520", kind="ST", status="C"), control="M3"))) == "AA"
    assert code(await send_hl7(trial, a_message(copies("1520"), control="M4"))) == "AA"  # the old value sent anew
    [result] = await results(trial)
    assert [each["report"]["copies_per_ug"] for each in result["superseded"]] == ["15200", "1520"]
    assert result["current"]["level"]["below_lloq"]
    assert code(await send_hl7(trial, a_message(copies(status="W"), control="M5"))) == "AA"
    [result] = await results(trial)
    assert result["status"] == "entered-in-error"


@pytest.mark.parametrize(
    ("value", "unit", "problem"),
    [
        ("0", "copies/ug", "refused: zero-without-limit"),
        (">100000", "copies/ug", "refused: contradictory-report"),
        ("0.1", "copies/cell", "bad-value"),
        ("many", "copies/ug", "bad-value"),
        ("15200", "", "bad-value"),
    ],
)
async def test_what_is_no_count_of_copies_waits_with_the_reason(
    trial: Trial, value: str, unit: str, problem: str
) -> None:
    await pcr_laboratory(trial)
    assert code(await send_hl7(trial, a_message(copies(value, unit)))) == "AE"
    [message] = await waiting(trial)
    [each] = message["waiting"]
    assert f"{each['problem']}: {each['says']}".startswith(problem)
    assert await results(trial) == []


def fhir_copies(key: str = "CARVCN", value: str = "15200", unit: str = "{copies}/ug", **given: Any) -> dict[str, Any]:
    quantity = {"value": float(value), "code": unit}
    return observation(**{"code": key, "method": {"coding": [{"code": "ddPCR"}]}, "valueQuantity": quantity, **given})


async def test_a_bundle_brings_copies_with_what_stands_beside_them(trial: Trial) -> None:
    beside = [fhir_copies("CARVCNLOD", "10"), fhir_copies("CARVCNML", "300", "{copies}/mL")]
    sent = bundle(fhir_copies(), *beside, fhir_copies("CARVCNDNA", "0.2", "ug"))
    assert (await send_fhir(trial, sent)).status_code == 201
    [result] = await results(trial)
    report = result["current"]["report"]
    assert (report["method"], report["copies_per_ml"], report["dna_input_ng"]) == ("ddpcr", "300.0", "200")
    assert result["current"]["level"]["lod_copies_per_ug"] == "10.0"
    assert (await send_fhir(trial, sent)).status_code == 200


async def test_two_methods_are_two_results(trial: Trial) -> None:
    by_qpcr = fhir_copies(method={"coding": [{"code": "quantitative PCR"}]})
    assert (await send_fhir(trial, bundle(fhir_copies(), by_qpcr))).status_code == 201
    assert {each["current"]["report"]["method"] for each in await results(trial)} == {"qpcr", "ddpcr"}


@pytest.mark.parametrize(
    ("sent", "issue"),
    [
        (fhir_copies(method={"coding": [{"code": "LUMINEX-200"}]}), "required"),
        (fhir_copies(method=None), "required"),
        (fhir_copies(specimen={"reference": "#s"}, contained=[
            {"resourceType": "Specimen", "id": "s", "type": {"coding": [{"code": "SER"}]}}]), "code-invalid"),
        (fhir_copies("CARVCNML", "300", "{copies}/mL"), "business-rule"),
        (bundle(fhir_copies(), fhir_copies("CARVCNML", valueQuantity={
            "value": 3, "comparator": "<", "code": "{copies}/mL"})), "value"),
    ],
)  # fmt: skip
async def test_copies_without_method_or_of_another_specimen_are_refused(
    trial: Trial, sent: dict[str, Any], issue: str
) -> None:
    answer = await send_fhir(trial, sent)
    assert (answer.status_code, issues(answer)) == (422, [("error", issue)]), answer.text


async def test_a_table_brings_copies_with_their_limit(trial: Trial) -> None:
    head = "subject_number,collected_at,code,value,unit,lloq,platform"
    sent = table(f"CU-001,{AT},CARVCN,15.2,copies/ng,0.05,qPCR", head=head)
    assert [each[1] for each in outcomes(await send_file(trial, "table", sent))] == ["recorded"]
    assert [each[1] for each in outcomes(await send_file(trial, "table", sent))] == ["repeated"]
    unsaid = table(f"CU-001,{AT},CARVCN,15200,copies/ug,,qPCR", head=head)
    assert [each[1] for each in outcomes(await send_file(trial, "table", unsaid))] == ["repeated"]
    [result] = await results(trial)
    assert result["current"]["level"]["lloq_copies_per_ug"] == "50"
    other = table(f"CU-001,{AT},CARVCN,15200,copies/ug,20,qPCR", head=head)
    assert [each[1] for each in outcomes(await send_file(trial, "table", other))] == ["corrected"]


async def test_cells_and_copies_of_one_tube_analyse_it_in_one_append(trial: Trial) -> None:
    await collected(trial, label="F-1")
    await step(trial, "receive", a_receipt())
    tube: dict[str, Any] = {"specimen": {"identifier": {"value": "F-1"}}}
    cells = observation("CARPCT", valueQuantity={"value": 12.5, "code": "%"}, **tube)
    assert (await send_fhir(trial, bundle(fhir_copies(**tube), cells, kind="transaction"))).status_code == 200
    custody = (await trial.get(f"/v1/specimens/{SPECIMEN}", role=Role.LABORATORY)).json()
    assert sorted(each["kind"] for each in custody["results"]) == ["flow-result", "transgene-result"]
