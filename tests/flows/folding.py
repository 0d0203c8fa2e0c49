"""The read models as they must be: told everything from the beginning, on a database of their own."""

import asyncio
from collections.abc import Iterable, Sequence

from services.projector.app import SERVICE
from shared import migrations
from shared.db import Database, open_database
from shared.kernel.events import Envelope
from shared.messaging import Delivery, cloudevents
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from tests.flows.records import Message

BATCH = 200


def fold(url: str, *tellings: Iterable[Message]) -> None:
    """Tell a new projector at `url` these messages, in this order; a second telling repeats them."""
    asyncio.run(_fold(url, tellings))


async def _fold(url: str, tellings: Sequence[Iterable[Message]]) -> None:
    db = open_database(url, SERVICE.name)
    try:
        await migrations.upgrade(db, SERVICE.migrations)
        for telling in tellings:
            await _tell(db, list(telling))
    finally:
        await db.dispose()


async def _tell(db: Database, messages: list[Message]) -> None:
    applier = Applier(db, SERVICE.projections)
    await ledger.register(db, applier.names)
    await applier.refresh()
    deliveries = [_delivery(message) for message in messages]
    for start in range(0, len(deliveries), BATCH):
        await applier.apply(decoded(deliveries[start : start + BATCH], applier.wanted))


def _delivery(message: Message) -> Delivery:
    envelope = cloudevents.decode(message.key, list(message.headers.items()), message.value)
    assert isinstance(envelope, Envelope), envelope
    return Delivery(message.topic, message.partition, message.offset, envelope)
