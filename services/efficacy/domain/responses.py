"""The response to every assessment, as the criteria give it on all that is on record now.

Baseline, nadir and lesions span assessments, so one late or corrected measurement can change the response at
every later one. After each change all responses are derived again, and those that differ are assigned anew.
What is compared does not depend on the order in which assessments arrived: earlier means an earlier day, and of two
assessments on one day neither is the other's nadir. Of a partial date the earliest day it can mean counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from uuid import UUID

from services.efficacy.domain.burden import Assessment, EfficacyEvent, Facts, TumourBurden, evolve
from services.efficacy.domain.criteria.course import judged
from services.efficacy.domain.criteria.readings import CriteriaEngine, Judgement, Reading, Target, sum_of_measured
from shared.contracts.efficacy import OverrideBasisChanged, ResponseAssigned, SupportiveResponsesAssigned
from shared.contracts.efficacy_terms import (
    Certainty,
    Findings,
    LesionRole,
    LesionState,
    NeuroblastomaFindings,
    NeuroOncologyFindings,
    NonTargetStatus,
    Response,
    SupportiveResponse,
    TargetMeasurement,
)


def with_responses(burden: TumourBurden, events: list[EfficacyEvent], facts: Facts) -> list[EfficacyEvent]:
    """What was decided, followed by the responses that change with it."""
    if not events:
        return []
    return [*events, *_reassigned(reduce(evolve, events, burden), facts)]


def reassign(burden: TumourBurden, facts: Facts) -> list[EfficacyEvent]:
    """The responses that other criteria assign, though nothing else has changed."""
    return list(_reassigned(burden, facts))


@dataclass(frozen=True, slots=True)
class _Readings:
    """Every assessment that counts as criteria read it, made once for all sets of them."""

    baseline: Reading | None
    later: Mapping[UUID, Reading]

    @classmethod
    def of(cls, burden: TumourBurden) -> "_Readings":
        later = {key: _reading(burden, each) for key, each in burden.standing.items() if not each.baseline}
        return cls(_reading(burden, burden.baseline) if burden.baseline else None, later)

    def judged(self, assessment_id: UUID, criteria: CriteriaEngine) -> Judgement:
        return judged(criteria, self.baseline, tuple(self.later.values()), self.later[assessment_id])


def _reassigned(burden: TumourBurden, facts: Facts) -> Iterator[EfficacyEvent]:
    readings = _Readings.of(burden)
    for assessment_id in readings.later:
        assessment = burden.assessments[assessment_id]
        yield from _decided(assessment_id, assessment, readings, facts)
        beside = _supportive(assessment_id, assessment, readings, facts)
        told = beside.responses or assessment.supportive is not None
        if told and not _say_the_same(assessment.supportive, beside):
            yield beside


def _decided(assessment_id: UUID, assessment: Assessment, readings: _Readings, facts: Facts) -> Iterator[EfficacyEvent]:
    before, now = assessment.assigned, _assigned(assessment_id, assessment, readings, facts)
    if before is not None and _says_the_same(before, now):
        return
    yield now if before is None else now.model_copy(update={"supersedes": before.response})
    if assessment.override is not None:
        yield OverrideBasisChanged(
            participant_id=facts.participant_id,
            assessment_id=assessment_id,
            evaluator=assessment.evaluator,
            criteria=facts.criteria.name,
            assigned_then=assessment.override.assigned,
            assigned_now=now.response,
            response=assessment.override.response,
        )


def _says_the_same(before: ResponseAssigned, now: ResponseAssigned) -> bool:
    """A new version of the protocol that changes nothing about a response is no reason to assign it again."""
    return before.model_copy(update={"supersedes": None, "protocol": now.protocol}) == now


def _say_the_same(before: SupportiveResponsesAssigned | None, now: SupportiveResponsesAssigned) -> bool:
    return before is not None and before.model_copy(update={"protocol": now.protocol}) == now


def _supportive(
    assessment_id: UUID, assessment: Assessment, readings: _Readings, facts: Facts
) -> SupportiveResponsesAssigned:
    return SupportiveResponsesAssigned(
        participant_id=facts.participant_id,
        assessment_id=assessment_id,
        evaluator=assessment.evaluator,
        assessed_on=assessment.findings.assessed_on,
        visit=assessment.findings.visit,
        responses=tuple(_beside(engine.name, readings.judged(assessment_id, engine)) for engine in facts.supportive),
        protocol=facts.protocol.ref,
    )


def _beside(name: str, judgement: Judgement) -> SupportiveResponse:
    return SupportiveResponse(
        criteria=name,
        response=judgement.response,
        rule=judgement.rule,
        explanation=judgement.explanation,
        basis=judgement.basis,
    )


def _assigned(assessment_id: UUID, assessment: Assessment, readings: _Readings, facts: Facts) -> ResponseAssigned:
    judgement = readings.judged(assessment_id, facts.criteria)
    return ResponseAssigned(
        participant_id=facts.participant_id,
        assessment_id=assessment_id,
        evaluator=assessment.evaluator,
        assessed_on=assessment.findings.assessed_on,
        visit=assessment.findings.visit,
        criteria=facts.criteria.name,
        response=judgement.response or Response.NE,
        rule=judgement.rule,
        explanation=judgement.explanation,
        would_change=judgement.would_change,
        basis=judgement.basis,
        protocol=facts.protocol.ref,
    )


def _reading(burden: TumourBurden, assessment: Assessment) -> Reading:
    """The findings as criteria read them: of the lesions that count today; one without a word was not assessed."""
    findings = assessment.findings
    measured = {each.lesion_id: each for each in findings.targets}
    targets = tuple(
        _target(lesion_id, lesion.node, measured.get(lesion_id), findings)
        for lesion_id, lesion in burden.of_role(LesionRole.TARGET).items()
    )
    non_target = findings.non_target
    if non_target is NonTargetStatus.NONE and burden.of_role(LesionRole.NON_TARGET):
        non_target = NonTargetStatus.NE  # recorded before the lesion was: nobody has said what became of it
    certain = [each for each in findings.new_lesions if each.certainty is Certainty.UNEQUIVOCAL]
    return Reading(
        on=findings.assessed_on,
        targets=targets,
        non_target=non_target,
        new_lesion=bool(certain),
        equivocal=len(certain) < len(findings.new_lesions),
        new_labels=frozenset(each.label for each in certain),
        new_sum_mm=sum_of_measured(each.longest_mm for each in certain),
        neuro_oncology=findings.neuro_oncology or NeuroOncologyFindings(),
        neuroblastoma=findings.neuroblastoma or NeuroblastomaFindings(),
    )


def _target(lesion_id: UUID, node: bool, found: TargetMeasurement | None, findings: Findings) -> Target:
    if found is None:
        return Target(lesion_id, node, LesionState.NOT_ASSESSED)
    return Target.of(lesion_id, found, node=node, modality=findings.modality)
