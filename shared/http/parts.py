"""What a service is built from. Apart from FastAPI, so that a worker is spared it, and the trial's protocol too."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.db import Database
from shared.eventstore.store import EventStore
from shared.kernel.clock import Clock
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.auth.tokens import TokenVerifier
    from shared.protocol import Protocol as TrialProtocol


class Tools(Protocol):
    """What a worker's tasks are built from."""

    @property
    def db(self) -> Database: ...
    @property
    def store(self) -> EventStore: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """Made once per worker. It decides nothing by the protocol, and answers nobody who would need a token."""

    db: Database
    store: EventStore
    clock: Clock
    settings: Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once per process by `shared.process`, or by a test. Without a verifier nobody is asked who they are."""

    db: Database
    store: EventStore
    protocol: "TrialProtocol"
    clock: Clock
    settings: Settings
    verifier: "TokenVerifier | None"
