"""Specimens over HTTP: custody with who and when, results that name them, what is planned and missing."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.enrollment_terms import ConsentKind
from shared.kernel.actor import Role
from tests.services.biomarkers.api.trial import Trial, a_consent, a_screening
from tests.services.biomarkers.reports import (
    DRAWN,
    PARTICIPANT,
    a_cytokine_report,
    a_flow_report,
    a_transgene_report,
)
from tests.services.biomarkers.specimen_steps import (
    ALIQUOT,
    SPECIMEN,
    a_collection,
    a_loss,
    a_receipt,
    a_rejection,
    a_shipment,
    an_absence,
    an_aliquot,
    an_aliquoting,
)

SPECIMENS = "/v1/specimens"
TUBE = f"{SPECIMENS}/{SPECIMEN}"
FLOW, PANEL, TRANSGENE = "/v1/flow-results", "/v1/cytokine-panels", "/v1/transgene-results"


async def collected(trial: Trial, **given: Any) -> str:
    body = {"specimen_id": str(SPECIMEN), "participant_id": str(PARTICIPANT), **a_collection(**given)}
    answer = await trial.post(SPECIMENS, body, Role.COORDINATOR)
    assert answer.status_code == 201, answer.text
    return f"{SPECIMENS}/{answer.json()['id']}"


async def step(trial: Trial, verb: str, body: dict[str, Any], tube: str = TUBE, status: int = 200) -> dict[str, Any]:
    etag = (await trial.get(tube)).headers["ETag"]
    answer = await trial.post(f"{tube}/{verb}", body, If_Match=etag)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def received(trial: Trial) -> None:
    await collected(trial)
    await step(trial, "receive", a_receipt())


def flow(specimen: Any = SPECIMEN, **given: Any) -> dict[str, Any]:
    sample = {"type": "blood", "collected_at": DRAWN, "specimen_id": str(specimen)}
    return {"participant_id": str(PARTICIPANT), **a_flow_report(specimen=sample, **given)}


def panel(specimen: Any, type_: str = "serum") -> dict[str, Any]:
    sample = {"type": type_, "collected_at": DRAWN, "specimen_id": str(specimen)}
    return {"participant_id": str(PARTICIPANT), **a_cytokine_report(specimen=sample)}


def transgene(specimen: Any = SPECIMEN) -> dict[str, Any]:
    sample = {"type": "blood", "collected_at": DRAWN, "specimen_id": str(specimen)}
    return {"participant_id": str(PARTICIPANT), **a_transgene_report(specimen=sample)}


async def test_a_custody_is_read_with_who_and_when(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await collected(trial)
    await step(trial, "ship", a_shipment(temperature_c="21.5"))
    await step(trial, "receive", a_receipt(condition="haemolysed", temperature_c="19"))
    await step(trial, "correct", {"step": 2, "shipment": a_shipment(transport="dry-ice"), "reason": "The slip says"})
    found = (await trial.get(TUBE)).json()
    assert (found["status"], found["type"], found["purposes"]) == ("received", "blood", ["car-t-flow", "cytokines"])
    first, second, third = found["custody"]
    assert (first["number"], first["step"], first["by"], first["role"]) == (
        1, "collected", "a coordinator", "coordinator",
    )  # fmt: skip
    assert second["details"]["transport"] == "dry-ice"
    assert [(each["by"], each["reason"]) for each in second["corrections"]] == [("a laboratory", "The slip says")]
    assert (third["at"], third["details"]["condition"]) == ("2026-03-09T13:30:00+07:00", "haemolysed")
    history = (await trial.get(f"{TUBE}/history")).json()
    assert [each["type"].partition(".")[2] for each in history] == [
        "specimen-collected", "specimen-shipped", "specimen-received", "specimen-step-corrected",
    ]  # fmt: skip


async def test_the_same_draw_twice_is_one_specimen(trial: Trial) -> None:
    body = {"specimen_id": str(SPECIMEN), "participant_id": str(PARTICIPANT), **a_collection()}
    await trial.post(SPECIMENS, body)
    again = await trial.post(SPECIMENS, body)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    other = await trial.post(SPECIMENS, {**body, "volume_ml": "5"})
    assert (other.status_code, other.json()["type"]) == (409, "other-content-on-record")


async def test_a_step_out_of_order_or_on_an_old_version_is_refused(trial: Trial) -> None:
    await collected(trial)
    refused = await step(trial, "receive", a_receipt(-1), status=409)
    assert refused["type"] == "step-out-of-time"
    assert (await trial.post(f"{TUBE}/ship", a_shipment())).status_code == 428
    assert (await trial.post(f"{TUBE}/ship", a_shipment(), If_Match='"7"')).status_code == 412
    future = await step(trial, "ship", a_shipment(shipped_at="2027-01-01T00:00:00Z"), status=422)
    assert future["type"] == "step-in-future"
    unknown = await trial.post(f"{SPECIMENS}/{uuid4()}/ship", a_shipment(), If_Match='"1"')
    assert (unknown.status_code, unknown.json()["type"]) == (404, "no-such-specimen")


async def test_a_result_that_names_a_specimen_makes_it_analysed_in_the_same_append(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await received(trial)
    path = await trial.record(FLOW, flow())
    found = (await trial.get(TUBE)).json()
    assert found["status"] == "analysed"
    assert found["results"] == [{"kind": "flow-result", "id": path.rpartition("/")[2]}]
    result = (await trial.get(path)).json()
    assert result["specimen"] == {
        "specimen_id": str(SPECIMEN), "status": "analysed", "flags": [], "rejection": None,
    }  # fmt: skip
    again = await trial.post(FLOW, {**flow(), "flow_result_id": path.rpartition("/")[2]})
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_result_without_a_specimen_is_taken_and_flagged(trial: Trial) -> None:
    for kind, report in ((FLOW, a_flow_report()), (PANEL, a_cytokine_report())):
        result = (await trial.get(await trial.record(kind, report))).json()
        assert (result["specimen"]["specimen_id"], result["specimen"]["flags"]) == (None, ["no-specimen"])


async def test_a_rejected_specimen_gives_no_result(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await received(trial)
    await step(trial, "reject", a_rejection())
    for kind, report in ((FLOW, flow()), (PANEL, panel(SPECIMEN)), (TRANSGENE, transgene())):
        answer = await trial.post(kind, report)
        assert (answer.status_code, answer.json()["type"]) == (409, "specimen-is-rejected")
    assert (await trial.get(TUBE)).json()["results"] == []


async def test_copies_make_their_specimen_analysed_and_a_cancellation_takes_that_back(trial: Trial) -> None:
    await received(trial)
    path = await trial.record(TRANSGENE, transgene())
    tube = (await trial.get(TUBE)).json()
    assert (tube["status"], [each["kind"] for each in tube["results"]]) == ("analysed", ["transgene-result"])
    assert (await trial.get(path)).json()["specimen"]["flags"] == []
    await trial.change(f"{path}/cancel", {"ground": "cancelled"})
    assert (await trial.get(TUBE)).json()["results"] == []


async def test_a_result_of_a_specimen_rejected_later_stays_and_says_why(trial: Trial) -> None:
    await received(trial)
    path = await trial.record(FLOW, flow())
    await step(trial, "reject", a_rejection(because="identification-problem", note="Two labels on the tube"))
    result = (await trial.get(path)).json()
    assert result["status"] == "final"
    assert (result["specimen"]["status"], result["specimen"]["flags"]) == ("rejected", ["specimen-rejected"])
    assert result["specimen"]["rejection"]["because"] == "identification-problem"
    corrected = await trial.change(f"{path}/correct", {**flow(percent="11"), "participant_id": None})
    assert corrected.status_code == 422  # a correction names no participant
    body = {name: value for name, value in flow(percent="11").items() if name != "participant_id"}
    assert (await trial.change(f"{path}/correct", body)).status_code == 200
    assert (await trial.post(FLOW, flow())).json()["type"] == "specimen-is-rejected"


async def test_a_rejection_and_a_result_at_the_same_moment_never_both_count(trial_on_both: Trial) -> None:
    """Either the result came first, and is flagged; or the rejection did, and the result was refused."""
    trial = trial_on_both
    for _ in range(6):
        tube = f"{SPECIMENS}/{uuid4()}"
        body = {"specimen_id": tube.rpartition("/")[2], "participant_id": str(PARTICIPANT), **a_collection()}
        await trial.post(SPECIMENS, body)
        await step(trial, "receive", a_receipt(), tube)

        async def reject(tube: str = tube) -> int:
            for _ in range(20):
                etag = (await trial.get(tube)).headers["ETag"]
                answer = await trial.post(f"{tube}/reject", a_rejection(), If_Match=etag)
                if answer.status_code != 412:
                    break
            return answer.status_code

        report = flow(tube.rpartition("/")[2])
        rejected, results = await asyncio.gather(
            reject(), asyncio.gather(*(trial.post(FLOW, report) for _ in range(4)))
        )
        assert rejected == 200
        assert {each.status_code for each in results} <= {201, 409}
        taken = sum(each.status_code == 201 for each in results)
        history = [each["type"].partition(".")[2] for each in (await trial.get(f"{tube}/history")).json()]
        assert history == [
            *("specimen-collected", "specimen-received"), *["specimen-analysed"] * taken, "specimen-rejected",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("specimen", "sample", "problem", "status"),
    [
        (uuid4(), {}, "no-specimen-of-participant", 422),
        (SPECIMEN, {"type": "bone-marrow"}, "specimen-differs", 409),
        (SPECIMEN, {"collected_at": "2026-03-09T09:30:00+07:00"}, "specimen-differs", 409),
    ],
)
async def test_a_result_names_a_specimen_of_its_participant_and_its_draw(
    trial: Trial, specimen: Any, sample: dict[str, Any], problem: str, status: int
) -> None:
    await received(trial)
    report = flow(specimen)
    report["specimen"].update(sample)
    answer = await trial.post(FLOW, {**report, "alc": None})
    assert (answer.status_code, answer.json()["type"]) == (status, problem)


async def test_another_participants_specimen_is_refused(trial: Trial) -> None:
    await received(trial)
    other = uuid4()
    await trial.bring(a_screening(other))
    for kind in (ConsentKind.GUARDIAN, ConsentKind.ASSENT):
        await trial.bring(a_consent(kind, other))
    answer = await trial.post(FLOW, {**flow(), "participant_id": str(other)})
    assert (answer.status_code, answer.json()["type"]) == (422, "no-specimen-of-participant")


async def test_a_specimen_that_no_laboratory_has_gives_no_result(trial: Trial) -> None:
    await collected(trial)
    answer = await trial.post(FLOW, flow())
    assert (answer.status_code, answer.json()["type"]) == (409, "specimen-not-at-laboratory")


async def test_a_tube_has_a_custody_of_its_own_and_is_rejected_with_its_parent(trial_on_both: Trial) -> None:
    trial = trial_on_both
    await received(trial)
    other = uuid4()
    await step(trial, "aliquot", an_aliquoting(6, an_aliquot(), an_aliquot(aliquot_id=str(other))))
    path = await trial.record(PANEL, panel(ALIQUOT))
    tube = (await trial.get(f"{SPECIMENS}/{ALIQUOT}")).json()
    assert (tube["status"], tube["type"], tube["parent_id"]) == ("analysed", "serum", str(SPECIMEN))
    await step(trial, "reject", a_rejection())
    for each in (ALIQUOT, other):
        assert (await trial.get(f"{SPECIMENS}/{each}")).json()["status"] == "rejected"
    assert (await trial.get(path)).json()["specimen"]["flags"] == ["specimen-rejected"]
    refused = await trial.post(PANEL, panel(other))
    assert (refused.status_code, refused.json()["type"]) == (409, "specimen-is-rejected")


async def test_a_tube_takes_no_id_that_is_on_record(trial: Trial) -> None:
    await received(trial)
    refused = await step(trial, "aliquot", an_aliquoting(6, an_aliquot(aliquot_id=str(SPECIMEN))), status=409)
    assert refused["type"] == "specimen-already-recorded"


async def test_a_result_moves_to_another_specimen_or_leaves_it(trial: Trial) -> None:
    await received(trial)
    await step(trial, "aliquot", an_aliquoting())
    path = await trial.record(PANEL, panel(SPECIMEN))
    moved = {name: value for name, value in panel(ALIQUOT).items() if name != "participant_id"}
    assert (await trial.change(f"{path}/correct", moved)).status_code == 200
    parent, tube = [(await trial.get(f"{SPECIMENS}/{each}")).json() for each in (SPECIMEN, ALIQUOT)]
    assert (parent["status"], parent["results"]) == ("aliquoted", [])
    assert len(tube["results"]) == 1
    assert (await trial.change(f"{path}/cancel", {"ground": "cancelled"})).status_code == 200
    assert (await trial.get(f"{SPECIMENS}/{ALIQUOT}")).json()["results"] == []


async def test_what_is_planned_follows_from_the_visits_and_what_was_drawn(trial: Trial) -> None:
    path = f"/v1/participants/{PARTICIPANT}/specimens"
    before = (await trial.get(path)).json()
    assert {each["opens_on"] for each in before["planned"]} == {None}
    await trial.infused()
    await collected(trial)
    absent = {"participant_id": str(PARTICIPANT), **an_absence()}
    assert (await trial.post(f"{SPECIMENS}/not-collected", absent)).status_code == 201
    found = (await trial.get(path)).json()
    planned = {(each["visit"], each["purpose"]): each for each in found["planned"]}
    assert len(planned) == 14  # nine visits with flow, five with cytokines
    assert planned["D7", "car-t-flow"]["state"] == planned["D7", "cytokines"]["state"] == "collected"
    assert planned["D7", "cytokines"]["specimen_id"] == str(SPECIMEN)
    assert planned["D14", "cytokines"]["state"] == "missing"
    assert planned["D14", "car-t-flow"] | {"label": ""} == {
        "visit": "D14", "label": "", "purpose": "car-t-flow", "opens_on": "2026-03-14", "nominal_on": "2026-03-16",
        "closes_on": "2026-03-18", "state": "planned", "specimen_id": None,
    }  # fmt: skip
    assert [each["status"] for each in found["specimens"]] == ["collected", "not-collected"]


async def test_a_specimen_that_never_was_is_gone_from_the_list(trial: Trial) -> None:
    await collected(trial)
    await step(trial, "report-lost", a_loss())
    await step(trial, "retract", {"step": 2, "reason": "It stood in the other rack"})
    await step(trial, "retract", {"step": 1, "reason": "Another child's tube"})
    assert (await trial.get(TUBE)).json()["status"] is None
    assert (await trial.get(f"/v1/participants/{PARTICIPANT}/specimens")).json()["specimens"] == []
    refused = await step(trial, "ship", a_shipment(), status=409)
    assert refused["type"] == "specimen-never-was"


async def test_no_step_is_planned_that_the_protocol_does_not_ask_for(trial: Trial) -> None:
    body = {"participant_id": str(PARTICIPANT), **an_absence(visit="D60")}
    answer = await trial.post(f"{SPECIMENS}/not-collected", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "visit-plans-none")
    assert "D14" in answer.json()["detail"]


async def test_another_sites_specimen_does_not_exist(trial: Trial) -> None:
    await collected(trial)
    for path in (TUBE, f"{TUBE}/history", f"/v1/participants/{PARTICIPANT}/specimens"):
        assert (await trial.get(path, Role.LABORATORY, "SIRIRAJ")).status_code == 404
    ship = await trial.post(f"{TUBE}/ship", a_shipment(), Role.LABORATORY, "SIRIRAJ", If_Match='"1"')
    assert ship.status_code == 404
