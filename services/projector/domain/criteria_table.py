"""What each set of criteria makes of the same measurements, and whose category depends on the set.

The set that decides gives the response that counts, overridden or not; the others are computed beside it. A set that
does not cover a tumour gives none. Categories of iRECIST are compared with those of RECIST: iPR is PR, and iUPD is PD
that nobody has confirmed yet, which is no other category.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from services.projector.domain.response_course import Assessed, Course, courses
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import PartialDate
from shared.protocol import Protocol
from shared.response.best_overall import BestResponseRule
from shared.response.readings import Best, Merit, merit

Beside = Mapping[UUID, Mapping[str, Response | None]]  # by assessment and set of criteria


class ReportedByCriteria(Figure):
    """An overall response as somebody stated it, and what the same set of criteria makes of the measurements."""

    criteria: str
    response: Response
    computed: Response | None
    agrees: bool | None = Field(description="null: the set was not asked, or covers no such disease")

    @classmethod
    def of(cls, criteria: str, response: Response, computed: Response | None) -> Self:
        agrees = None if computed is None else computed is response
        return cls(criteria=criteria, response=response, computed=computed, agrees=agrees)


Reported = Mapping[UUID, Sequence[ReportedByCriteria]]  # by assessment


class AssessmentByCriteria(Figure):
    """One assessment: the response that counts, and what every other set says. null: it covers no such disease."""

    assessment_id: UUID
    assessed_on: PartialDate
    day: int
    visit: str | None
    response: Response
    supportive: Mapping[str, Response | None]
    differs: bool
    reported: Sequence[ReportedByCriteria] = Field(description="As somebody stated it; it changes no response")


class ParticipantByCriteria(Figure):
    """One participant. `best` by set of criteria, unconfirmed; a set that never gave a response is left out."""

    participant_id: UUID
    subject_number: str
    tumour_type: str | None
    best: Mapping[str, Best]
    best_differs: bool
    differs: bool = Field(description="At an assessment or in the best response")
    assessments: Sequence[AssessmentByCriteria]


class ResponsesByCriteria(Figure):
    """The table, by subject number. `differing` names those whose category depends on the set.

    `reported_otherwise` names those of whom somebody stated another response than the same set gives.
    """

    deciding: str
    evaluator: str
    infused: int
    differing: Sequence[str]
    reported_otherwise: Sequence[str]
    participants: Sequence[ParticipantByCriteria]


def responses_by_criteria(
    protocol: Protocol,
    cohort: Iterable[Infused],
    assessed: Iterable[Assessed],
    beside: Beside,
    reported: Reported,
    *,
    evaluator: str,
) -> ResponsesByCriteria:
    rule = BestResponseRule.of(protocol, confirmed=False)
    deciding = protocol.response.criteria.value
    rows = [_participant(course, beside, reported, deciding, rule) for course in courses(protocol, cohort, assessed)]
    return ResponsesByCriteria(
        deciding=deciding,
        evaluator=evaluator,
        infused=len(rows),
        differing=tuple(row.subject_number for row in rows if row.differs),
        reported_otherwise=tuple(
            row.subject_number
            for row in rows
            if any(said.agrees is False for each in row.assessments for said in each.reported)
        ),
        participants=tuple(rows),
    )


def _participant(
    course: Course, beside: Beside, reported: Reported, deciding: str, rule: BestResponseRule
) -> ParticipantByCriteria:
    assessments = tuple(
        _assessment(
            each,
            day,
            None if visit is None else visit.code,
            beside.get(each.assessment_id, {}),
            reported.get(each.assessment_id, ()),
        )
        for each, day, visit in zip(course.assessed, course.days, course.visits, strict=True)
    )
    best: dict[str, Best] = {deciding: course.best(rule).best} if course.assessed else {}
    for name in sorted({name for each in assessments for name in each.supportive}):
        told = tuple(
            (day, replace(each, counts=response))
            for day, each in zip(course.days, course.assessed, strict=True)
            if (response := beside.get(each.assessment_id, {}).get(name)) is not None
        )
        if told:
            days, assessed = zip(*told, strict=True)
            best[name] = replace(course, assessed=assessed, days=days).best(rule).best
    best_differs = len({_category(each) for each in best.values()}) > 1
    return ParticipantByCriteria(
        participant_id=course.participant.participant_id,
        subject_number=course.participant.subject_number,
        tumour_type=course.participant.tumour_type,
        best=best,
        best_differs=best_differs,
        differs=best_differs or any(each.differs for each in assessments),
        assessments=assessments,
    )


def _assessment(
    assessed: Assessed,
    day: int,
    visit: str | None,
    supportive: Mapping[str, Response | None],
    reported: Sequence[ReportedByCriteria],
) -> AssessmentByCriteria:
    given = {_category(each) for each in supportive.values() if each is not None}
    return AssessmentByCriteria(
        assessment_id=assessed.assessment_id,
        assessed_on=assessed.assessed_on,
        day=day,
        visit=visit,
        response=assessed.counts,
        supportive=dict(sorted(supportive.items())),
        differs=bool(given - {_category(assessed.counts)}),
        reported=tuple(reported),
    )


def _category(response: Best) -> Merit:
    return Merit.PD if merit(response) is Merit.UNCONFIRMED_PD else merit(response)
