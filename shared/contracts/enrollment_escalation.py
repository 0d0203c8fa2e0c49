"""What enrollment tells the trial of dose escalation: slots, decisions, pauses, overrides, and infusions as judged.

All of it is one stream for the trial, so what two sites do in one instant meets there. Nothing here is ever edited:
where what a decision rests on changes, an event says so, and the committee decides anew.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.terms import (
    ActorId,
    Code,
    Instant,
    Measurement,
    ParticipantId,
    ProtocolRef,
    Reason,
    ShortText,
    SiteId,
)
from shared.kernel.events import Event


class Permission(StrEnum):
    """How an infusion came to be, where the protocol enforces its escalation."""

    PERMITTED = "permitted"
    OVERRIDDEN = "overridden"  # two people in two roles opened the gate
    DEVIATION = "deviation"  # it was given although the gate was closed


class Bar(StrEnum):
    """Why an infusion is not permitted."""

    PAUSED = "paused"
    STOPPING_RULE = "stopping-rule"
    NO_SLOT = "no-slot"
    WRONG_LEVEL = "wrong-level"  # enrolled for another level than that of the slot
    LEVEL_CLOSED = "level-closed"  # nobody is treated at it, or nobody any more
    COHORT_CAP = "cohort-cap"
    TARGET_NUMBER = "target-number"
    STAGGER = "stagger"
    DLT_WINDOW = "dlt-window"
    AWAITS_DECISION = "awaits-decision"  # toxicities since the decision: the committee decides first


class SlotRelease(StrEnum):
    """How a slot became free."""

    RELEASED = "released"
    LEFT = "left-before-infusion"
    NOT_EVALUABLE = "not-evaluable"  # the participant is replaced


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DltStanding(_Part):
    """One participant as a decision saw them. DLT: dose-limiting toxicity."""

    participant_id: ParticipantId
    dose_level: Code | None
    status: Literal["in-window", "evaluable-without-dlt", "dlt", "not-evaluable"]
    undecided: bool = Field(description="Whether a toxicity is proposed, and nobody has decided about it")


class EscalationParameters(_Part):
    """What a design was given beside the participants. `version` is the protocol's in which they stand."""

    design: Code
    version: ProtocolRef
    levels: tuple[Code, ...] = Field(description="From the lowest dose to the highest")
    target: Measurement | None
    allow_deescalation: bool
    cohort_size: int
    max_per_level: int
    target_number: int


class DesignSays(_Part):
    """What a design says; `decision` null: it knows no such counts, and why stands in the explanation."""

    decision: Code | None
    next_level: Code | None
    mtd: Code | None
    explanation: ShortText


class SlotReserved(Event, type="enrollment.slot-reserved", version=1):
    """A participant has a place at the dose level that is open."""

    participant_id: ParticipantId
    site_id: SiteId
    dose_level: Code
    protocol: ProtocolRef


class SlotReleased(Event, type="enrollment.slot-released", version=1):
    """A place is free again. `reason` is null where the record itself says why."""

    participant_id: ParticipantId
    dose_level: Code
    release: SlotRelease
    reason: Reason | None


class EscalationDecided(Event, type="enrollment.escalation-decided", version=1):
    """The committee decided. `basis` and `says` are what was known, and what the design said of it, at that instant.

    `slots`: so many more are treated at `next_level`. `reason` is there where the committee decides otherwise.
    """

    number: int = Field(ge=1)
    at: Instant | None = Field(None, description="null: decided before this was kept")
    current_level: Code
    parameters: EscalationParameters
    basis: tuple[DltStanding, ...]
    says: DesignSays
    decision: Code
    next_level: Code | None
    slots: int = Field(ge=0)
    reason: Reason | None


class EscalationBasisChanged(Event, type="enrollment.escalation-basis-changed", version=1):
    """What a decision rests on is no longer what it was. It stands until the committee decides anew."""

    number: int = Field(ge=1, description="The decision")
    basis: tuple[DltStanding, ...]
    says: DesignSays
    protocol: ProtocolRef


class DosingPaused(Event, type="enrollment.dosing-paused", version=1):
    """A person paused dosing in the whole trial."""

    at: Instant
    reason: Reason


class DosingResumed(Event, type="enrollment.dosing-resumed", version=1):
    """A person ended the pause."""

    at: Instant
    reason: Reason


class InfusionOverrideRequested(Event, type="enrollment.infusion-override-requested", version=1):
    """The first of two people asks to open the gate for one infusion of one participant."""

    participant_id: ParticipantId
    infusion_number: int = Field(ge=1)
    bars: tuple[Bar, ...]
    requested_by: ActorId
    role: Code
    reason: Reason


class InfusionOverrideConfirmed(Event, type="enrollment.infusion-override-confirmed", version=1):
    """The second of two people, in the other role, opened the gate: against these bars, and no others."""

    participant_id: ParticipantId
    infusion_number: int = Field(ge=1)
    at: Instant | None = Field(None, description="null: confirmed before this was kept")
    bars: tuple[Bar, ...]
    requested_by: ActorId
    confirmed_by: ActorId
    role: Code
    reason: Reason


class InfusionJudged(Event, type="enrollment.infusion-judged", version=1):
    """An infusion on record, first or corrected, as the gate stood for the instant at which it began."""

    participant_id: ParticipantId
    site_id: SiteId
    infusion_number: int = Field(ge=1)
    dose_level: Code | None
    started_at: datetime
    permission: Permission
    bars: tuple[Bar, ...]
    reason: Reason | None = Field(description="Why it was given although the gate was closed")
    protocol: ProtocolRef


class InfusionJudgementRetracted(Event, type="enrollment.infusion-judgement-retracted", version=1):
    """The infusion that was judged never took place: its record was taken back, and nothing is left to judge."""

    participant_id: ParticipantId
    infusion_number: int = Field(ge=1)
    protocol: ProtocolRef


EscalationEvent = (
    SlotReserved
    | SlotReleased
    | EscalationDecided
    | EscalationBasisChanged
    | DosingPaused
    | DosingResumed
    | InfusionOverrideRequested
    | InfusionOverrideConfirmed
    | InfusionJudged
    | InfusionJudgementRetracted
)
