"""The response to every assessment, as the criteria give it on all that is on record now.

Baseline, nadir and lesions span assessments, so one late or corrected measurement can change the response at
every later one. After each change all responses are derived again, and those that differ are assigned anew.
What is compared does not depend on the order in which assessments arrived: earlier means an earlier day, and of two
assessments on one day neither is the other's nadir. Of a partial date the earliest day it can mean counts.
"""

from collections.abc import Iterator
from functools import reduce
from uuid import UUID

from services.efficacy.domain.burden import Assessment, EfficacyEvent, Facts, TumourBurden, evolve
from services.efficacy.domain.criteria.readings import Judgement, Reading, Target
from shared.contracts.efficacy import (
    Certainty,
    LesionRole,
    LesionState,
    NonTargetStatus,
    OverrideBasisChanged,
    Response,
    ResponseAssigned,
)
from shared.contracts.terms import earliest, latest


def with_responses(burden: TumourBurden, events: list[EfficacyEvent], facts: Facts) -> list[EfficacyEvent]:
    """What was decided, followed by the responses that change with it."""
    if not events:
        return []
    return [*events, *_reassigned(reduce(evolve, events, burden), facts)]


def _reassigned(burden: TumourBurden, facts: Facts) -> Iterator[EfficacyEvent]:
    for assessment_id, assessment in burden.standing.items():
        if assessment.baseline:
            continue
        before, now = assessment.assigned, _assigned(burden, assessment_id, assessment, facts)
        if before is not None and _says_the_same(before, now):
            continue
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


def _assigned(burden: TumourBurden, assessment_id: UUID, assessment: Assessment, facts: Facts) -> ResponseAssigned:
    judgement = _judged(burden, assessment, facts)
    return ResponseAssigned(
        participant_id=facts.participant_id,
        assessment_id=assessment_id,
        evaluator=assessment.evaluator,
        assessed_on=assessment.findings.assessed_on,
        visit=assessment.findings.visit,
        criteria=facts.criteria.name,
        response=judgement.response,
        rule=judgement.rule,
        explanation=judgement.explanation,
        basis=judgement.basis,
        protocol=facts.protocol.ref,
    )


def _judged(burden: TumourBurden, assessment: Assessment, facts: Facts) -> Judgement:
    current, baseline = _reading(burden, assessment), burden.baseline
    if baseline is not None and _precedes(assessment, baseline):
        basis = facts.criteria.judge(None, (), current).basis
        return Judgement(Response.NE, "before-baseline", "The assessment precedes the baseline.", basis)
    earlier = [_reading(burden, each) for each in burden.standing.values() if _lies_between(baseline, each, assessment)]
    return facts.criteria.judge(_reading(burden, baseline) if baseline else None, earlier, current)


def _precedes(assessment: Assessment, baseline: Assessment) -> bool:
    """Whether it must have been before the baseline; a partial date that allows otherwise is no proof."""
    return latest(assessment.findings.assessed_on) < earliest(baseline.findings.assessed_on)


def _lies_between(baseline: Assessment | None, other: Assessment, current: Assessment) -> bool:
    if baseline is None or other.baseline or _precedes(other, baseline):
        return False
    return earliest(other.findings.assessed_on) < earliest(current.findings.assessed_on)


def _reading(burden: TumourBurden, assessment: Assessment) -> Reading:
    """The findings as criteria read them: of the lesions that count today; one without a word was not assessed."""
    findings = assessment.findings
    measured = {each.lesion_id: each for each in findings.targets}
    targets = []
    for lesion_id, lesion in burden.of_role(LesionRole.TARGET).items():
        found = measured.get(lesion_id)
        if found is None:
            targets.append(Target(lesion_id, lesion.node, LesionState.NOT_ASSESSED))
        else:
            targets.append(Target(lesion_id, lesion.node, found.state, found.longest_mm, found.perpendicular_mm))
    non_target = findings.non_target
    if non_target is NonTargetStatus.NONE and burden.of_role(LesionRole.NON_TARGET):
        non_target = NonTargetStatus.NE  # recorded before the lesion was: nobody has said what became of it
    certainties = {each.certainty for each in findings.new_lesions}
    return Reading(
        on=findings.assessed_on,
        targets=tuple(targets),
        non_target=non_target,
        new_lesion=Certainty.UNEQUIVOCAL in certainties,
        equivocal=Certainty.EQUIVOCAL in certainties,
    )
