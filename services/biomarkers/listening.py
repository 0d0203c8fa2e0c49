"""`python -m services.biomarkers mllp`: a listener for laboratories that send HL7 v2 over MLLP."""

import asyncio
import signal
import sys
from collections.abc import Sequence

from services.biomarkers.application import Biomarkers
from services.biomarkers.intake.feeds import Feeds
from services.biomarkers.intake.mllp import Listener
from services.biomarkers.intake.taking import Taking
from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import system_clock
from shared.kernel.errors import Unacceptable
from shared.process import wiring
from shared.settings import read_settings


class ListenerMisused(Unacceptable):
    """Send `mllp HOST PORT SITE...`: where to listen, and the sites whose laboratories may send."""


async def listen(db: Database, words: Sequence[str]) -> str:
    """Listen until SIGTERM or SIGINT. What is sent counts as sent by a system of these sites."""
    if len(words) < 3 or not words[1].isdigit() or int(words[1]) > 65535:
        raise ListenerMisused("mllp HOST PORT SITE..., such as: mllp 127.0.0.1 2575 CU")
    host, port, *sites = words
    actor = Actor("mllp", frozenset({Role.SYSTEM}), frozenset(sites), Role.SYSTEM)
    store, protocol = EventStore(db), wiring.open_protocol(read_settings())
    taking = Taking(db, store, Biomarkers(db, store, protocol, system_clock))
    feeds = Feeds(db, store, taking, system_clock)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def take(message: bytes) -> str:
        acknowledgement, _ = await feeds.take_hl7(message, by=actor)
        return acknowledgement

    def ready(bound: int) -> None:
        sys.stdout.write(f"listening for HL7 v2 over MLLP on {host}:{bound}\n")
        sys.stdout.flush()

    await Listener(take).serve(host, int(port), stop, ready)
    return "stopped"
