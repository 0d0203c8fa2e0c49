"""A feed's result names the specimen whose number it tells, and the registered lot of its kit."""

from typing import Any

import pytest

from tests.services.biomarkers.api.hl7_messages import a_message, obx
from tests.services.biomarkers.api.test_assay_lots import registered as lot_registered
from tests.services.biomarkers.api.test_fhir import bundle, observation
from tests.services.biomarkers.api.test_fhir import send as send_fhir
from tests.services.biomarkers.api.test_hl7v2 import code, panels, registered, the_panel, waiting
from tests.services.biomarkers.api.test_hl7v2 import send as send_hl7
from tests.services.biomarkers.api.test_result_files import outcomes, table
from tests.services.biomarkers.api.test_result_files import send as send_file
from tests.services.biomarkers.api.test_specimens import collected, step
from tests.services.biomarkers.api.trial import Trial
from tests.services.biomarkers.reports import DRAWN
from tests.services.biomarkers.specimen_steps import SPECIMEN, a_receipt, a_rejection

SPM = "SPM|1|{}||SER|||||||||||||202603090830"


async def at_the_laboratory(trial: Trial, label: str = "F-1") -> None:
    await registered(trial)
    await collected(trial, label=label)
    await step(trial, "receive", a_receipt())


async def specimen_named(trial: Trial) -> str | None:
    found: str | None = (await the_panel(trial))["current"]["report"]["specimen"]["specimen_id"]
    return found


@pytest.mark.parametrize(
    ("label", "segments"),
    [
        ("F-1", [obx()]),  # OBR-3, the filler's number
        ("S-77", [SPM.format("P-1&LIS^S-77&LAB"), obx()]),
        ("P-1", [SPM.format("P-1&LIS^S-77&LAB"), obx()]),
        ("S-77", [obx(), SPM.format("^S-77")]),  # a specimen after its results
    ],
)
async def test_an_hl7_result_names_the_specimen_of_its_number(trial: Trial, label: str, segments: list[str]) -> None:
    await at_the_laboratory(trial, label)
    assert code(await send_hl7(trial, a_message(*segments))) == "AA"
    assert await specimen_named(trial) == str(SPECIMEN)


async def test_a_number_that_no_tube_bears_names_none(trial: Trial) -> None:
    await at_the_laboratory(trial, "S-1")
    assert code(await send_hl7(trial, a_message(obx()))) == "AA"
    assert await specimen_named(trial) is None


async def test_a_result_of_a_rejected_specimen_waits_with_the_reason(trial: Trial) -> None:
    await at_the_laboratory(trial)
    await step(trial, "reject", a_rejection())
    assert code(await send_hl7(trial, a_message(obx()))) == "AE"
    [message] = await waiting(trial)
    assert message["waiting"][0]["says"].startswith("specimen-is-rejected")


async def test_a_result_of_another_time_than_its_specimen_waits(trial: Trial) -> None:
    await at_the_laboratory(trial)
    answer = await send_hl7(trial, a_message(obx()).replace("202603090830", "202603090900"))
    assert code(answer) == "AE"
    assert (await waiting(trial))[0]["waiting"][0]["says"].startswith("specimen-differs")


def fhir_specimen(**given: Any) -> dict[str, Any]:
    return {"resourceType": "Specimen", "id": "s", **given}


@pytest.mark.parametrize(
    "resource",
    [
        fhir_specimen(accessionIdentifier={"value": "F-1"}),
        fhir_specimen(identifier=[{"value": "other"}, {"value": "F-1"}]),
    ],
)
async def test_a_fhir_result_names_the_specimen_of_its_accession_number(trial: Trial, resource: dict[str, Any]) -> None:
    await at_the_laboratory(trial)
    answer = await send_fhir(trial, observation(contained=[resource], specimen={"reference": "#s"}))
    assert answer.status_code == 201, answer.text
    assert await specimen_named(trial) == str(SPECIMEN)


async def test_a_fhir_result_takes_time_and_type_from_its_specimen(trial: Trial) -> None:
    await at_the_laboratory(trial)
    told = observation(specimen={"identifier": {"value": "F-1"}})
    del told["effectiveDateTime"], told["subject"]
    assert (await send_fhir(trial, told)).status_code == 201
    report = (await the_panel(trial))["current"]["report"]
    assert report["specimen"] == {"type": "serum", "collected_at": DRAWN, "specimen_id": str(SPECIMEN)}


async def test_a_specimen_does_not_speak_for_a_subject_that_is_told_and_not_known(trial: Trial) -> None:
    await at_the_laboratory(trial)
    told = observation(specimen={"identifier": {"value": "F-1"}}, subject={"identifier": {"value": "CU-777"}})
    assert (await send_fhir(trial, told)).status_code == 422
    assert await panels(trial) == []


async def test_kit_and_lot_of_the_device_are_matched_to_the_registry(trial: Trial) -> None:
    lot = await lot_registered(trial)
    device = {"resourceType": "Device", "id": "k", "modelNumber": "HCYTA-60K", "lotNumber": "A1"}
    told = observation(value="2.4", device={"reference": "urn:x:1"})
    answer = await send_fhir(trial, bundle(told, device))
    assert answer.status_code == 201, answer.text
    current = (await the_panel(trial))["current"]
    assert current["report"]["assay_lot_id"] == lot
    il6 = next(each for each in current["results"] if each["analyte"] == "IL6")
    assert (il6["qualifier"], il6["lloq_from"]) == ("<", "assay-lot")


async def test_another_lot_of_a_corrected_value_replaces_the_one_before(trial: Trial) -> None:
    first, second = await lot_registered(trial), await lot_registered(trial, lot="A2")
    head = "subject_number,collected_at,code,value,unit,platform,kit,lot"
    for lot, value, named in (("A1", "5", first), ("A2", "6", second), ("A3", "7", None)):
        row = f"CU-001,{DRAWN},IL6,{value},pg/mL,LUMINEX-200,HCYTA-60K,{lot}"
        assert outcomes(await send_file(trial, "table", table(row, head=head)))[0][2] is None
        assert (await the_panel(trial))["current"]["report"]["assay_lot_id"] == named


async def test_a_row_of_a_table_may_name_its_tube_by_its_number(trial: Trial) -> None:
    await at_the_laboratory(trial)
    row = f"CU-001,{DRAWN},IL6,5,pg/mL,LUMINEX-200,F-1"
    sent = table(row, head="subject_number,collected_at,code,value,unit,platform,specimen_id")
    assert outcomes(await send_file(trial, "table", sent)) == [("line 2", "recorded", None)]
    assert await specimen_named(trial) == str(SPECIMEN)
