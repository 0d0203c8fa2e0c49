"""What can be asked of the escalation: slots, the committee's decisions, pauses, overrides, and judging infusions."""

from uuid import UUID

from pydantic import ConfigDict, Field

from shared.contracts.terms import Code, Instant, Reason
from shared.escalation.designs.standing import Decision
from shared.kernel.decider import Command


class ReserveSlot(Command):
    """Reserve a place at the dose level that is open."""

    participant_id: UUID


class ReleaseSlot(Command):
    """Give a reserved place back, before the infusion."""

    participant_id: UUID
    reason: Reason


class RecordDecision(Command):
    """Record what the committee decided. `design_said`: what the design said of it when the committee saw it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"design_said": "escalate", "decision": "escalate", "next_level": "DL2", "slots": 3}]
        }
    )

    design_said: Decision | None = Field(description="null: the design knew no such counts")
    decision: Decision
    next_level: Code | None = Field(None, description="null: nobody is treated")
    slots: int = Field(0, strict=True, ge=0, le=100, description="So many more are treated at next_level")
    reason: Reason | None = Field(None, description="needed where the committee decides otherwise than the design")


class ReviewBasis(Command):
    """Look again at what the latest decision rests on. The system sends it."""


class PauseDosing(Command):
    """Pause dosing in the whole trial."""

    reason: Reason


class ResumeDosing(Command):
    """End a pause."""

    reason: Reason


class _OneInfusion(Command):
    participant_id: UUID
    infusion_number: int = Field(1, strict=True, ge=1)
    reason: Reason


class RequestOverride(_OneInfusion):
    """Ask, as the first of two people, to open the gate for one infusion."""


class ConfirmOverride(_OneInfusion):
    """Open the gate, as the second of two people, in the other role."""


class JudgeInfusion(Command):
    """Judge an infusion that is put on record, or put right. `given_despite`: why it was given before a closed gate."""

    participant_id: UUID
    infusion_number: int
    started_at: Instant
    given_despite: Reason | None = None
    corrects: bool = False


class RetractJudgement(Command):
    """Take back the judgement of an infusion that never was."""

    participant_id: UUID
    infusion_number: int


EscalationCommand = (
    ReserveSlot
    | ReleaseSlot
    | RecordDecision
    | ReviewBasis
    | PauseDosing
    | ResumeDosing
    | RequestOverride
    | ConfirmOverride
    | JudgeInfusion
    | RetractJudgement
)
