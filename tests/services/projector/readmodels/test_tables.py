"""Given events, then rows: on both databases, whatever the order in which the streams arrive."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.projector.app import SERVICE
from services.projector.readmodels.all import PROJECTIONS
from services.projector.readmodels.timeline import CLINICAL_TIME
from services.projector.tables import METADATA
from shared import migrations
from shared.contracts import safety
from shared.contracts.catalogue import published
from shared.contracts.enrollment import SubjectNumberAllocated
from shared.contracts.safety import GradeSince, Replaced
from shared.contracts.terms import PartialDate
from shared.kernel.events import Envelope, Event, decode
from shared.projection import as_of
from tests.services.projector.chronicle import Chronicle, named, opinion, term
from tests.services.projector.house import House
from tests.services.projector.small_trial import at, small_trial

SAMPLES = Path(__file__).parents[3] / "contracts" / "samples"
Told = list[tuple[str, Envelope]]


async def one(house: House, path: str) -> Any:
    async with house.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def adverse_event(house: House) -> Any:
    (found,) = (await one(house, "/v1/adverse-events"))["items"]
    return found


async def test_the_migrations_make_the_tables_that_the_code_declares(any_house: House) -> None:
    await migrations.check(any_house.db, SERVICE.migrations, METADATA)


async def test_both_databases_give_the_same_tables(any_house: House, trial: House) -> None:
    await any_house.hears(small_trial().told)
    assert await any_house.rows() == await trial.rows()


async def test_events_told_twice_change_nothing(any_house: House) -> None:
    told = small_trial().told
    await any_house.hears(told)
    before = await any_house.rows()
    await any_house.hears(told)
    assert await any_house.rows() == before


def interleaved(told: Told, order: list[int]) -> Told:
    """The same events, each stream in its own order, the streams mixed as `order` says."""
    waiting: dict[str, Told] = {}
    for topic, envelope in told:
        waiting.setdefault(envelope.stream, []).append((topic, envelope))
    streams = list(waiting.values())
    mixed: Told = []
    for choice in order:
        stream = streams[choice % len(streams)]
        mixed.append(stream.pop(0))
        if not stream:
            streams.remove(stream)
    return mixed


TABLES = (
    *(f"outcomes/{name}" for name in ("adverse-events", "response-rate", "persistence", "cytokines")),
    *("sae-worklist", "dose-limiting-toxicity", "safety-reconciliation"),
)


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_of_arrival_across_streams_gives_the_same_rows(house: House, trial: House, seed: int) -> None:
    told = small_trial().told
    order = [named(f"{seed}, {place}").int % 1000 for place in range(len(told))]
    await house.hears(interleaved(told, order))
    assert await house.rows() == await trial.rows()
    for table in TABLES:
        assert await one(house, f"/v1/{table}") == await one(trial, f"/v1/{table}")


async def test_every_event_ever_sampled_is_taken_in(any_house: House) -> None:
    for place, file in enumerate(sorted(SAMPLES.glob("*.json"))):
        name, version = file.name.removesuffix(".json").rsplit(".v", 1)
        event = decode(name, int(version), file.read_text(encoding="utf-8"))
        chronicle = Chronicle()
        chronicle.tell(f"sample:{named(str(place))}", event)
        await any_house.hears(chronicle.told)
    found = await as_of(any_house.db, PROJECTIONS)
    assert (found.parked, found.halted) == (0, False)


def events_about_participants() -> set[type[Event]]:
    return {
        kind
        for kind in published().values()
        if "participant_id" in kind.model_fields and kind is not SubjectNumberAllocated
    }


def test_the_timeline_has_every_event_about_a_participant() -> None:
    assert set(CLINICAL_TIME) == events_about_participants()


async def test_a_participant_reads_as_the_latest_events_say(any_house: House) -> None:
    chronicle = Chronicle()
    chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).infusion_corrected(at(1, 6))
    await any_house.hears(chronicle.told)
    found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]
    assert found["status"] == "infused"
    assert datetime.fromisoformat(found["day_zero"]) == at(1, 6)
    (infusion,) = found["infusions"]
    assert (infusion["weight_kg"], infusion["lot"]) == ("22.50", "LOT-7")
    assert datetime.fromisoformat(infusion["started_at"]) == at(1, 6)


async def test_a_participant_shows_what_prepared_for_the_infusion(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().prepared(date(2026, 1, 1), at(1, 1)).infused(at(1, 5))
    await any_house.hears(chronicle.told)
    (course,) = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]["lymphodepletions"]
    assert (course["prepares_infusion"], course["began_on"]) == (1, "2026-01-01")
    assert datetime.fromisoformat(course["first_dose_at"]) == at(1, 1)
    assert course["drugs"] == [
        {"drug": "fludarabine", "dose": "30.0", "unit": "mg/m2", "route": "intravenous", "days": ["2026-01-01"]}
    ]
    child.lymphodepletion_corrected(date(2026, 1, 2))
    await any_house.hears(chronicle.told)
    found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]["lymphodepletions"]
    assert [(each["began_on"], each["first_dose_at"]) for each in found] == [("2026-01-02", None)]
    child.lymphodepletion_retracted()
    await any_house.hears(chronicle.told)
    assert (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]["lymphodepletions"] == []
    timeline = (await one(any_house, f"/v1/participants/{named('CU-001')}/timeline"))["items"]
    told = [each for each in timeline if each["type"].startswith("enrollment.lymphodepletion")]
    assert [each["type"].rpartition("-")[2] for each in told] == ["recorded", "corrected", "retracted"]
    assert datetime.fromisoformat(told[0]["occurred"]) == at(1, 1)


async def test_a_participant_shows_new_anticancer_therapy_as_it_is_on_record_now(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).began_therapy("2026-03")
    shown = []
    for change in (lambda: None, lambda: child.therapy_corrected("2026-03-09"), child.therapy_retracted):
        change()
        await any_house.hears(chronicle.told)
        found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]["anticancer_therapies"]
        shown.append([(each["kind"], each["started_on"]) for each in found])
    assert shown == [[("systemic", "2026-03")], [("radiotherapy", "2026-03-09")], []]
    timeline = (await one(any_house, f"/v1/participants/{named('CU-001')}/timeline"))["items"]
    told = [each for each in timeline if "anticancer-therapy" in each["type"]]
    assert [each["type"].rpartition("-")[2] for each in told] == ["recorded", "corrected", "retracted"]
    assert told[0]["occurred"].startswith("2026-03")


async def test_a_retracted_infusion_leaves_the_outcomes(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5))
    child.adverse_event("Fever", 2, "2026-01-06")
    child.infusion_retracted()
    await any_house.hears(chronicle.told)
    assert (await one(any_house, "/v1/outcomes/adverse-events"))["result"]["infused"] == 0
    found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]
    assert (found["status"], found["day_zero"], found["infusions"]) == ("enrolled", None, [])


async def test_a_second_infusion_that_is_retracted_leaves_the_first(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).infused(at(2, 5), day_zero=at(2, 5))
    child.infusion_retracted(day_zero=at(1, 5))
    await any_house.hears(chronicle.told)
    found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]
    assert datetime.fromisoformat(found["day_zero"]) == at(1, 5)
    assert [each["infusion_number"] for each in found["infusions"]] == [1]
    assert (await one(any_house, "/v1/outcomes/adverse-events"))["result"]["infused"] == 1


async def test_a_participant_found_again_is_followed_on(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().enrolled().infused(at(1, 5)).lost("2026-01-20")
    await any_house.hears(chronicle.told)
    points = (await one(any_house, "/v1/outcomes/adverse-events"))["result"]["time_points"]
    assert [point["interval"]["at_risk"] for point in points[:4]] == [1, 1, 1, 0]
    child.found_again()
    await any_house.hears(chronicle.told[-1:])
    points = (await one(any_house, "/v1/outcomes/adverse-events"))["result"]["time_points"]
    assert [point["interval"]["at_risk"] for point in points[:4]] == [1, 1, 1, 1]
    found = (await one(any_house, f"/v1/participants/{named('CU-001')}"))["result"]
    assert (found["status"], found["lost_on"]) == ("infused", None)


async def test_a_corrected_adverse_event_reads_as_corrected(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    event = child.adverse_event("Fever", 2, "2026-01-06", related="probable").regraded(3, "2026-01-08")
    moved = (GradeSince(grade=1, since="2026-01-07"), GradeSince(grade=3, since="2026-01-08"))
    event.corrected(
        onset=Replaced[PartialDate](was="2026-01-06", now="2026-01-07"),
        grades=Replaced[tuple[GradeSince, ...]](was=tuple(event.grades), now=moved),
        term=Replaced[safety.AdverseEventTerm](was=term("Fever"), now=term("Sepsis")),
        causality=Replaced[tuple[safety.AgentCausality, ...]](was=(), now=(opinion("disease", "definite"),)),
        seriousness=Replaced[tuple[safety.Seriousness, ...]](was=(), now=(safety.Seriousness.HOSPITALISATION,)),
        ended_on=Replaced[PartialDate | None](was=None, now="2026-01-09"),
    )
    event.regraded(2, "2026-01-09").judged("other", "unlikely")
    await any_house.hears(chronicle.told)
    found = await adverse_event(any_house)
    assert (found["term"], found["onset"], found["ended_on"]) == ("Sepsis", "2026-01-07", "2026-01-09")
    assert [(each["grade"], each["since"]) for each in found["grades"]] == [
        (1, "2026-01-07"),
        (3, "2026-01-08"),
        (2, "2026-01-09"),
    ]
    assert (found["grade"], found["worst_grade"], found["serious"]) == (2, 3, True)
    assert [(each["agent"], each["attribution"]) for each in found["causality"]] == [
        ("disease", "definite"),
        ("other", "unlikely"),
    ]
    assert found["version"] == 5


async def test_a_retracted_adverse_event_is_listed_and_counts_nowhere(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    child.adverse_event("Fever", 2, "2026-01-06", serious=["hospitalisation"]).no_longer_serious().retracted()
    await any_house.hears(chronicle.told)
    found = await adverse_event(any_house)
    assert (found["retracted"], found["serious"]) == (True, False)
    points = (await one(any_house, "/v1/outcomes/adverse-events"))["result"]["time_points"]
    assert {point["cumulative"]["any"]["n"] for point in points} == {0}
    (alert,) = (await one(any_house, "/v1/sae-worklist"))["result"]["items"]
    assert alert["retracted"] is True  # what was told was told: somebody still has to take it in hand


async def test_an_override_that_is_withdrawn_and_a_retracted_assessment_count_no_more(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    child.assessed("2026-02-04", "SD").overridden("PR", assigned="SD").override_withdrawn(assigned="SD")
    child.assessed("2026-03-01", "CR").retracted()
    child.assessed("2026-03-09", "PR").moved_to("2026-03-10").assigned("CR")
    await any_house.hears(chronicle.told)
    (who,) = (await one(any_house, "/v1/outcomes/response-rate"))["result"]["participants"]
    assert [(each["assessed_on"], each["response"]) for each in who["assessments"]] == [
        ("2026-02-04", "SD"),
        ("2026-03-10", "CR"),
    ]


async def test_a_corrected_panel_replaces_the_one_before_and_a_cancelled_one_counts_no_more(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    panel = child.cytokines(at(1, 12), IL6="50", TNF="3")
    child.cytokines_corrected(panel, at(1, 12), IL6="60")
    child.cytokines_cancelled(child.cytokines(at(1, 19), IL6="70"))
    await any_house.hears(chronicle.told)
    analytes = {
        each["analyte"]: each for each in (await one(any_house, "/v1/outcomes/cytokines"))["result"]["analytes"]
    }
    assert [point["n"] for point in analytes["IL6"]["time_points"]] == [0, 1, 0, 0, 0]
    assert analytes["IL6"]["time_points"][1]["median"]["text"] == "60"
    assert analytes["TNF"]["time_points"][1]["n"] == 0


async def test_the_timeline_is_in_the_order_in_which_things_happened(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(at(1, 5))
    late = child.adverse_event("Fever", 2, "2026-01-03")  # recorded after the infusion, and began before it
    child.adverse_event("Nausea", 1, "2026-01-05").judged("other", "unrelated")
    child.assessed("2026-02", "SD")
    await any_house.hears(chronicle.told)
    found = (await one(any_house, f"/v1/participants/{child.id}/timeline"))["items"]
    assert [(each["type"], each["occurred"]) for each in found] == [
        ("enrollment.participant-screened", "2025-12-01"),
        ("safety.adverse-event-reported", "2026-01-03"),
        ("safety.adverse-event-reported", "2026-01-05"),
        ("enrollment.cells-infused", at(1, 5).isoformat()),
        ("efficacy.tumour-assessed", "2026-02"),
        ("efficacy.response-assigned", "2026-02"),
        ("safety.causality-assessed", found[-1]["recorded_at"].replace("Z", "+00:00")),
    ]
    assert found[1]["stream"] == late.stream
    assert found[1]["data"] == json.loads(chronicle.told[2][1].data)
    assert (found[1]["actor"], found[1]["service"]) == ("dr-mali", "safety")
    assert found[1]["what"] == "A site reported an adverse event for the first time."


async def test_numbers_and_instants_come_back_exactly(any_house: House) -> None:
    chronicle = Chronicle()
    child = chronicle.child("CU-001").screened().infused(datetime(2026, 1, 5, 2, 0, 0, 123456, tzinfo=UTC))
    child.flow(at(1, 12), "0.100000000001")
    await any_house.hears(chronicle.told)
    rows = await any_house.rows()
    assert Decimal("0.100000000001") in rows["flow_results"][0]
    assert datetime(2026, 1, 5, 2, 0, 0, 123456, tzinfo=UTC) in rows["infusions"][0]
