"""The biomarkers service in this process, with one participant at site CU, spoken to over HTTP with signed tokens."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.biomarkers.app import SERVICE
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentObtained,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantScreened,
    ParticipantTransferred,
)
from shared.contracts.enrollment_terms import (
    ConsentKind,
    ConsentOccasion,
    Diagnosis,
    ParticipantStatus,
    Relationship,
    Route,
    Sex,
)
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.events import Envelope, Event
from shared.messaging.bus import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import Arrival
from shared.protocol import Protocol
from shared.settings import Settings
from tests.services.biomarkers.reports import NOW, PARTICIPANT, PROTOCOL, a_cytokine_report, a_line

INFUSED = datetime.fromisoformat("2026-03-02T10:00:00+07:00")


@dataclass
class Trial:
    """A client of the service, the issuer of its tokens, and enrollment's events as the worker would bring them."""

    client: httpx.AsyncClient
    issuer: LocalIssuer
    db: Database
    enrolled: Any = field(default_factory=lambda: defaultdict(lambda: count(1)))
    heard: Any = field(default_factory=lambda: count(1))

    def headers(self, role: Role, site: str = "CU", **more: str) -> dict[str, str]:
        token = self.issuer.token(subject=f"a {role.value}", roles=[role], sites=[site])
        return {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in more.items()}

    async def get(self, path: str, role: Role = Role.MONITOR, site: str = "CU") -> httpx.Response:
        return await self.client.get(path, headers=self.headers(role, site))

    async def post(
        self, path: str, body: dict[str, Any], role: Role = Role.LABORATORY, site: str = "CU", **more: str
    ) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.headers(role, site, **more))

    async def record(self, path: str, body: dict[str, Any]) -> str:
        """Put a result on record; its path."""
        answer = await self.post(path, {"participant_id": str(PARTICIPANT), **body})
        assert answer.status_code == 201, answer.text
        return f"{path}/{answer.json()['id']}"

    async def change(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Post to `<result>/<verb>`, on the version that stands."""
        etag = (await self.get(path.rsplit("/", 1)[0])).headers["ETag"]
        return await self.post(path, {"reason": "Read from the wrong gate", **body}, If_Match=etag)

    async def panel(self, day: float, *lines: dict[str, Any], **given: Any) -> str:
        """A cytokine panel of so many days after the infusion; its path."""
        collected_at = (INFUSED + timedelta(days=day)).isoformat()
        lines = lines or (a_line("IL6"),)
        report = a_cytokine_report(*lines, specimen={"collected_at": collected_at}, **given)
        return await self.record("/v1/cytokine-panels", report)

    async def fold(self, path: str, analyte: str = "IL6") -> dict[str, Any]:
        folds = (await self.get(path)).json()["fold_changes"]
        return next(fold for fold in folds if fold["analyte"] == analyte)

    async def infused(self, at: datetime = INFUSED) -> None:
        await self.bring(CellsInfused(**_infusion(at), site_id="CU", consent_gaps=(), status=ParticipantStatus.INFUSED))

    async def infusion_corrected(self, at: datetime) -> None:
        await self.bring(InfusionCorrected(**_infusion(at), consent_gaps=(), reason="The clock was an hour off"))

    async def infusion_retracted(self) -> None:
        await self.bring(
            InfusionRetracted(
                participant_id=PARTICIPANT,
                infusion_number=1,
                day_zero=None,
                reason="Entered for the wrong participant",
                status=ParticipantStatus.ENROLLED,
                protocol=PROTOCOL.ref,
            )
        )

    async def handed_over(self, on: str, to: str = "KKU") -> None:
        told = {"from_site": "CU", "site_id": to, "time_zone": "Asia/Bangkok", "reason": "The family moved"}
        await self.bring(
            ParticipantTransferred.model_validate({"participant_id": PARTICIPANT, "transferred_on": on, **told})
        )

    async def bring(self, event: Event) -> None:
        subject = str(getattr(event, "participant_id", None) or event.site_id)  # type: ignore[attr-defined]
        version, offset = next(self.enrolled[subject]), next(self.heard)
        applier = Applier(self.db, SERVICE.projections)
        await ledger.register(self.db, applier.names)
        await applier.apply(
            [Arrival(Delivery("trial.enrollment", 0, offset, _envelope(event, subject, version)), event)]
        )


def _infusion(at: datetime) -> dict[str, Any]:
    return {
        "participant_id": PARTICIPANT,
        "infusion_number": 1,
        "started_at": at,
        "ended_at": at + timedelta(minutes=20),
        "route": Route.INTRAVENOUS,
        "lot": "B7-001",
        "weight_kg": "24",
        "cells_per_kg": "1000000",
        "total_car_positive_cells": "24000000",
        "day_zero": at,
        "protocol": PROTOCOL.ref,
    }


def _envelope(event: Event, subject: str, version: int) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        stream=f"participant:{subject}",
        version=version,
        type=event.event_type,
        schema_version=event.schema_version,
        subject=subject,
        recorded_at=NOW,
        actor="a coordinator",
        role="coordinator",
        reason=None,
        correlation_id=uuid4(),
        causation_id=uuid4(),
        traceparent=None,
        data=event.to_json(),
    )


def a_screening(participant_id: UUID = PARTICIPANT) -> ParticipantScreened:
    return ParticipantScreened(
        participant_id=participant_id,
        site_id="CU",
        time_zone="Asia/Bangkok",
        subject_number="CU-001",
        screening_number="CU-001-S1",
        subject_label=None,
        birth_month="2017-03",
        sex=Sex.FEMALE,
        diagnosis=Diagnosis.NEUROBLASTOMA,
        diagnosis_text=None,
        screened_on=date(2026, 1, 2),
        status=ParticipantStatus.SCREENING,
    )


def a_consent(kind: ConsentKind, participant_id: UUID = PARTICIPANT) -> ConsentObtained:
    """Long before all that is collected."""
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


@asynccontextmanager
async def a_trial(url: str, folder: Path, protocol: Protocol = PROTOCOL) -> AsyncIterator[Trial]:
    db = open_database(url, "biomarkers")
    try:
        await migrations.upgrade(db, SERVICE.migrations)
        issuer = LocalIssuer(folder, issuer="urn:test", audience="trial").prepare()
        verifier = TokenVerifier(FileKeys(issuer.jwks_file), issuer="urn:test", audience="trial")
        app = SERVICE.create_app(Parts(db, EventStore(db), protocol, lambda: NOW, Settings(), verifier))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://biomarkers") as client:
            trial = Trial(client, issuer, db)
            await trial.bring(a_screening())
            for kind in (ConsentKind.GUARDIAN, ConsentKind.ASSENT):
                await trial.bring(a_consent(kind))
            yield trial
    finally:
        await db.dispose()
