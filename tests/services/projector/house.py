"""The projector as it runs: its app over a migrated database, tokens of a local issuer, and the events it was told."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from services.projector.app import SERVICE, create_app
from services.projector.readmodels.all import PROJECTIONS
from services.projector.tables import METADATA
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.middleware import Surroundings
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.events import Envelope
from shared.messaging import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from shared.protocol import Protocol
from shared.settings import Settings
from tests.services.projector.chronicle import PROTOCOL
from tests.services.projector.small_trial import NOW

ISSUER, AUDIENCE = "urn:test", "cmd03"


class House:
    """One projector of a test's own. Its clock stands still."""

    def __init__(self, db: Database, folder: Path, protocol: Protocol = PROTOCOL) -> None:
        self.db = db
        self.now = NOW
        self.issuer = LocalIssuer(folder / "issuer", issuer=ISSUER, audience=AUDIENCE).prepare()
        verifier = TokenVerifier(FileKeys(self.issuer.jwks_file), issuer=ISSUER, audience=AUDIENCE)
        self.parts = Parts(db, EventStore(db), protocol, self.clock, Settings(), verifier)
        self.app = create_app(self.parts)
        self._offsets: dict[str, int] = {}

    @classmethod
    async def open(cls, url: str, folder: Path) -> "House":
        db = open_database(url, "projector")
        await migrations.upgrade(db, SERVICE.migrations)
        made = cls(db, folder)
        async with db.connect() as connection:
            for row in (await connection.execute(select(METADATA.tables["projection_offsets"]))).all():
                made._offsets[row.topic] = max(made._offsets.get(row.topic, 0), row.next_offset)
        return made

    def clock(self) -> datetime:
        return self.now

    async def close(self) -> None:
        await self.db.dispose()

    async def hears(self, told: Iterable[tuple[str, Envelope]]) -> None:
        """Take events in, each from its topic, in this order."""
        applier = Applier(self.db, PROJECTIONS, self.clock)
        await ledger.register(self.db, applier.names)
        await applier.refresh()
        await applier.apply(decoded([self._delivery(topic, envelope) for topic, envelope in told], applier.wanted))

    def _delivery(self, topic: str, envelope: Envelope) -> Delivery:
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        return Delivery(topic, 0, offset, envelope)

    def client(
        self, *roles: Role, sites: list[str] | None = None, accept: str = "application/json"
    ) -> httpx.AsyncClient:
        """Calls with a token; without sites it sees every site."""
        token = self.issuer.token(subject="dr-mali", roles=roles or (Role.SPONSOR,), sites=sites or ["*"])
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(Surroundings(self.app), root_path="/trial"),
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}", "Accept": accept},
        )

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every read model, in the order of its key."""
        found = {}
        async with self.db.connect() as connection:
            for projection in PROJECTIONS:
                for table in projection.tables:
                    rows = (await connection.execute(select(table))).all()
                    found[table.name] = sorted(map(tuple, rows), key=repr)
        return found
