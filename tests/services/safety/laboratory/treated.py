"""ALT of a child before and after lymphodepletion on 9 March and the infusion of the 14th, and what is told of them."""

import asyncio
from typing import Any
from uuid import UUID

from services.safety.laboratory.watch import BaselineWatch
from shared.contracts.enrollment import InfusionCorrected, InfusionRetracted
from shared.contracts.enrollment_lymphodepletion import (
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.protocol import Protocol
from tests.services.safety.api.laboratory.test_results import registered, row, sent
from tests.services.safety.builders import CHILD, PROTOCOL
from tests.services.safety.house import House, infused

COURSE = UUID("018f2b2a-5b1e-7c3a-8a55-0a1b2c3d4e5f")
STREAM = f"lab-results:{CHILD}"


def lymphodepletion(began_on: str = "2026-03-09", **changed: Any) -> LymphodepletionRecorded:
    drug = {"drug": "fludarabine", "dose": "30", "unit": "mg/m2", "route": "intravenous", "days": [began_on]}
    stated = {
        "participant_id": CHILD,
        "site_id": "CU",
        "lymphodepletion_id": COURSE,
        "prepares_infusion": 1,
        "began_on": began_on,
        "first_dose_at": None,
        "drugs": [drug],
        "consent_gaps": (),
        "protocol": PROTOCOL.ref,
    }
    return LymphodepletionRecorded.model_validate({**stated, **changed})


def corrected(began_on: str, **changed: Any) -> LymphodepletionCorrected:
    values = lymphodepletion(began_on, **changed).model_dump(exclude={"site_id"})
    return LymphodepletionCorrected.model_validate({**values, "reason": "The chart says another day"})


def retracted(course: UUID = COURSE) -> LymphodepletionRetracted:
    values = {"participant_id": CHILD, "lymphodepletion_id": course, "protocol": PROTOCOL.ref}
    return LymphodepletionRetracted.model_validate({**values, "reason": "Another child's"})


def infusion_corrected(started_at: str) -> InfusionCorrected:
    values = infused(started_at=started_at).model_dump(exclude={"site_id", "status"})
    return InfusionCorrected.model_validate({**values, "reason": "Wrong day"})


def infusion_retracted() -> InfusionRetracted:
    stated = {"participant_id": CHILD, "infusion_number": 1, "day_zero": None, "status": "enrolled"}
    return InfusionRetracted.model_validate({**stated, "reason": "Another child's", "protocol": PROTOCOL.ref})


def alt(day: str, value: str) -> dict[str, Any]:
    """ALT in U/L at half past seven of a day of March, where 40 is the upper limit."""
    return row(day, value=value, collected_at=f"2026-03-{day}T07:30:00+07:00")


async def a_course(house: House, **values: str) -> None:
    """An infused child with these values: `d08="30"`."""
    await registered(house)
    await house.hears(infused())
    await sent(house, *(alt(day[1:], value) for day, value in values.items()))


def watch_of(house: House, protocol: Protocol = PROTOCOL) -> BaselineWatch:
    return BaselineWatch(house.db, house.store, house.clock, protocol)


async def a_round(house: House, protocol: Protocol = PROTOCOL) -> None:
    """What the worker does in a second: take in what has happened, then look."""
    await house.hears_itself()
    await watch_of(house, protocol).round(asyncio.Event())


async def happened(house: House) -> list[str]:
    """The kinds of events of the child's results and candidates."""
    return [event.event_type.removeprefix("safety.") for event in await house.store.read(STREAM)]
