"""What the safety service publishes about dose-limiting toxicity (DLT) and about halts of dosing.

The protocol's rules propose, people decide. Nothing here is ever edited: where the record beneath a decision changes,
an event says so, and the decision stands until somebody decides anew.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.safety import Grade, Part
from shared.contracts.terms import Code, Measurement, PartialDate, ParticipantId, ProtocolRef, Reason
from shared.kernel.events import Event

Decision = Literal["confirmed", "refuted"]
DltId = Annotated[UUID, Field(description="Follows from the toxicity: one toxicity has one decision")]


class ToxicityKind(StrEnum):
    """Whose grade counts: CTCAE's of an adverse event, or ASTCT's of an episode."""

    ADVERSE_EVENT = "adverse-event"
    CRS = "crs"
    ICANS = "icans"


class ToxicitySource(Part):
    """The record that a toxicity was read from."""

    kind: ToxicityKind
    id: UUID


class DltBasis(Part):
    """What a proposal rests on. `rules` empty: no rule of the protocol holds, as after a correction."""

    rules: tuple[Code, ...] = Field(description="Ids of the protocol's rules that hold, in alphabetical order")
    grade: Grade | None = Field(description="The worst grade of the toxicity; null: none counts any more")
    since: PartialDate | None = Field(description="The day from which the grade that counts was there")


class DoseLimitingToxicityProposed(Event, type="safety.dose-limiting-toxicity-proposed", version=1):
    """A toxicity meets a rule of the protocol, or an officer named it. Whether it limits the dose is undecided."""

    dlt_id: DltId
    participant_id: ParticipantId
    source: ToxicitySource
    basis: DltBasis
    protocol: ProtocolRef


class DoseLimitingToxicityDecided(Event, type="safety.dose-limiting-toxicity-decided", version=1):
    """A safety officer judged that a toxicity limits the dose, or does not. The latest decision stands."""

    dlt_id: DltId
    participant_id: ParticipantId
    decision: Decision
    basis: DltBasis
    reason: Reason


class DoseLimitingToxicityWithdrawn(Event, type="safety.dose-limiting-toxicity-withdrawn", version=1):
    """The record was corrected before anybody decided: no rule holds any more."""

    dlt_id: DltId
    participant_id: ParticipantId
    basis: DltBasis
    protocol: ProtocolRef


class DltBasisChanged(Event, type="safety.dlt-basis-changed", version=1):
    """What a proposal or a decision rests on is no longer what it was. A decision stands, and wants a second look."""

    dlt_id: DltId
    participant_id: ParticipantId
    was: DltBasis
    now: DltBasis
    decision: Decision | None = Field(description="The decision it concerns; null: undecided")
    protocol: ProtocolRef


class StoppingRuleTriggered(Event, type="safety.stopping-rule-triggered", version=1):
    """A stopping rule fired: dosing halts in the whole trial until the safety committee has reviewed.

    `posterior` is the probability that the true rate exceeds the rule's target; null: the rule fires at one event.
    """

    rule: Code
    number: int = Field(ge=1, description="1 for the first time that this rule fires")
    participants: tuple[ParticipantId, ...] = Field(description="Those with the event, in the order of their ids")
    evaluable: int = Field(description="Participants the rule looks at; those with the event are among them")
    posterior: Measurement | None
    protocol: ProtocolRef


class StoppingBasisChanged(Event, type="safety.stopping-basis-changed", version=1):
    """Somebody counted when the rule fired counts no longer. The halt stands until it is reviewed."""

    rule: Code
    number: int
    was: tuple[ParticipantId, ...]
    now: tuple[ParticipantId, ...]
    holds: bool = Field(description="Whether the rule would fire on what is known now")
    protocol: ProtocolRef


class StoppingReviewed(Event, type="safety.stopping-reviewed", version=1):
    """The safety committee reviewed a halt: dosing goes on, or the trial stays stopped."""

    rule: Code
    number: int
    decision: Literal["resume", "stop"]
    reason: Reason


def wants_a_look(basis: DltBasis, decided_on: DltBasis | None, decision: Decision | None, *, proposed: bool) -> bool:
    """Whether an officer has to look at a toxicity: undecided; confirmed on a rule that holds no more; or worse.

    `decided_on` is the basis at the decision; a refuted toxicity is worse where a new rule holds or the grade rose.
    """
    if decided_on is None:
        return proposed
    was, now = set(decided_on.rules), set(basis.rules)
    if decision == "confirmed":
        return not was <= now
    return not now <= was or (basis.grade or 0) > (decided_on.grade or 0)


DltEvent = DoseLimitingToxicityProposed | DoseLimitingToxicityDecided | DoseLimitingToxicityWithdrawn | DltBasisChanged
StoppingEvent = StoppingRuleTriggered | StoppingBasisChanged | StoppingReviewed
