"""What the efficacy service publishes: lesions, tumour assessments, and the responses they lead to.

Diameters are raw, in millimetres, so that any set of criteria can be computed from them again. A response is
always derived: it names the criteria, the rule that fired and the numbers it rests on.
"""

from uuid import UUID

from pydantic import Field

from shared.contracts.efficacy_terms import (
    Criteria,
    Evaluator,
    Findings,
    LesionDescription,
    Response,
    ResponseBasis,
    ResponseOf,
    Rule,
    SupportiveResponse,
)
from shared.contracts.terms import PartialDate, ParticipantId, ProtocolRef, Reason, ShortText
from shared.kernel.events import Event


class LesionIdentified(Event, type="efficacy.lesion-identified", version=1):
    """A lesion was identified at baseline, to be followed as target or non-target."""

    participant_id: ParticipantId
    lesion_id: UUID
    lesion: LesionDescription
    evaluator: Evaluator = Evaluator.INVESTIGATOR


class LesionCorrected(Event, type="efficacy.lesion-corrected", version=1):
    """The description of a lesion was wrong; `lesion` replaces all of it."""

    participant_id: ParticipantId
    lesion_id: UUID
    lesion: LesionDescription
    reason: Reason
    evaluator: Evaluator = Evaluator.INVESTIGATOR


class LesionRetracted(Event, type="efficacy.lesion-retracted", version=1):
    """A lesion was identified in error. Its measurements stay on record and no longer count."""

    participant_id: ParticipantId
    lesion_id: UUID
    reason: Reason
    evaluator: Evaluator = Evaluator.INVESTIGATOR


class TumourAssessed(Event, type="efficacy.tumour-assessed", version=1):
    """A reader assessed the tumour. The baseline assessment is what every later one is compared with."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    baseline: bool
    findings: Findings


class AssessmentCorrected(Event, type="efficacy.assessment-corrected", version=1):
    """What was recorded of an assessment was wrong; `findings` replaces all of it."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    baseline: bool
    findings: Findings
    reason: Reason


class AssessmentRetracted(Event, type="efficacy.assessment-retracted", version=1):
    """An assessment was recorded in error: neither its findings nor its response count any longer."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    reason: Reason


class ResponseAssigned(Event, type="efficacy.response-assigned", version=1):
    """The criteria gave this response at an assessment. A later one for the same assessment replaces it."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    assessed_on: PartialDate
    visit: ShortText | None
    criteria: Criteria
    response: Response
    rule: Rule
    explanation: str
    would_change: tuple[str, ...] = Field((), description="What would have led to another response, and to which")
    basis: ResponseBasis
    supersedes: Response | None = Field(None, description="What was assigned here before, if anything")
    protocol: ProtocolRef


class SupportiveResponsesAssigned(Event, type="efficacy.supportive-responses-assigned", version=1):
    """What the other sets of criteria say of an assessment, beside the one that decides. A later one replaces it."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    assessed_on: PartialDate
    visit: ShortText | None
    responses: tuple[SupportiveResponse, ...]
    protocol: ProtocolRef


class ResponseOverridden(Event, type="efficacy.response-overridden", version=1):
    """An investigator or a radiologist judged otherwise than the criteria; `response` counts, both are shown."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    criteria: Criteria
    assigned: Response
    response: Response
    reason: Reason


class ResponseReported(Event, type="efficacy.response-reported", version=1):
    """Somebody stated a response by a set of criteria (SDTM RS). It stands beside the assigned one and replaces none.

    A later one of the same kind and criteria at the same assessment corrects it, with the reason.
    """

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    of: ResponseOf
    criteria: Criteria
    response: Response
    stated_on: PartialDate | None
    reason: Reason | None


class OverrideBasisChanged(Event, type="efficacy.override-basis-changed", version=1):
    """What an override was judged from has changed. The override still counts, and is to be looked at again."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    criteria: Criteria
    assigned_then: Response
    assigned_now: Response
    response: Response


class OverrideWithdrawn(Event, type="efficacy.override-withdrawn", version=1):
    """An override no longer stands: the assigned response counts again."""

    participant_id: ParticipantId
    assessment_id: UUID
    evaluator: Evaluator
    criteria: Criteria
    assigned: Response
    reason: Reason
