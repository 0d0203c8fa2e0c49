"""How cases, their clocks and their reports read: what is recorded, and what follows from it at this moment."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.safety.cases.application import CaseFile
from services.safety.domain.cases import susar
from services.safety.domain.cases.facts import on_record
from services.safety.domain.cases.periodic_record import PeriodicClock
from services.safety.domain.cases.record import Clock, Report
from services.safety.domain.cases.reference_safety_information import Listings, Version
from shared.contracts.safety import AgentCausality
from shared.contracts.safety_cases import (
    AcknowledgementForm,
    CaseClockId,
    CaseUrgency,
    ClockCause,
    Expectedness,
    ExpectednessProposal,
    ListedTerm,
    ReportContent,
    ReportKind,
    StopCause,
    SusarBasis,
)
from shared.contracts.terms import Code, Day, Instant, ParticipantId, Reason, SiteId


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    DUE_SOON = "due-soon"
    MISSED = "missed"  # and still to be done
    MET = "met"
    MET_LATE = "met-late"
    STOPPED = "stopped"


def state_of(clock: Clock | PeriodicClock) -> ClockState:
    if clock.met is not None:
        return ClockState.MET_LATE if clock.met.late else ClockState.MET
    if clock.stopped is not None:
        return ClockState.STOPPED
    if clock.missed:
        return ClockState.MISSED
    return ClockState.DUE_SOON if clock.due_soon else ClockState.RUNNING


class CaseClock(BaseModel):
    """A duty to report, and how it stands."""

    clock_id: CaseClockId
    clock: Code = Field(description="Its id in the protocol")
    to: Code
    state: ClockState
    cause: ClockCause
    reference: str = Field(description="The alert's id, or the number of the identification or the report")
    since: Instant
    due_soon_at: Instant
    due_at: Instant
    escalation_level: int
    escalate_at: tuple[Instant, ...]
    met_at: Instant | None
    report_number: int | None = Field(description="The report that did the duty")
    stopped_because: StopCause | None

    @classmethod
    def of(cls, clock: Clock) -> Self:
        begun, met = clock.started, clock.met
        return cls(
            clock_id=begun.clock_id,
            clock=begun.clock,
            to=begun.to,
            state=state_of(clock),
            cause=begun.basis.cause,
            reference=begun.basis.reference,
            since=begun.since,
            due_soon_at=begun.due_soon_at,
            due_at=begun.due_at,
            escalation_level=clock.level,
            escalate_at=begun.escalate_at,
            met_at=met.met_at if met else None,
            report_number=met.report_number if met else None,
            stopped_because=clock.stopped,
        )


class ReportSummary(BaseModel):
    """A version of the report that was sent. `answered` null: the recipient has not answered."""

    number: int
    report_id: UUID
    kind: ReportKind
    recipient: Code
    sent_at: Instant
    submitted_at: Instant
    reason: Reason | None
    adverse_event_version: int
    answered: Literal["accepted", "rejected"] | None
    answer_form: AcknowledgementForm | None = Field(description="A file, or a letter that a safety officer recorded")
    answered_at: datetime | None
    receiver_reference: Code | None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls.model_validate(cls._told(report))

    @staticmethod
    def _told(report: Report) -> dict[str, object]:
        sent, answer = report.sent, report.answer
        return {
            **{name: getattr(sent, name) for name in ("number", "report_id", "kind", "recipient", "sent_at")},
            "submitted_at": sent.submitted_at,
            "reason": sent.reason,
            "adverse_event_version": sent.content.adverse_event.version,
            "answered": answer.verdict if answer else None,
            "answer_form": answer.form if answer else None,
            "answered_at": answer.acknowledged_at if answer else None,
            "receiver_reference": answer.receiver_reference if answer else None,
        }


class CaseReport(ReportSummary):
    """A version of the report, complete."""

    content: ReportContent

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls.model_validate({**cls._told(report), "content": report.sent.content})


class Assessment(BaseModel):
    """The sponsor's own judgement. `expectedness` null: the rule's proposal stands."""

    causality: tuple[AgentCausality, ...]
    expectedness: Expectedness | None
    reason: Reason | None
    proposed: ExpectednessProposal = Field(description="What the rule proposed then")
    adverse_event_version: int
    became_aware_at: Instant
    assessed_at: Instant


class SuspectedReaction(BaseModel):
    """Whether the case is a suspected unexpected serious adverse reaction, and why. `urgency` null: it is not."""

    held: bool
    urgency: CaseUrgency | None
    basis: SusarBasis
    sponsor_aware_at: Instant | None
    identification: int | None = Field(description="Number of the identification that holds")


class Case(BaseModel):
    """A case as it stands now."""

    adverse_event_id: UUID
    participant_id: ParticipantId
    site_id: SiteId
    adverse_event_version: int
    investigator_causality: tuple[AgentCausality, ...]
    assessment: Assessment | None = Field(description="Null: the sponsor has not assessed it")
    proposed: ExpectednessProposal = Field(description="What the rule proposes now")
    susar: SuspectedReaction
    clocks: tuple[CaseClock, ...]
    next_step_at: datetime | None = Field(description="When time alone brings about the next step")
    reports: tuple[ReportSummary, ...]

    @classmethod
    def of(cls, file: CaseFile) -> Self:
        state, facts = file.case, file.facts
        judgement = susar.judge(facts, state.assessment)
        assessment = state.assessment
        return cls(
            adverse_event_id=facts.event_id,
            participant_id=facts.subject.participant_id,
            site_id=facts.subject.site_id,
            adverse_event_version=facts.version,
            investigator_causality=on_record(facts.event).causality,
            assessment=Assessment.model_validate(assessment, from_attributes=True) if assessment else None,
            proposed=judgement.proposed,
            susar=SuspectedReaction(
                held=judgement.urgency is not None,
                urgency=judgement.urgency,
                basis=judgement.basis,
                sponsor_aware_at=state.susar.sponsor_aware_at if state.susar else None,
                identification=state.susar.number if state.susar else None,
            ),
            clocks=tuple(CaseClock.of(clock) for clock in state.clocks),
            next_step_at=state.next_at,
            reports=tuple(ReportSummary.of(report) for report in state.reports),
        )


class ReferenceSafetyInformation(BaseModel):
    """A version of the reference safety information. `withdrawn_because` null: it stands."""

    rsi_version: Code
    effective_from: Day
    terms: tuple[ListedTerm, ...]
    withdrawn_because: Reason | None

    @classmethod
    def of(cls, version: Version, listings: Listings) -> Self:
        because = listings.reason_withdrawn(version.rsi_version)
        return cls(
            rsi_version=version.rsi_version,
            effective_from=version.effective_from,
            terms=version.terms,
            withdrawn_because=because,
        )
