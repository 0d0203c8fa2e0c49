"""Tumour assessments: what one must say, and how a wrong one is corrected or retracted."""

from uuid import UUID

from pydantic import ConfigDict, Field

from services.efficacy.domain.burden import Assessment, EfficacyEvent, Facts, TumourBurden
from services.efficacy.domain.naming import AboutAssessment
from shared.contracts.efficacy import AssessmentCorrected, AssessmentRetracted, TumourAssessed
from shared.contracts.efficacy_terms import (
    Findings,
    LesionRole,
    LesionState,
    NonTargetStatus,
    TargetMeasurement,
)
from shared.contracts.enrollment_terms import ConsentScope
from shared.contracts.terms import Flag, Reason, earliest
from shared.kernel.errors import AlreadyExists, Conflict, NotFound, Unacceptable


class RecordAssessment(AboutAssessment, Findings):
    """Record what a reader saw at one time point. The response to it is assigned at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "assessment_id": "0190a5b0-3c1e-7a52-9c4b-5b1f4f0c7b30",
                    "assessed_on": "2026-03-14",
                    "visit": "D30",
                    "modality": "mri",
                    "targets": [
                        {
                            "lesion_id": "0190a5b0-3c1e-7a52-9c4b-5b1f4f0c7a01",
                            "state": "measured",
                            "longest_mm": "24.5",
                            "perpendicular_mm": "18",
                        }
                    ],
                    "non_target": "none",
                    "new_lesions": [],
                }
            ]
        }
    )

    baseline: Flag = Field(False, description="The assessment that every later one is compared with")

    @property
    def findings(self) -> Findings:
        return _found(self)


class CorrectAssessment(AboutAssessment, Findings):
    """Correct an assessment. What is given replaces all findings; every later response is derived again."""

    reason: Reason

    @property
    def findings(self) -> Findings:
        return _found(self)


class RetractAssessment(AboutAssessment):
    """Retract an assessment that was recorded in error: neither it nor its response counts any longer."""

    reason: Reason


class NoSuchAssessment(NotFound):
    """The participant has no assessment of this id."""


class AssessmentAlreadyRecorded(AlreadyExists):
    """Another assessment is on record under this id; correct it, or take a new id."""


class AssessmentWasRetracted(Conflict):
    """A retracted assessment does not come back; record it anew under a new id."""


class BaselineOnRecord(Conflict):
    """A participant has one baseline assessment; correct it, or retract it first."""


class AssessedInTheFuture(Unacceptable):
    """The assessment would lie after today."""


class UnknownTargetLesion(Unacceptable):
    """A measurement names a lesion that is no target lesion of this participant; identify the lesion first."""


class TargetLesionLeftOut(Unacceptable):
    """Every target lesion needs its state; one that was not seen is `not-assessed`, never left out."""


class NonTargetStatusMissing(Unacceptable):
    """There are non-target lesions, so `none` is no status of theirs; `ne` says that nobody looked."""


class LabelOfKnownLesion(Unacceptable):
    """A new lesion bears the label of a lesion known at baseline; readers would confuse them."""


class TargetNotMeasuredAtBaseline(Unacceptable):
    """At baseline every target lesion is measured in both axes."""


class TargetTooSmallAtBaseline(Unacceptable):
    """At baseline a target lesion has at least the protocol's size in both axes; a smaller one is non-target."""


def record(command: RecordAssessment, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = burden.assessments.get(command.which)
    if known is not None:
        if (known.recorded, known.baseline) == (command.findings, command.baseline):
            return []
        raise AssessmentAlreadyRecorded(f"{command.which} is on record as another one; correct it, or take a new id")
    if command.baseline and burden.baseline is not None:
        raise BaselineOnRecord("a baseline assessment is on record; correct it, or retract it first")
    _ensure_covered(command.findings, facts)
    _ensure_sound(command.findings, burden, facts, baseline=command.baseline)
    return [
        TumourAssessed(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=facts.evaluator,
            baseline=command.baseline,
            findings=command.findings,
        )
    ]


def correct(command: CorrectAssessment, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = standing(burden, command.which)
    if known.findings == command.findings:
        return []
    if known.findings.assessed_on != command.findings.assessed_on:
        _ensure_covered(command.findings, facts)
    _ensure_sound(command.findings, burden, facts, baseline=known.baseline)
    return [
        AssessmentCorrected(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=known.evaluator,
            baseline=known.baseline,
            findings=command.findings,
            reason=command.reason,
        )
    ]


def retract(command: RetractAssessment, burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    known = burden.assessments.get(command.which)
    if known is None:
        raise _no_such(command.which)
    if known.retracted:
        return []
    return [
        AssessmentRetracted(
            participant_id=facts.participant_id,
            assessment_id=command.which,
            evaluator=known.evaluator,
            reason=command.reason,
        )
    ]


def standing(burden: TumourBurden, assessment_id: UUID) -> Assessment:
    """The assessment, if there is one that counts."""
    known = burden.assessments.get(assessment_id)
    if known is None:
        raise _no_such(assessment_id)
    if known.retracted:
        raise AssessmentWasRetracted("the assessment was retracted; record it anew under a new id")
    return known


def _found(command: RecordAssessment | CorrectAssessment) -> Findings:
    return Findings(**{name: getattr(command, name) for name in Findings.model_fields})


def _no_such(assessment_id: UUID) -> NoSuchAssessment:
    return NoSuchAssessment(f"no assessment {assessment_id} of this participant")


def _ensure_sound(findings: Findings, burden: TumourBurden, facts: Facts, *, baseline: bool) -> None:
    if earliest(findings.assessed_on) > facts.today:
        raise AssessedInTheFuture(f"assessed_on lies after today, {facts.today}; send the date of the images")
    _ensure_all_targets(findings, burden)
    if findings.non_target is NonTargetStatus.NONE and burden.of_role(LesionRole.NON_TARGET):
        raise NonTargetStatusMissing("non-target lesions are on record: say cr, non-cr-non-pd, pd, or ne if not seen")
    labels = {each.label for role in LesionRole for each in burden.of_role(role).values()}
    if any(lesion.label in labels for lesion in findings.new_lesions):
        raise LabelOfKnownLesion("a new lesion bears the label of a lesion known at baseline; take another label")
    if baseline:
        for measurement in findings.targets:
            _ensure_measurable(measurement, facts)


def _ensure_covered(findings: Findings, facts: Facts) -> None:
    """What the consent of the day does not cover is not taken; what is on record is put right all the same."""
    if facts.consent is not None:
        facts.consent.refuse_uncovered(findings.assessed_on, ConsentScope.FOLLOW_UP)


def _ensure_all_targets(findings: Findings, burden: TumourBurden) -> None:
    targets, given = set(burden.of_role(LesionRole.TARGET)), {each.lesion_id for each in findings.targets}
    if given - targets:
        raise UnknownTargetLesion(
            f"not a target lesion of this participant: {_listed(given - targets)}; identify it first, or leave it out"
        )
    if targets - given:
        raise TargetLesionLeftOut(f"no state is given for {_listed(targets - given)}; say not-assessed if not seen")


def _ensure_measurable(measurement: TargetMeasurement, facts: Facts) -> None:
    """At least the protocol's minimum in both axes; exactly the minimum is enough. Millimetres."""
    if measurement.longest_mm is None or measurement.perpendicular_mm is None:
        raise TargetNotMeasuredAtBaseline(
            f"target lesion {measurement.lesion_id} is {measurement.state} at baseline; "
            f"send it as {LesionState.MEASURED} with both diameters, or make it non-target"
        )
    minimum = facts.protocol.response.minimum_size_mm.value
    if min(measurement.longest_mm, measurement.perpendicular_mm) < minimum:
        raise TargetTooSmallAtBaseline(
            f"target lesion {measurement.lesion_id} is below {minimum} mm in an axis at baseline; "
            "retract it and identify it as non-target"
        )


def _listed(ids: set[UUID]) -> str:
    return ", ".join(map(str, sorted(ids)))
