"""What the independent review publishes: what blinded readers made of the images, where they differ, what counts.

The streams of the two readers hold their measurements; that of the review holds their responses, copied in the same
append, so that a difference is found at once and by nobody who reads images.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.efficacy_terms import Criteria, Evaluator, Response, Rule
from shared.contracts.terms import Measurement, PartialDate, ParticipantId, Reason, ShortText
from shared.kernel.events import Event


class Difference(StrEnum):
    """In what the two readings of one time point differ, where their responses do."""

    TARGETS = "targets"
    NEW_LESION = "new-lesion"
    NON_TARGET = "non-target"
    DATE = "date"
    AT_A_LIMIT = "at-a-limit"
    MEASUREMENT = "measurement"


class SettledBy(StrEnum):
    """How the response of the independent review came about."""

    AGREEMENT = "agreement"
    ADJUDICATION = "adjudication"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IndependentRead(_Value):
    """What one blinded reader's measurements came to at one assessment, and what of them a difference may lie in.

    `targets` are the places of the target lesions, one word or two each; `sum` is that of the criteria, in `unit`.
    """

    assessment_id: UUID
    assessed_on: PartialDate
    visit: ShortText | None
    criteria: Criteria
    response: Response
    rule: Rule
    targets: tuple[str, ...]
    new_lesion: bool
    unit: str
    sum: Measurement | None
    progression_above: Measurement | None
    response_below: Measurement | None


TimePoint = ShortText


class IndependentReadReceived(Event, type="efficacy.independent-read-received", version=1):
    """A blinded reader's response at an assessment became known, or changed; a later one replaces it."""

    participant_id: ParticipantId
    evaluator: Evaluator
    read: IndependentRead


class IndependentReadWithdrawn(Event, type="efficacy.independent-read-withdrawn", version=1):
    """A blinded reader's assessment no longer counts."""

    participant_id: ParticipantId
    evaluator: Evaluator
    assessment_id: UUID


class DiscordanceFound(Event, type="efficacy.discordance-found", version=1):
    """The two readers' responses at one time point differ: the adjudicator is asked. A later one replaces it."""

    participant_id: ParticipantId
    time_point: TimePoint
    reader_1: IndependentRead
    reader_2: IndependentRead
    differences: tuple[Difference, ...]


class DiscordanceResolved(Event, type="efficacy.discordance-resolved", version=1):
    """The readers agree after all, or one of them withdrew: there is nothing to adjudicate any longer."""

    participant_id: ParticipantId
    time_point: TimePoint


class ResponseAdjudicated(Event, type="efficacy.response-adjudicated", version=1):
    """The adjudicator decided between the two readers. All three stay visible; this one counts."""

    participant_id: ParticipantId
    time_point: TimePoint
    response: Response
    sides_with: Evaluator | None = Field(None, description="The reader whose response it is; null: neither's")
    reason: Reason


class IndependentResponseSettled(Event, type="efficacy.independent-response-settled", version=1):
    """What the independent review amounts to at one time point. A later one for it replaces this one."""

    participant_id: ParticipantId
    time_point: TimePoint
    assessment_id: UUID = Field(description="Of the settled response: the same for a time point of a participant")
    assessed_on: PartialDate
    visit: ShortText | None
    criteria: Criteria
    response: Response
    by: SettledBy


class IndependentResponseUnsettled(Event, type="efficacy.independent-response-unsettled", version=1):
    """A settled response no longer stands: a reading it rests on changed or was withdrawn."""

    participant_id: ParticipantId
    time_point: TimePoint
    assessment_id: UUID
