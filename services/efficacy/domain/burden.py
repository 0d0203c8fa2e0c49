"""What is on record of one participant's tumour as one reader saw it, and the facts that decisions about it need."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from services.efficacy.domain.criteria.readings import CriteriaEngine
from shared.consent.coverage import Coverage
from shared.contracts.efficacy import (
    AssessmentCorrected,
    AssessmentRetracted,
    LesionCorrected,
    LesionIdentified,
    LesionRetracted,
    OverrideBasisChanged,
    OverrideWithdrawn,
    ResponseAssigned,
    ResponseOverridden,
    ResponseReported,
    SupportiveResponsesAssigned,
    TumourAssessed,
)
from shared.contracts.efficacy_terms import Evaluator, Findings, LesionDescription, LesionRole, Response, ResponseOf
from shared.contracts.terms import earliest
from shared.protocol import Protocol

EfficacyEvent = (
    LesionIdentified
    | LesionCorrected
    | LesionRetracted
    | TumourAssessed
    | AssessmentCorrected
    | AssessmentRetracted
    | ResponseAssigned
    | ResponseOverridden
    | OverrideBasisChanged
    | OverrideWithdrawn
    | SupportiveResponsesAssigned
    | ResponseReported
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions need beside the record. `today` is the date at the participant's site.

    `criteria` decide; `supportive` are computed beside them. `consent`: what the participant's covers, where the
    protocol lets it gate what is assessed.
    """

    participant_id: UUID
    protocol: Protocol
    criteria: CriteriaEngine
    today: date
    supportive: tuple[CriteriaEngine, ...] = ()
    evaluator: Evaluator = Evaluator.INVESTIGATOR
    consent: Coverage | None = None


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion known at baseline: as it was first identified, and as it is described now."""

    identified: LesionDescription
    described: LesionDescription
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """A reader's own judgement. `assigned` is what the criteria said when it was made."""

    response: Response
    assigned: Response
    reason: str
    basis_changed: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """One time point: its findings as first recorded and as they are now, and the response to it."""

    evaluator: Evaluator
    baseline: bool
    recorded: Findings
    findings: Findings
    retracted: bool = False
    assigned: ResponseAssigned | None = None
    supportive: SupportiveResponsesAssigned | None = None
    override: Override | None = None
    reported: Mapping[tuple[ResponseOf, str], ResponseReported] = field(default_factory=dict)

    def computed(self, criteria: str) -> Response | None:
        """What a set of criteria makes of the findings; None where it was not asked, or covers no such disease."""
        if self.assigned is not None and self.assigned.criteria == criteria:
            return self.assigned.response
        beside = () if self.supportive is None else self.supportive.responses
        return next((each.response for each in beside if each.criteria == criteria), None)


@dataclass(frozen=True, slots=True)
class TumourBurden:
    """All lesions and assessments, retracted ones included, in the order in which they were recorded."""

    lesions: Mapping[UUID, Lesion] = field(default_factory=dict)
    assessments: Mapping[UUID, Assessment] = field(default_factory=dict)

    def of_role(self, role: LesionRole) -> dict[UUID, LesionDescription]:
        """The lesions of one role that count, by id."""
        standing = sorted((key, lesion) for key, lesion in self.lesions.items() if not lesion.retracted)
        return {key: lesion.described for key, lesion in standing if lesion.described.role is role}

    @property
    def standing(self) -> dict[UUID, Assessment]:
        """The assessments that count, in order of time."""
        return {key: each for key, each in self.in_order_of_time if not each.retracted}

    @property
    def in_order_of_time(self) -> list[tuple[UUID, Assessment]]:
        """All assessments by date (a partial one by its earliest day), then as they were recorded."""
        return sorted(self.assessments.items(), key=lambda pair: earliest(pair[1].findings.assessed_on))

    @property
    def baseline(self) -> Assessment | None:
        return next((each for each in self.standing.values() if each.baseline), None)

    def with_lesion(self, lesion_id: UUID, lesion: Lesion) -> "TumourBurden":
        return replace(self, lesions={**self.lesions, lesion_id: lesion})

    def with_assessment(self, assessment_id: UUID, assessment: Assessment) -> "TumourBurden":
        return replace(self, assessments={**self.assessments, assessment_id: assessment})


def evolve(burden: TumourBurden, event: EfficacyEvent) -> TumourBurden:
    match event:
        case LesionIdentified(lesion_id=lesion_id, lesion=lesion):
            return burden.with_lesion(lesion_id, Lesion(lesion, lesion))
        case LesionCorrected(lesion_id=lesion_id, lesion=lesion):
            return burden.with_lesion(lesion_id, replace(burden.lesions[lesion_id], described=lesion))
        case LesionRetracted(lesion_id=lesion_id):
            return burden.with_lesion(lesion_id, replace(burden.lesions[lesion_id], retracted=True))
        case TumourAssessed(assessment_id=assessment_id, findings=findings):
            assessment = Assessment(event.evaluator, event.baseline, findings, findings)
            return burden.with_assessment(assessment_id, assessment)
        case SupportiveResponsesAssigned() | ResponseReported():
            return burden.with_assessment(event.assessment_id, _told(burden.assessments[event.assessment_id], event))
        case _:
            return burden.with_assessment(
                event.assessment_id, _assessed(burden.assessments[event.assessment_id], event)
            )


def _told(known: Assessment, event: SupportiveResponsesAssigned | ResponseReported) -> Assessment:
    """With what stands beside the response that counts."""
    if isinstance(event, SupportiveResponsesAssigned):
        return replace(known, supportive=event)
    return replace(known, reported={**known.reported, (event.of, event.criteria): event})


def _assessed(
    known: Assessment,
    event: AssessmentCorrected
    | AssessmentRetracted
    | ResponseAssigned
    | ResponseOverridden
    | OverrideBasisChanged
    | OverrideWithdrawn,
) -> Assessment:
    match event:
        case AssessmentCorrected(findings=findings):
            return replace(known, findings=findings)
        case AssessmentRetracted():
            return replace(known, retracted=True)
        case ResponseAssigned():
            return replace(known, assigned=event)
        case ResponseOverridden():
            return replace(known, override=Override(event.response, event.assigned, event.reason))
        case OverrideBasisChanged():
            return replace(known, override=known.override and replace(known.override, basis_changed=True))
        case OverrideWithdrawn():
            return replace(known, override=None)
        case _:
            assert_never(event)
