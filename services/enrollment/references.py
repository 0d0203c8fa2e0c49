"""What enrollment knows of dose-limiting toxicity and of halts of dosing, from safety's events.

While dosing is halted nobody is enrolled. The escalation of the dose rests on the rest; `escalation_basis` changes in
the same transaction as everything that its watch reads from here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.enrollment.tables import dosing_halts, escalation_basis, halt_steps, infused_once, toxicity_steps
from shared.contracts.enrollment import (
    CellsInfused,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    FollowUpCompleted,
    InfusionCorrected,
    InfusionRetracted,
    ParticipantDied,
    ParticipantLostToFollowUp,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_escalation import EscalationDecided, InfusionJudged, SlotReleased, SlotReserved
from shared.contracts.safety_dose_limiting import (
    DoseLimitingToxicityDecided,
    DoseLimitingToxicityProposed,
    DoseLimitingToxicityWithdrawn,
    StoppingReviewed,
    StoppingRuleTriggered,
)
from shared.db import Database
from shared.escalation.toxicity import Said, ToxicityStep
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("dosing-halts", tables=[dosing_halts], topics=["trial.safety"])

_HALTING = select(dosing_halts.c.rule).where(dosing_halts.c.halts.is_(True)).order_by(dosing_halts.c.rule)


async def halting_rules(db: Database) -> tuple[str, ...]:
    """The stopping rules that halt dosing, as far as is heard here."""
    async with db.connect() as connection:
        return tuple((await connection.execute(_HALTING)).scalars())


@PROJECTION.on(StoppingRuleTriggered)
def _(rows: Rows, event: StoppingRuleTriggered, _envelope: Envelope) -> None:
    rows.upsert(dosing_halts, {"rule": event.rule}, halts=True)


@PROJECTION.on(StoppingReviewed)
def _(rows: Rows, event: StoppingReviewed, _envelope: Envelope) -> None:
    rows.upsert(dosing_halts, {"rule": event.rule}, halts=event.decision != "resume")


ESCALATION = Projection(
    "escalation",
    tables=[toxicity_steps, halt_steps, infused_once, escalation_basis],
    topics=["trial.enrollment", "trial.safety"],
)

AboutToxicity = DoseLimitingToxicityProposed | DoseLimitingToxicityDecided | DoseLimitingToxicityWithdrawn


@dataclass(frozen=True, slots=True)
class HaltStep:
    """A stopping rule fired, or was reviewed: from this instant on it halts dosing, or does not."""

    rule: str
    halts: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What the escalation rests on beside enrollment's own streams.

    `halts` and `toxicities` are in order of time. `infused`: of whom an infusion was ever recorded, and perhaps taken
    back since.
    """

    halts: tuple[HaltStep, ...]
    toxicities: tuple[ToxicityStep, ...]
    infused: tuple[UUID, ...]


_STEPS = select(halt_steps).order_by(halt_steps.c.stream, halt_steps.c.version)
_SAID = select(toxicity_steps).order_by(toxicity_steps.c.at, toxicity_steps.c.stream, toxicity_steps.c.version)


async def heard(db: Database) -> Heard:
    async with db.connect() as connection:
        steps = (await connection.execute(_STEPS)).all()
        toxicities = (await connection.execute(_SAID)).all()
        infused = (await connection.execute(select(infused_once))).scalars().all()
    return Heard(
        tuple(HaltStep(row.rule, row.halts, row.at) for row in steps),
        tuple(ToxicityStep(row.dlt_id, UUID(row.participant_id), row.said, row.at) for row in toxicities),
        tuple(map(UUID, infused)),
    )


def _changed(rows: Rows, topic: str, envelope: Envelope) -> None:
    rows.upsert(escalation_basis, {"topic": topic}, changed_by=str(envelope.event_id))


@ESCALATION.on(DoseLimitingToxicityProposed)
def _(rows: Rows, event: DoseLimitingToxicityProposed, envelope: Envelope) -> None:
    _said(rows, event, "proposed", envelope)


@ESCALATION.on(DoseLimitingToxicityDecided)
def _(rows: Rows, event: DoseLimitingToxicityDecided, envelope: Envelope) -> None:
    _said(rows, event, event.decision, envelope)


@ESCALATION.on(DoseLimitingToxicityWithdrawn)
def _(rows: Rows, event: DoseLimitingToxicityWithdrawn, envelope: Envelope) -> None:
    _said(rows, event, "withdrawn", envelope)


def _said(rows: Rows, event: AboutToxicity, said: Said, envelope: Envelope) -> None:
    key = {"stream": envelope.stream, "version": envelope.version}
    whose = {"dlt_id": str(event.dlt_id), "participant_id": str(event.participant_id)}
    rows.upsert(toxicity_steps, key, **whose, said=said, at=envelope.recorded_at)
    _changed(rows, "trial.safety", envelope)


@ESCALATION.on(StoppingRuleTriggered)
def _(rows: Rows, event: StoppingRuleTriggered, envelope: Envelope) -> None:
    _halts(rows, event.rule, halting=True, envelope=envelope)


@ESCALATION.on(StoppingReviewed)
def _(rows: Rows, event: StoppingReviewed, envelope: Envelope) -> None:
    _halts(rows, event.rule, halting=event.decision != "resume", envelope=envelope)


def _halts(rows: Rows, rule: str, *, halting: bool, envelope: Envelope) -> None:
    key = {"stream": envelope.stream, "version": envelope.version}
    rows.upsert(halt_steps, key, rule=rule, halts=halting, at=envelope.recorded_at)


@ESCALATION.on(CellsInfused)
def _(rows: Rows, event: CellsInfused, envelope: Envelope) -> None:
    rows.upsert(infused_once, {"participant_id": str(event.participant_id)})
    _changed(rows, "trial.enrollment", envelope)


@ESCALATION.on(
    InfusionCorrected,
    InfusionRetracted,
    ConsentWithdrawn,
    TreatmentDiscontinued,
    ParticipantLostToFollowUp,
    FollowUpCompleted,
    ParticipantDied,
    DiscontinuationRetracted,
    EscalationDecided,
    SlotReserved,
    SlotReleased,
    InfusionJudged,
)
def _(rows: Rows, _event: Any, envelope: Envelope) -> None:
    _changed(rows, "trial.enrollment", envelope)
