"""The efficacy service in this process, with one participant at site CU, spoken to over HTTP with signed tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.efficacy import references, subjects
from services.efficacy.app import SERVICE
from services.efficacy.domain.lesions import IdentifyLesion
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.contracts.enrollment import ConsentObtained, ParticipantScreened
from shared.contracts.enrollment_terms import (
    ConsentKind,
    ConsentOccasion,
    Diagnosis,
    ParticipantStatus,
    Relationship,
    Sex,
)
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.decider import Command
from shared.kernel.events import Envelope, Event
from shared.messaging.bus import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import Arrival
from shared.protocol import Protocol, load_protocol
from shared.settings import Settings
from tests.services.efficacy.domain.builders import PARTICIPANT, a_baseline, a_lesion, an_assessment, an_id

NOW = datetime(2026, 12, 31, 3, tzinfo=UTC)
BURDEN = f"/v1/participants/{PARTICIPANT}"


@dataclass
class Trial:
    """A client of the service, and the issuer of its tokens."""

    client: httpx.AsyncClient
    issuer: LocalIssuer
    store: EventStore

    def headers(self, role: Role = Role.INVESTIGATOR, site: str = "CU", **more: str) -> dict[str, str]:
        token = self.issuer.token(subject=f"a {role.value}", roles=[role], sites=[site])
        return {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in more.items()}

    async def get(self, path: str, role: Role = Role.MONITOR, site: str = "CU") -> httpx.Response:
        return await self.client.get(f"{BURDEN}{path}", headers=self.headers(role, site))

    async def post(
        self, path: str, body: Command | dict[str, Any], role: Role = Role.RADIOLOGIST, site: str = "CU", **more: str
    ) -> httpx.Response:
        sent = body.model_dump(mode="json") if isinstance(body, Command) else body
        return await self.client.post(f"{BURDEN}{path}", json=sent, headers=self.headers(role, site, **more))

    async def change(self, path: str, body: dict[str, Any], role: Role = Role.INVESTIGATOR) -> httpx.Response:
        etag = (await self.get("/tumour-burden")).headers["ETag"]
        return await self.post(path, body, role, If_Match=etag)

    async def record(self, *commands: Command) -> None:
        for command in commands:
            path = "/lesions" if isinstance(command, IdentifyLesion) else "/assessments"
            answer = await self.post(path, command)
            assert answer.status_code == 201, answer.text

    async def progressed(self) -> None:
        """A baseline of 100 mm and, a month later, 126 mm: progression."""
        await self.record(a_lesion(), a_baseline(), an_assessment(targets="T01=76x50"))

    async def response(self, name: str = "month 1") -> dict[str, Any]:
        found = (await self.get(f"/assessments/{an_id(name)}")).json()["response"]
        assert isinstance(found, dict)
        return found


async def prepare(url: str) -> None:
    """Make the tables, and bring the participant from enrollment."""
    db = open_database(url, "efficacy")
    try:
        await migrations.upgrade(db, SERVICE.migrations)
        await screen(db, PARTICIPANT, "CU")
    finally:
        await db.dispose()


@asynccontextmanager
async def a_trial(url: str, folder: Path, protocol: Protocol | None = None) -> AsyncIterator[Trial]:
    db = open_database(url, "efficacy")
    try:
        issuer = LocalIssuer(folder, issuer="urn:test", audience="trial").prepare()
        verifier = TokenVerifier(FileKeys(issuer.jwks_file), issuer="urn:test", audience="trial")
        store = EventStore(db)
        app = SERVICE.create_app(Parts(db, store, protocol or load_protocol(), lambda: NOW, Settings(), verifier))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://efficacy") as client:
            yield Trial(client, issuer, store)
    finally:
        await db.dispose()


async def prepare_another(url: str) -> None:
    """Bring a second participant, of another site: SI-001."""
    db = open_database(url, "efficacy")
    try:
        await screen(db, uuid4(), "SI", offset=3)
    finally:
        await db.dispose()


async def screen(db: Database, participant_id: UUID, site_id: str, *, offset: int = 0) -> None:
    """Bring enrollment's events, from this offset of the topic on, to the references, as the worker would."""
    event = ParticipantScreened(
        participant_id=participant_id,
        site_id=site_id,
        time_zone="Asia/Bangkok",
        subject_number=f"{site_id}-001",
        screening_number=f"{site_id}-S001",
        subject_label=None,
        birth_month="2017-03",
        sex=Sex.FEMALE,
        diagnosis=Diagnosis.NEUROBLASTOMA,
        diagnosis_text=None,
        screened_on=date(2026, 1, 2),
        status=ParticipantStatus.SCREENING,
    )
    applier = Applier(db, [references.PROJECTION, references.CONSENTS, subjects.PROJECTION])
    await ledger.register(db, applier.names)
    told = [event, *(_consent(kind, participant_id) for kind in (ConsentKind.GUARDIAN, ConsentKind.ASSENT))]
    for version, each in enumerate(told, start=1):
        envelope = _envelope(each, participant_id, version)
        await applier.apply([Arrival(Delivery("trial.enrollment", 0, offset + version - 1, envelope), each)])


def _consent(kind: ConsentKind, participant_id: UUID) -> ConsentObtained:
    """Long before all that is assessed."""
    guardian = kind is ConsentKind.GUARDIAN
    return ConsentObtained(
        participant_id=participant_id,
        consent_number=1 if guardian else 2,
        kind=kind,
        relationship=Relationship.MOTHER if guardian else None,
        document_version="1.0",
        language="th",
        obtained_on=date(2025, 1, 6),
        occasion=ConsentOccasion.INITIAL,
    )


def _envelope(event: Event, participant_id: UUID, version: int) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        stream=f"participant:{participant_id}",
        version=version,
        type=event.event_type,
        schema_version=event.schema_version,
        subject=str(participant_id),
        recorded_at=NOW,
        actor="a coordinator",
        role="coordinator",
        reason=None,
        correlation_id=uuid4(),
        causation_id=participant_id,
        traceparent=None,
        data=event.to_json(),
    )
