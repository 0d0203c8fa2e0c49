"""A report about safety is never refused for want of consent: where consent gates data, it is flagged."""

import shutil
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from shared.contracts.enrollment import ConsentObtained
from shared.contracts.enrollment_terms import ConsentKind, ConsentOccasion, Relationship
from shared.db import open_database
from shared.kernel.actor import Role
from shared.protocol import ConsentGate
from tests.services.enrollment.builders import with_consent_settings
from tests.services.safety.builders import CHILD
from tests.services.safety.house import House, screened

GATED = with_consent_settings(gates=(ConsentGate.FOLLOW_UP,))
EVENT = {
    "adverse_event_id": "018f2b1c-7c1e-7d3a-9a55-0a1b2c3d4e77",
    "participant_id": str(CHILD),
    "term": "Fever",
    "grade": 2,
    "onset": "2026-03-10",
    "became_aware_at": "2026-03-10T20:00:00+07:00",
}


@pytest.fixture
async def gated(migrated_file: Path, tmp_path: Path) -> AsyncIterator[House]:
    file = shutil.copy(migrated_file, tmp_path / "safety.sqlite3")
    house = House(open_database(f"sqlite+aiosqlite:///{file}", "safety"), tmp_path, protocol=GATED)
    await house.hears(screened())
    yield house
    await house.close()


async def test_an_event_that_consent_did_not_cover_is_recorded_and_flagged_until_consent_is_known(gated: House) -> None:
    investigator = gated.client(Role.INVESTIGATOR)
    reported = await investigator.post("/v1/adverse-events", json=EVENT)
    assert reported.status_code == 201, reported.text
    path = f"/v1/adverse-events/{EVENT['adverse_event_id']}"
    shown = (await investigator.get(path)).json()
    assert shown["consent_gaps"] == ["guardian-consent-missing", "assent-missing"]
    for number, kind in enumerate((ConsentKind.GUARDIAN, ConsentKind.ASSENT), start=1):
        await gated.hears(
            ConsentObtained(
                participant_id=CHILD,
                consent_number=number,
                kind=kind,
                relationship=Relationship.MOTHER if kind is ConsentKind.GUARDIAN else None,
                document_version="1.0",
                language="th",
                obtained_on=date(2026, 2, 1),
                occasion=ConsentOccasion.INITIAL,
            )
        )
    assert (await investigator.get(path)).json()["consent_gaps"] == []
