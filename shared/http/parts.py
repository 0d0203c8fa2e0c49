"""What a service is built from. Apart from FastAPI, so that a worker is spared it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.clock import Clock
from shared.protocol import Protocol
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.auth.tokens import TokenVerifier


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once per process by `shared.process`, or by a test. Without a verifier nobody is asked who they are."""

    db: Database
    store: EventStore
    protocol: Protocol
    clock: Clock
    settings: Settings
    verifier: "TokenVerifier | None"
