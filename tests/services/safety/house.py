"""Safety as it runs: its app over a migrated database, tokens of a local issuer, and participants it has heard of."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from services.safety.app import SERVICE, create_app
from services.safety.tables import METADATA
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.contracts.enrollment import CellsInfused, ParticipantScreened, ParticipantTransferred
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.middleware import Surroundings
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.events import Envelope, Event
from shared.messaging import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from shared.protocol import Protocol
from shared.settings import Settings
from tests.services.safety.builders import CHILD, NOW, PROTOCOL

ISSUER, AUDIENCE = "urn:test", "cmd03"
INFUSED_AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


class House:
    """One safety service of a test's own. Its clock stands still until the test moves it."""

    def __init__(
        self, db: Database, folder: Path, settings: Settings | None = None, protocol: Protocol = PROTOCOL
    ) -> None:
        self.db = db
        self.now = NOW
        self.store = EventStore(db)
        self.issuer = LocalIssuer(folder / "issuer", issuer=ISSUER, audience=AUDIENCE).prepare()
        verifier = TokenVerifier(FileKeys(self.issuer.jwks_file), issuer=ISSUER, audience=AUDIENCE)
        self.parts = Parts(db, self.store, protocol, self.clock, settings or Settings(), verifier)
        self.app = create_app(self.parts)
        self._offsets: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self._taken = 0

    @classmethod
    async def open(cls, url: str, folder: Path, settings: Settings | None = None) -> "House":
        db = open_database(url, "safety")
        await migrations.upgrade(db, SERVICE.migrations)
        return cls(db, folder, settings)

    async def close(self) -> None:
        await self.db.dispose()

    def clock(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def client(self, *roles: Role, site: str = "CU", subject: str = "dr-mali") -> httpx.AsyncClient:
        token = self.issuer.token(subject=subject, roles=roles, sites=[site])
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(Surroundings(self.app), root_path="/safety"),
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def hears(self, *events: Event) -> None:
        """Take in events of enrollment about one participant each, in order."""
        await self.take_in("trial.enrollment", [self._envelope(event) for event in events])

    async def hears_itself(self) -> None:
        """Take in the events of its own that were recorded since the last time."""
        events = METADATA.tables["events"]
        query = select(events).where(events.c.position > self._taken).order_by(events.c.position)
        async with self.db.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        self._taken = rows[-1]["position"] if rows else self._taken
        fields = [{name: row[name] for name in Envelope.model_fields} for row in rows]
        await self.take_in("trial.safety", [Envelope(**each) for each in fields])

    async def take_in(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        applier = Applier(self.db, SERVICE.projections, self.clock)
        await ledger.register(self.db, applier.names)
        await applier.refresh()
        start = self._offsets.get(topic, 0)
        deliveries = [Delivery(topic, 0, offset, envelope) for offset, envelope in enumerate(envelopes, start)]
        self._offsets[topic] = start + len(deliveries)
        await applier.apply(decoded(deliveries, applier.wanted))

    def _envelope(self, event: Event) -> Envelope:
        subject = str(event.participant_id)  # type: ignore[attr-defined]
        stream = f"participant:{subject}"
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        return Envelope(
            event_id=uuid4(),
            stream=stream,
            version=version,
            type=event.event_type,
            schema_version=event.schema_version,
            subject=subject,
            recorded_at=self.now,
            actor="dr-mali",
            role="investigator",
            reason=None,
            correlation_id=uuid4(),
            causation_id=uuid4(),
            traceparent=None,
            data=event.to_json(),
        )


def screened(participant_id: UUID = CHILD, site: str = "CU", **changed: Any) -> ParticipantScreened:
    stated = {
        "participant_id": participant_id,
        "site_id": site,
        "time_zone": "Asia/Bangkok",
        "subject_number": f"{site}-001",
        "screening_number": f"{site}-001-S1",
        "subject_label": None,
        "birth_month": "2017-03",
        "sex": "F",
        "diagnosis": "neuroblastoma",
        "diagnosis_text": None,
        "screened_on": date(2026, 2, 1),
        "status": "screening",
    }
    return ParticipantScreened.model_validate({**stated, **changed})


def transferred(on: str, to: str = "KKU", of: str = "CU") -> ParticipantTransferred:
    return ParticipantTransferred.model_validate(
        {
            "participant_id": CHILD,
            "from_site": of,
            "site_id": to,
            "time_zone": "Asia/Bangkok",
            "transferred_on": on,
            "reason": "The family moved",
        }
    )


def infused(participant_id: UUID = CHILD, **changed: Any) -> CellsInfused:
    stated = {
        "participant_id": participant_id,
        "site_id": "CU",
        "infusion_number": 1,
        "started_at": INFUSED_AT,
        "ended_at": INFUSED_AT + timedelta(minutes=30),
        "route": "intravenous",
        "lot": "LOT-7",
        "weight_kg": "21.5",
        "cells_per_kg": "1000000",
        "total_car_positive_cells": "21500000",
        "day_zero": INFUSED_AT,
        "consent_gaps": (),
        "status": "infused",
        "protocol": PROTOCOL.ref,
    }
    return CellsInfused.model_validate({**stated, **changed})
