"""What the cohort board shows: levels with their slots, participants, the decision, pauses, overrides."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Exact, Figure
from services.projector.domain.stopping_rules import StoppingRuleState
from shared.contracts.enrollment_escalation import Bar, DesignSays, DltStanding, EscalationParameters, Permission
from shared.contracts.terms import SiteId
from shared.protocol.dose_limiting_status import DltStatus, NotEvaluable


class Place(StrEnum):
    """What a participant has of the slots."""

    RESERVED = "reserved"
    USED = "used"
    REPLACED = "replaced"  # infused, and not evaluable: fills no slot
    NONE = "none"


class HeldBy(Figure):
    """One thing that forbids an infusion now."""

    bar: Bar
    until: datetime | None = Field(description="When it falls by itself; null: that needs a decision")


class NextInfusion(Figure):
    """When an infusion is next permitted."""

    permitted_from: datetime | None = Field(
        description="Now, or the earliest instant at which nothing forbids it; null: that needs a decision, or a slot"
    )
    held_by: tuple[HeldBy, ...] = Field(description="What forbids it now")


class JudgedInfusion(Figure):
    """How the gate stood for the first infusion on record."""

    permission: Permission
    bars: tuple[Bar, ...]
    reason: str | None


class ParticipantOnBoard(Figure):
    """One participant with a slot, enrolled, or infused."""

    participant_id: UUID
    subject_number: str
    site_id: SiteId
    dose_level: str | None = Field(description="Of the slot, else of the enrolment")
    cohort: int | None = Field(description="Of those who fill slots of the level, in order; null: fills none")
    place: Place
    infused_at: datetime | None
    status: DltStatus
    not_evaluable: tuple[NotEvaluable, ...]
    window_ends: datetime | None = Field(description="Of the watch for dose-limiting toxicity")
    undecided: int = Field(description="Toxicities that an officer has to look at")
    infusion: JudgedInfusion | None = Field(description="Null: not infused, or given before infusions were held to it")
    next_infusion: NextInfusion | None = Field(description="Of the first infusion; null: it was given")


class LevelOnBoard(Figure):
    """One dose level with its slots."""

    dose_level: str
    dose_cells_per_kg: Exact
    is_open: bool = Field(description="Whether participants are treated at it now")
    slots: int = Field(description="So many are treated at it by the decisions so far")
    free: int = Field(description="That can be reserved, at the open level alone, unless dosing is paused or halted")
    reserved: int
    used: int = Field(description="By those infused who count, also without a slot or beyond the slots")
    cohorts: int = Field(description="That are begun: so many participants each, as the protocol says")
    in_window: int
    evaluable_without_dlt: int
    with_dlt: int
    not_evaluable: int


class DecisionOnBoard(Figure):
    """The latest decision of the committee, with what it rested on, and whether that has changed."""

    number: int
    decided_at: datetime
    decided_by: str
    current_level: str
    parameters: EscalationParameters
    basis: tuple[DltStanding, ...] = Field(description="Those whom the asker may see, of `basis_size` in all")
    basis_size: int
    says: DesignSays = Field(description="What the design said of it then")
    decision: str
    next_level: str | None
    slots: int
    reason: str | None
    basis_changed_at: datetime | None = Field(description="Null: it rests on what it rested on")
    basis_now: tuple[DltStanding, ...] | None
    says_now: DesignSays | None = Field(description="What the design said of the basis once it had changed")


class PauseOnBoard(Figure):
    """A pause of dosing in the whole trial."""

    since: datetime
    paused_by: str
    reason: str
    until: datetime | None = Field(description="Null: dosing is paused")
    resumed_by: str | None
    resumed_because: str | None


class OverrideOnBoard(Figure):
    """An opening of the gate for one infusion, by two people."""

    participant_id: UUID
    infusion_number: int
    bars: tuple[Bar, ...]
    requested_by: str
    requested_as: str
    requested_because: str
    confirmed_by: str | None = Field(description="Null: the gate is closed until somebody else confirms")
    confirmed_as: str | None
    confirmed_because: str | None
    used: bool = Field(description="Whether the infusion was given by it")


class CohortBoard(Figure):
    """Where the escalation stands."""

    design: str | None
    enforced: bool = Field(description="Whether infusions are held to it; if not, nothing here is refused")
    reason: str | None = Field(description="Why there is no escalation")
    open_level: str | None = Field(description="Null: nobody is treated")
    target_number: int | None
    cohort_size: int | None
    window_days: int | None
    levels: tuple[LevelOnBoard, ...]
    participants: tuple[ParticipantOnBoard, ...]
    last_decision: DecisionOnBoard | None
    decisions: int
    design_says: DesignSays | None = Field(description="Of what is known now")
    is_paused: bool
    pauses: tuple[PauseOnBoard, ...]
    stopping_rules: tuple[StoppingRuleState, ...]
    overrides: tuple[OverrideOnBoard, ...]
    next_infusion: NextInfusion | None = Field(description="Of the next participant, who takes a free slot")
