"""A report about safety is never refused for want of consent: where consent gates data, it is flagged."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from shared.contracts.enrollment import ConsentObtained
from shared.contracts.enrollment_consent import ConsentLimited
from shared.contracts.enrollment_terms import ConsentKind, ConsentOccasion, ConsentScope, Disposition, Relationship
from shared.db import open_database
from shared.kernel.actor import Role
from shared.protocol import ConsentGate, Protocol
from tests.services.enrollment.builders import with_consent_settings
from tests.services.safety.api.laboratory.test_results import RECORD, read, registered, row, sent
from tests.services.safety.builders import CHILD
from tests.services.safety.house import House, screened
from tests.services.safety.toxicity.episodes import EPISODE, opening
from tests.services.safety.toxicity.episodes import EVENT as EVENT_OF_EPISODE

GATED, OPEN = with_consent_settings(gates=(ConsentGate.FOLLOW_UP,)), with_consent_settings(gates=())
EVENT = {
    "adverse_event_id": "018f2b1c-7c1e-7d3a-9a55-0a1b2c3d4e77",
    "participant_id": str(CHILD),
    "term": "Fever",
    "grade": 2,
    "onset": "2026-03-10",
    "became_aware_at": "2026-03-10T20:00:00+07:00",
}


@asynccontextmanager
async def under(protocol: Protocol, migrated_file: Path, folder: Path) -> AsyncIterator[House]:
    file = shutil.copy(migrated_file, folder / "safety.sqlite3")
    house = House(open_database(f"sqlite+aiosqlite:///{file}", "safety"), folder, protocol=protocol)
    await house.hears(screened())
    yield house
    await house.close()


@pytest.fixture
async def gated(migrated_file: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with under(GATED, migrated_file, tmp_path) as house:
        yield house


@pytest.fixture
async def ungated(migrated_file: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with under(OPEN, migrated_file, tmp_path) as house:
        yield house


async def test_an_event_that_consent_did_not_cover_is_recorded_and_flagged_until_consent_is_known(gated: House) -> None:
    investigator = gated.client(Role.INVESTIGATOR)
    reported = await investigator.post("/v1/adverse-events", json=EVENT)
    assert reported.status_code == 201, reported.text
    path = f"/v1/adverse-events/{EVENT['adverse_event_id']}"
    shown = (await investigator.get(path)).json()
    assert shown["consent_gaps"] == ["guardian-consent-missing", "assent-missing"]
    await consents(gated, "2026-02-01")
    assert (await investigator.get(path)).json()["consent_gaps"] == []


async def test_an_episode_is_flagged_by_its_onset_and_a_laboratory_result_by_its_draw(gated: House) -> None:
    investigator = gated.client(Role.INVESTIGATOR)
    assert (await investigator.post("/v1/toxicity-episodes", json=opening())).status_code == 201
    lacking = ["guardian-consent-missing", "assent-missing"]
    for path in (f"/v1/toxicity-episodes/{EPISODE}", f"/v1/adverse-events/{EVENT_OF_EPISODE}"):
        assert (await investigator.get(path)).json()["consent_gaps"] == lacking
    await consents(gated, "2026-03-14")
    await gated.hears(
        ConsentLimited(
            participant_id=CHILD,
            scopes=(ConsentScope.FOLLOW_UP,),
            withdrawn_on=date(2026, 3, 14),
            disposition=Disposition.WITHDRAWAL_BY_GUARDIAN,
        )
    )
    assert (await investigator.get(f"/v1/toxicity-episodes/{EPISODE}")).json()["consent_gaps"] == [
        "follow-up-withdrawn"
    ]
    await registered(gated)
    drawn = "2026-03-13T16:30:00+00:00", "2026-03-13T17:30:00+00:00", "2026-03-14T17:30:00+00:00"  # 13, 14, 15 March
    answers = (await sent(gated, *(row(at, row_id=f"R{at[9]}{at[11:13]}", collected_at=at) for at in drawn)))["rows"]
    assert [each["outcome"] for each in answers] == ["recorded"] * 3
    found = (await read(gated, RECORD))["items"]
    assert [each["consent_gaps"] for each in found] == [lacking, [], ["follow-up-withdrawn"]]


async def test_nothing_is_flagged_where_the_protocol_does_not_ask(ungated: House) -> None:
    await registered(ungated)
    await sent(ungated, row())
    assert [each["consent_gaps"] for each in (await read(ungated, RECORD))["items"]] == [None]


async def consents(house: House, on: str) -> None:
    for number, kind in enumerate((ConsentKind.GUARDIAN, ConsentKind.ASSENT), start=1):
        await house.hears(
            ConsentObtained(
                participant_id=CHILD,
                consent_number=number,
                kind=kind,
                relationship=Relationship.MOTHER if kind is ConsentKind.GUARDIAN else None,
                document_version="1.0",
                language="th",
                obtained_on=date.fromisoformat(on),
                occasion=ConsentOccasion.INITIAL,
            )
        )
