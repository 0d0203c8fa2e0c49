"""Rounds of the delivery over lines that a test holds, and what they left on record and in memory."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.safety.notices.channels import Channel, Line
from services.safety.notices.delivery import AlertDelivery
from services.safety.tables import delivery_tries, sendings
from shared.contracts.safety import AlertChannel, AlertDelivered
from shared.kernel.actor import Role
from shared.kernel.clock import system_clock
from shared.protocol import AlertLevel
from tests.services.safety.api.test_adverse_events import report
from tests.services.safety.builders import EVENT
from tests.services.safety.house import House

ALERT = f"{EVENT}-1"
LEVELS = (
    AlertLevel(after_minutes=0, webhook=True, mail_to=("safety-officer",)),
    AlertLevel(after_minutes=30, webhook=False, mail_to=("safety-officer", "medical-monitor")),
    AlertLevel(after_minutes=120, webhook=True, mail_to=("sponsor",)),
)


class Held:
    """A line that is open already, as a channel."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def connected(self) -> Any:
        raise AssertionError("rounds of a test are given their lines")


async def raise_alert(house: House, event: UUID = EVENT) -> None:
    house.now = system_clock()  # receivers refuse signatures of another time
    async with house.client(Role.INVESTIGATOR) as client:
        answer = await report(client, adverse_event_id=str(event), seriousness=["hospitalisation"], grade=3)
    assert answer.status_code == 201
    await house.hears_itself()


def delivery_of(house: House, channels: Mapping[AlertChannel, Channel]) -> AlertDelivery:
    return AlertDelivery(house.db, house.store, house.clock, LEVELS, channels)


async def a_round(
    house: House, *, webhook: Line | None = None, mail: Line | None = None, made_of: type[AlertDelivery] | None = None
) -> None:
    """Plan, then send by each channel, as one process does it."""
    lines = {AlertChannel.WEBHOOK: webhook, AlertChannel.MAIL: mail}
    held = {name: Held(line) for name, line in lines.items() if line is not None}
    delivery = (made_of or AlertDelivery)(house.db, house.store, house.clock, LEVELS, held)
    await delivery.plan()
    for name, channel in held.items():
        await delivery.send(name, channel.line, asyncio.Event())


async def a_round_of(house: House, channels: Mapping[AlertChannel, Channel]) -> None:
    """A round over channels that are opened for it."""
    async with AsyncExitStack() as opened:
        lines = {name: await opened.enter_async_context(channel.connected()) for name, channel in channels.items()}
        await a_round(house, webhook=lines.get(AlertChannel.WEBHOOK), mail=lines.get(AlertChannel.MAIL))


async def deliveries(house: House, alert_id: str = ALERT) -> list[AlertDelivered]:
    return [event for event in await house.store.read(f"alert:{alert_id}") if isinstance(event, AlertDelivered)]


async def told(house: House, alert_id: str = ALERT) -> list[tuple[int, int, str]]:
    """Level, number and recipient of each delivery on record."""
    return [(each.level, each.number, each.recipient) for each in await deliveries(house, alert_id)]


async def remembered(house: House) -> list[Any]:
    """What the delivery remembers, one row per sending."""
    keys = (sendings.c.since, sendings.c.level, sendings.c.number, sendings.c.channel, sendings.c.recipient)
    async with house.db.connect() as connection:
        return list((await connection.execute(select(sendings).order_by(*keys))).all())


async def tried(house: House) -> list[Any]:
    """The log, the oldest try first."""
    keys = (delivery_tries.c.tried_at, delivery_tries.c.level, delivery_tries.c.recipient, delivery_tries.c.attempt)
    async with house.db.connect() as connection:
        return list((await connection.execute(select(delivery_tries).order_by(*keys))).all())
