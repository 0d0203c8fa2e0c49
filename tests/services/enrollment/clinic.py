"""A trial whose protocol enforces its escalation: real commands over a real store, with a clock of its own.

Children are screened and eligible before a story begins; what safety decides is heard as its worker would hear it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select

from services.enrollment import references
from services.enrollment.application import Enrollment
from services.enrollment.domain import participant
from services.enrollment.domain.cohorts.commands import (
    ConfirmOverride,
    EscalationCommand,
    RecordDecision,
    RequestOverride,
    ReserveSlot,
)
from services.enrollment.domain.cohorts.escalation import DECIDER
from services.enrollment.domain.facts import Facts, Placement
from services.enrollment.domain.infusion import RetractInfusion
from services.enrollment.domain.life import Participant
from services.enrollment.domain.participant import LaterCommand
from services.enrollment.domain.product.infusing import CorrectGivenInfusion, GiveInfusion
from services.enrollment.domain.screening import EnrolParticipant
from services.enrollment.dose_escalation import DoseEscalations
from services.enrollment.escalating import Gathered
from services.enrollment.escalation_watch import EscalationWatch
from services.enrollment.products import InfusionCommand, Products
from services.enrollment.tables import METADATA
from shared.contracts.enrollment import ParticipantEvent
from shared.contracts.enrollment_escalation import DesignSays, EscalationEvent, Permission
from shared.contracts.safety_dose_limiting import (
    DltBasis,
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    StoppingReviewed,
    StoppingRuleTriggered,
    ToxicityKind,
    ToxicitySource,
)
from shared.db import Database
from shared.escalation.designs.standing import Decision
from shared.escalation.standing import Escalation
from shared.eventstore.recorders import Recorder
from shared.eventstore.store import EventStore, Receipt, Write
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Recording
from shared.kernel.events import Envelope, Event
from shared.messaging import Delivery
from shared.projection import ledger
from shared.projection.applying import Applier
from shared.projection.planning import decoded
from shared.protocol import Protocol
from tests.services.enrollment import builders
from tests.services.enrollment.domain.cohorts.story import enforcing, somebody
from tests.shared.projection.support import an_envelope

BEGIN = datetime(2026, 3, 10, 3, tzinfo=UTC)  # the morning after the enrolment in Bangkok
DAY = timedelta(days=1)
COORDINATOR, INVESTIGATOR = somebody(Role.COORDINATOR), somebody(Role.INVESTIGATOR)
SPONSOR, OFFICER = somebody(Role.SPONSOR), somebody(Role.SAFETY_OFFICER)
RULE = "treatment-related-death"
_IDS = UUID("2d1d5b57-2d2f-4d0f-8f9e-0b7f1a0c9a11")


def who(number: int) -> UUID:
    return uuid5(_IDS, str(number))


@cache
def eligible(number: int, site: str = "CU") -> tuple[ParticipantEvent, ...]:
    """A child up to the enrolment, as its stream tells it."""
    commands = (builders.screening(participant_id=who(number), site_id=site), *builders.ELIGIBLE[1:])
    placed = Placement(who(number), "Asia/Bangkok", f"{site}-{number:03}")
    return tuple(builders.told(*commands, under=Facts(BEGIN, builders.PROTOCOL, placed)))


@dataclass
class Clinic:
    db: Database
    protocol: Protocol = field(default_factory=enforcing)
    now: datetime = BEGIN
    recorder: Recorder | None = None

    def __post_init__(self) -> None:
        self.store = EventStore(self.db)
        if self.recorder is not None:
            self.store._recorder = self.recorder
        self.enrollment = Enrollment(self.db, self.store, self.protocol, lambda: self.now)
        self.escalations = DoseEscalations(self.enrollment, self.store, lambda: self.now)
        self.products = Products(self.store, self.enrollment, lambda: self.now)
        self._applier = Applier(self.db, [references.PROJECTION, references.ESCALATION])
        self._registered = False
        self._taken = 0
        self._offsets: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    def watch(self) -> EscalationWatch:
        return EscalationWatch(self.db, self.store, lambda: self.now, self.protocol)

    async def screened(self, *numbers: int, site: str = "CU") -> None:
        frame = Recording(COORDINATOR, BEGIN, subject="")
        writes = [
            Write(participant.DECIDER.stream(who(number)), 0, eligible(number, site), frame, "screened")
            for number in numbers
        ]
        await self.store.append(*writes)

    async def tell(self, number: int, command: LaterCommand) -> Receipt:
        """Change one child's record, as of its present version."""
        _, version = await self.enrollment.participant(who(number), by=COORDINATOR)
        return await self.enrollment.change(who(number), command, expected=version, command_id=uuid4(), by=COORDINATOR)

    async def enrol(self, number: int, dose_level: str | None = None) -> Receipt:
        return await self.tell(number, enrolment(dose_level))

    async def child(self, number: int) -> Participant:
        known, _ = await self.enrollment.participant(who(number), by=SPONSOR)
        return known

    async def carry_out(self, command: EscalationCommand, by: Actor = OFFICER) -> Receipt:
        return await self.escalations.carry_out(command, by=by)

    async def reserve(self, number: int) -> Receipt:
        return await self.carry_out(ReserveSlot(participant_id=who(number)), COORDINATOR)

    async def infuse(self, number: int, *, at: datetime | None = None, despite: str | None = None) -> Permission | None:
        """How it came to be on record; None: nothing holds infusions to anything."""
        return await self._infusion(number, GiveInfusion(**given(at or self.now), given_despite=despite))

    async def correct(self, number: int, at: datetime) -> Permission | None:
        told: dict[str, Any] = {"infusion_number": 1, "reason": "Read off the pump log"}
        return await self._infusion(number, CorrectGivenInfusion(**given(at), **told))

    async def retract(self, number: int) -> None:
        await self._change_infusion(number, RetractInfusion(infusion_number=1, reason="Entered for the wrong child"))

    async def _infusion(self, number: int, command: InfusionCommand) -> Permission | None:
        await self._change_infusion(number, command)
        judged = (await self.state()).judged.get((who(number), 1))
        return None if judged is None else judged.permission

    async def _change_infusion(self, number: int, command: InfusionCommand) -> None:
        _, version = await self.enrollment.participant(who(number), by=COORDINATOR)
        await self.products.infuse(who(number), command, expected=version, command_id=uuid4(), by=COORDINATOR)

    async def override(self, number: int, first: Actor = INVESTIGATOR, second: Actor = SPONSOR) -> None:
        asked: dict[str, Any] = {"participant_id": who(number), "reason": "No other treatment is left"}
        await self.carry_out(RequestOverride(**asked), first)
        await self.carry_out(ConfirmOverride(**asked), second)

    async def follow_the_design(self, slots: int = 3) -> None:
        _, said = await self.standing()
        assert said.decision is not None
        treats = said.next_level is not None
        decision = Decision(said.decision)
        await self.carry_out(
            RecordDecision(
                design_said=decision, decision=decision, next_level=said.next_level, slots=slots if treats else 0
            )
        )

    async def standing(self) -> tuple[Gathered, DesignSays]:
        return await self.escalations.standing(by=SPONSOR)

    async def history(self) -> list[EscalationEvent]:
        return await self.store.read(DECIDER.stream(self.protocol.protocol_id))

    async def state(self) -> Escalation:
        return DECIDER.fold(await self.history())

    # What safety decides.

    async def proposed(self, number: int) -> None:
        await self.hears(_stream(number), _proposed(number))

    async def has_a_dlt(self, number: int) -> None:
        await self.hears(_stream(number), _proposed(number), _decided(number, "confirmed"))

    async def refuted(self, number: int) -> None:
        await self.hears(_stream(number), _decided(number, "refuted"))

    async def halted(self, times: int = 1) -> None:
        fired = StoppingRuleTriggered(
            rule=RULE, number=times, participants=(who(1),), evaluable=1, posterior=None, protocol=self.protocol.ref
        )
        await self.hears("stopping-rules:CMD03", fired)

    async def reviewed(self, times: int = 1) -> None:
        reviewed = StoppingReviewed(rule=RULE, number=times, decision="resume", reason="The case was read")
        await self.hears("stopping-rules:CMD03", reviewed)

    async def hears(self, stream: str, *events: Event) -> None:
        told = []
        for event in events:
            self._versions[stream] = self._versions.get(stream, 0) + 1
            told.append(an_envelope(event, stream, self._versions[stream], "subject", recorded_at=self.now))
        await self._take_in("trial.safety", told)

    async def hears_itself(self) -> None:
        """What enrollment's worker takes in of enrollment's own events."""
        events = METADATA.tables["events"]
        query = select(events).where(events.c.position > self._taken).order_by(events.c.position)
        async with self.db.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        self._taken = rows[-1]["position"] if rows else self._taken
        fields = [{name: row[name] for name in Envelope.model_fields} for row in rows]
        await self._take_in("trial.enrollment", [Envelope(**each) for each in fields])

    async def _take_in(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        if not self._registered:
            await ledger.register(self.db, self._applier.names)
            self._registered = True
        await self._applier.refresh()
        start = self._offsets.get(topic, 0)
        deliveries = [Delivery(topic, 0, offset, envelope) for offset, envelope in enumerate(envelopes, start)]
        self._offsets[topic] = start + len(deliveries)
        await self._applier.apply(decoded(deliveries, self._applier.wanted))


def enrolment(dose_level: str | None = None) -> EnrolParticipant:
    return EnrolParticipant(enrolled_on=date(2026, 3, 9), dose_level=dose_level)


def given(at: datetime) -> dict[str, Any]:
    """An infusion that is large enough at every dose level."""
    cells, weight = Decimal(2_000_000), Decimal(20)
    return {
        "started_at": at,
        "ended_at": at + timedelta(minutes=4),
        "route": "intravenous",
        "lot": "CMD03-0007",
        "weight_kg": weight,
        "cells_per_kg": cells,
        "total_car_positive_cells": cells * weight,
    }


def _stream(number: int) -> str:
    return f"dose-limiting-toxicities:{who(number)}"


def _proposed(number: int) -> DoseLimitingToxicityProposed:
    source = ToxicitySource(kind=ToxicityKind.CRS, id=who(number))
    basis = DltBasis(rules=("crs-grade-4",), grade=4, since="2026-03-12")
    return DoseLimitingToxicityProposed(
        dlt_id=who(number), participant_id=who(number), source=source, basis=basis, protocol="CMD03@1.1.0"
    )


def _decided(number: int, decision: str) -> DoseLimitingToxicityDecided:
    told = {"decision": decision, "basis": DltBasis(rules=("crs-grade-4",), grade=4, since="2026-03-12")}
    whose = {"dlt_id": who(number), "participant_id": who(number), "reason": "Judged by the officer"}
    return DoseLimitingToxicityDecided.model_validate(told | whose)
