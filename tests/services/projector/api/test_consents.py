"""Who lacks which consent, over HTTP; and adverse events that consent did not cover."""

from datetime import date
from typing import Any

import pytest

from shared.contracts.enrollment import ConsentObtained
from shared.contracts.enrollment_consent import ConsentLimited
from shared.contracts.enrollment_terms import ConsentKind, ConsentOccasion, Relationship
from shared.kernel.actor import Role
from tests.services.projector.api.test_schedules import ask, everything
from tests.services.projector.chronicle import Chronicle
from tests.services.projector.house import House
from tests.services.projector.small_trial import at

PATH = "/v1/consent-gaps"


def consented(chronicle: Chronicle, number: str, kind: str, on: str) -> None:
    who = chronicle.child(number)
    chronicle.tell(
        f"participant:{who.id}",
        ConsentObtained(
            participant_id=who.id,
            consent_number=1,
            kind=ConsentKind(kind),
            relationship=Relationship.MOTHER if kind == "guardian" else None,
            document_version="1.0",
            language="th",
            obtained_on=date.fromisoformat(on),
            occasion=ConsentOccasion.INITIAL,
        ),
    )


@pytest.fixture
async def asked(house: House) -> House:
    chronicle = Chronicle()
    for number in ("CU-001", "CU-002", "SI-001"):
        chronicle.child(number).screened()
    for kind in ("guardian", "assent"):
        consented(chronicle, "CU-001", kind, "2026-01-01")
    consented(chronicle, "CU-002", "guardian", "2026-01-01")
    first = chronicle.child("CU-001")
    first.adverse_event("Fever", 1, "2025-12-31")
    first.adverse_event("Nausea", 1, "2026-01-01")
    await house.hears(chronicle.told)
    return house


async def test_gaps_page_by_page_and_as_a_table(asked: House) -> None:
    whole: list[dict[str, Any]] = (await ask(asked, PATH))["items"]
    assert [(each["subject_number"], each["gap"], each["state"]) for each in whole] == [
        ("CU-002", "assent-missing", "lacking"),
        ("SI-001", "assent-missing", "lacking"),
        ("SI-001", "guardian-consent-missing", "lacking"),
    ]
    assert await everything(asked, PATH, limit="1") == whole
    text = await ask(asked, PATH, accept="text/csv")
    assert text.splitlines()[0].startswith("participant_id,subject_number,site_id,status,gap,state,why,since")
    assert text.count("\r\n") == 4
    assert (await ask(asked, PATH, state="due"))["items"] == []
    assert {each["gap"] for each in (await ask(asked, PATH, until="2040-01-01", state="due"))["items"]} == {
        "own-consent-missing"
    }


async def test_gaps_of_the_callers_sites_alone(asked: House) -> None:
    async with asked.client(Role.COORDINATOR, sites=["CU"]) as client:
        answer = await client.get(PATH)
        foreign = await client.get(PATH, params={"site": "SI"})
        wrong = await client.get(PATH, params={"cursor": "bm90IG91cnM"})
    assert {each["site_id"] for each in answer.json()["items"]} == {"CU"}
    assert foreign.json()["items"] == []
    assert (wrong.status_code, wrong.json()["type"]) == (422, "unreadable-cursor")


async def test_adverse_events_are_flagged_where_consent_did_not_cover_their_onset(asked: House) -> None:
    found = (await ask(asked, "/v1/adverse-events"))["items"]
    assert [(each["term"], each["consent_gaps"]) for each in found] == [
        ("Fever", ["guardian-consent-missing", "assent-missing"]),
        ("Nausea", []),
    ]


async def test_what_is_on_record_beyond_a_withdrawal_is_listed_as_a_deviation(house: House) -> None:
    chronicle = Chronicle()
    who = chronicle.child("CU-001")
    who.screened().infused(at(1, 5))
    for kind in ("guardian", "assent"):
        consented(chronicle, "CU-001", kind, "2025-12-01")
    who.flow(at(1, 12), "50")
    who.flow(at(1, 19), "40")
    who.cytokines(at(1, 19), IL6="5")
    who.copies(at(1, 20), "1000")
    who.assessed("2026-02-04", "SD")
    stream = f"participant:{who.id}"
    late = {"participant_id": who.id, "withdrawn_on": "2026-01-15", "disposition": "WITHDRAWAL BY SUBJECT"}
    chronicle.tell(stream, ConsentLimited.model_validate({**late, "scopes": ["samples"]}))
    await house.hears(chronicle.told)
    found = (await ask(house, "/v1/deviations", kind="consent-lacking"))["items"]
    assert [(each["occurred_on"], each["about"], each["found"]) for each in found] == [
        ("2026-01-19", "cytokine panel", ["samples-withdrawn"]),
        ("2026-01-19", "flow result", ["samples-withdrawn"]),
        ("2026-01-20", "transgene result", ["samples-withdrawn"]),
    ]
