"""What safety knows of participants, from enrollment's events."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.safety import references
from services.safety.references import Places
from shared.contracts.enrollment import InfusionCorrected, InfusionRetracted, ParticipantDied, ScreeningDataCorrected
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Event
from tests.services.safety.builders import CHILD
from tests.services.safety.house import INFUSED_AT, House, infused, screened

LATER = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)  # the 15th in Bangkok


def corrected(number: int = 1) -> InfusionCorrected:
    values = infused(infusion_number=number, started_at=LATER).model_dump(exclude={"site_id", "status"})
    return InfusionCorrected.model_validate({**values, "reason": "Wrong day"})


def retracted(number: int = 1) -> InfusionRetracted:
    return InfusionRetracted.model_validate(
        {
            "participant_id": CHILD,
            "infusion_number": number,
            "day_zero": None,
            "reason": "Another child's",
            "status": "enrolled",
            "protocol": "CMD03@1.0.0",
        }
    )


async def test_a_participant_is_known_once_screened(any_house: House) -> None:
    known = await references.participant(any_house.db, CHILD)
    assert (known.participant_id, known.site_id, str(known.zone)) == (CHILD, "CU", "Asia/Bangkok")
    assert known.infused_at is None


async def test_a_participant_nobody_has_heard_of_may_still_arrive(house: House) -> None:
    with pytest.raises(NoSuchParticipant, match="may still arrive"):
        await references.participant(house.db, uuid4())


@pytest.mark.parametrize(
    ("events", "infused_at"),
    [
        ([infused()], INFUSED_AT),
        ([infused(), infused(infusion_number=2, started_at=LATER)], INFUSED_AT),
        ([infused(), corrected()], LATER),
        ([infused(), infused(infusion_number=2), corrected(2)], INFUSED_AT),
        ([infused(), retracted()], None),
        ([infused(), infused(infusion_number=2), retracted(2)], INFUSED_AT),
    ],
)
async def test_the_first_infusion_counts(house: House, events: list[Event], infused_at: datetime | None) -> None:
    await house.hears(*events)
    assert (await references.participant(house.db, CHILD)).infused_at == infused_at


async def test_a_death_and_a_correction_leave_the_rest_known(house: House) -> None:
    death = {"participant_id": CHILD, "died_on": "2026-04", "disposition": "DEATH", "status": "died"}
    values = screened(birth_month="2016-03").model_dump(include=set(ScreeningDataCorrected.model_fields))
    correction = ScreeningDataCorrected.model_validate({**values, "reason": "Wrong year"})
    await house.hears(infused(), correction, ParticipantDied.model_validate(death))
    assert (await references.participant(house.db, CHILD)).infused_at == INFUSED_AT


async def test_a_place_is_asked_for_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    places, stranger = Places(house.db), uuid4()
    with pytest.raises(NoSuchParticipant):
        await places.of(stranger)
    place = await places.of(CHILD)
    assert (place.site_id, str(place.zone)) == ("CU", "Asia/Bangkok")
    monkeypatch.setattr(references, "participant", None)
    assert await places.of(CHILD) is place
    monkeypatch.undo()
    await house.hears(screened(participant_id=stranger))
    assert (await places.of(stranger)).site_id == "CU"
