"""The overall response rate at the protocol's time points, and of the best overall response.

Only assessments after the infusion count, by one evaluator and one set of criteria; an overridden response counts as
overridden. At a time point the assessment that serves its visit counts. Once the disease has progressed a
participant stays progressed at every later time point, whatever is read there: nothing after progression counts.
Nor does anything after a new anticancer therapy: whoever began one without having progressed stands apart from then on.

Denominators, each stated. `infused`: at a time point everybody infused except those not yet due, whose window is
still open or ahead and who have no response there; for the best overall response everybody infused.
`response-evaluable`: those of them with a response other than NE. The rate is CR and PR over the denominator.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused
from services.projector.domain.figures import Figure
from services.projector.domain.groups import GroupedBy, groups
from services.projector.domain.response_course import Assessed, Course, courses
from services.projector.domain.response_figures import (
    BestCounts,
    Rate,
    ResponseCounts,
    best_counts,
    response_counts,
    response_rates_of,
)
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import PartialDate
from shared.protocol import Denominator, MeasureId, Protocol, Visit
from shared.protocol.schedule import visit_dates
from shared.response.best_overall import BestResponseRule
from shared.response.readings import Best, is_evaluable


class TimePointResponse(Figure):
    """The responses at one time point. The counts, `not_assessed`, `after_new_therapy` and `not_yet_due` add up to all
    who were infused."""

    visit: str
    label: str
    counts: ResponseCounts
    progressed_before: int = Field(description="Of those under `pd`: progressed at an earlier assessment")
    not_assessed: int = Field(description="The window closed, or follow-up ended, without an assessment")
    after_new_therapy: int = Field(description="A new anticancer therapy had begun; nothing read after it counts")
    not_yet_due: int
    rates: tuple[Rate, ...]


class BestResponses(Figure):
    """Best overall response. `confirmed` says by which rule."""

    confirmed: bool
    counts: BestCounts
    rates: tuple[Rate, ...]


class ParticipantResponse(Figure):
    """One participant's responses over time, and what they amount to."""

    participant_id: UUID
    subject_number: str
    best: Best
    best_confirmed: Best
    progressed_on_day: int | None
    new_therapy_on: PartialDate | None
    new_therapy_day: int | None
    contradiction: Literal["pr-after-cr"] | None
    assessments: tuple["AssessmentResponse", ...]


class AssessmentResponse(Figure):
    """One assessment. `overridden` True: `assigned` is what the criteria gave, `response` what counts."""

    assessment_id: UUID
    assessed_on: str
    day: int
    visit: str | None = Field(description="The visit it serves; None: unscheduled")
    response: Response
    assigned: Response
    overridden: bool
    after_new_therapy: bool = Field(description="It counts for nothing")


class GroupRates(Figure):
    """The rates among those of one group."""

    grouped_by: GroupedBy
    group: str | None = Field(description="null: those of whom it is not known")
    infused: int
    time_points: tuple[TimePointResponse, ...]
    best_overall: BestResponses
    other_rule: BestResponses


class ResponseRates(Figure):
    """The response table. `best_overall` follows the protocol's rule, `other_rule` the one with or without
    confirmation that the protocol did not choose."""

    criteria: str
    evaluator: str
    infused: int
    time_points: tuple[TimePointResponse, ...]
    best_overall: BestResponses
    other_rule: BestResponses
    groups: tuple[GroupRates, ...] | None = Field(None, description="Where that was asked for")
    participants: tuple[ParticipantResponse, ...]


def response_rates(
    protocol: Protocol,
    cohort: Sequence[Infused],
    assessed: Iterable[Assessed],
    *,
    evaluator: str,
    today: date,
    by: GroupedBy | None = None,
) -> ResponseRates:
    """The table of the response outcome; `by`: also for each group."""
    people = courses(protocol, cohort, assessed)
    return ResponseRates(
        criteria=protocol.response.criteria.value,
        evaluator=evaluator,
        infused=len(people),
        **_rates(protocol, people, today),
        groups=None if by is None else tuple(_of_groups(protocol, cohort, people, by, today)),
        participants=tuple(_participant(protocol, course) for course in people),
    )


def _of_groups(
    protocol: Protocol, cohort: Sequence[Infused], people: Sequence[Course], by: GroupedBy, today: date
) -> Iterator[GroupRates]:
    for group in groups(protocol, cohort):
        if group.by is by:
            members = [each for each in people if each.participant.participant_id in group.members]
            rates = _rates(protocol, members, today)
            yield GroupRates(grouped_by=group.by, group=group.name, infused=len(members), **rates)


def _rates(protocol: Protocol, people: Sequence[Course], today: date) -> dict[str, Any]:
    chosen = protocol.response.confirmation.value
    return {
        "time_points": tuple(_time_points(protocol, people, today)),
        "best_overall": _best(protocol, people, confirmed=chosen),
        "other_rule": _best(protocol, people, confirmed=not chosen),
    }


def _time_points(protocol: Protocol, people: Sequence[Course], today: date) -> Iterator[TimePointResponse]:
    for point in protocol.measure(MeasureId.RESPONSE_RATE).time_points:
        visit = protocol.visit(point.visit)
        stands = [_stands(protocol, course, visit, today) for course in people]
        responses = [each for each in stands if isinstance(each, Response)]
        not_yet_due = stands.count("not-yet-due")
        denominators = {
            Denominator.INFUSED: len(people) - not_yet_due,
            Denominator.RESPONSE_EVALUABLE: sum(map(is_evaluable, responses)),
        }
        yield TimePointResponse(
            visit=point.visit,
            label=point.label,
            counts=response_counts(responses),
            progressed_before=sum(_progressed_before(course, visit) for course in people),
            not_assessed=stands.count("not-assessed"),
            after_new_therapy=stands.count("after-new-therapy"),
            not_yet_due=not_yet_due,
            rates=response_rates_of(protocol, responses, denominators),
        )


def _stands(
    protocol: Protocol, course: Course, visit: Visit, today: date
) -> Response | Literal["not-assessed", "after-new-therapy", "not-yet-due"]:
    """How a participant stands at a visit. Once progressed, always progressed."""
    if _progressed_before(course, visit):
        return Response.PD
    for each, served in zip(course.counting, course.visits, strict=False):
        if served == visit:
            return each.counts
    if not course.counts_on(visit.last_day):
        return "after-new-therapy"
    until = course.participant.followed_until
    closes = visit_dates(protocol, visit, course.participant.day_zero).closes
    ended = until is not None and until < closes
    return "not-assessed" if ended or today > closes else "not-yet-due"


def _progressed_before(course: Course, visit: Visit) -> bool:
    """Whether the first progression came before the assessment of this visit, or before its window."""
    progressed = course.progressed_on_day
    if progressed is None:
        return False
    served = [day for day, at in zip(course.days, course.visits, strict=True) if at == visit and course.counts_on(day)]
    return progressed < (served[0] if served else visit.first_day)


def _best(protocol: Protocol, people: Sequence[Course], *, confirmed: bool) -> BestResponses:
    rule = BestResponseRule.of(protocol, confirmed=confirmed)
    best = [course.best(rule).best for course in people]
    denominators = {
        Denominator.INFUSED: len(people),
        Denominator.RESPONSE_EVALUABLE: sum(course.is_evaluable for course in people),
    }
    return BestResponses(
        confirmed=confirmed, counts=best_counts(best), rates=response_rates_of(protocol, best, denominators)
    )


def _participant(protocol: Protocol, course: Course) -> ParticipantResponse:
    best, confirmed = (course.best(BestResponseRule.of(protocol, confirmed=each)) for each in (False, True))
    return ParticipantResponse(
        participant_id=course.participant.participant_id,
        subject_number=course.participant.subject_number,
        best=best.best,
        best_confirmed=confirmed.best,
        progressed_on_day=course.progressed_on_day,
        new_therapy_on=course.participant.new_therapy_on,
        new_therapy_day=course.new_therapy_day,
        contradiction="pr-after-cr" if course.contradicts_itself else None,
        assessments=tuple(
            AssessmentResponse(
                assessment_id=each.assessment_id,
                assessed_on=each.assessed_on,
                day=day,
                visit=None if visit is None else visit.code,
                response=each.counts,
                assigned=each.assigned,
                overridden=each.counts is not each.assigned,
                after_new_therapy=not course.counts_on(day),
            )
            for each, day, visit in zip(course.assessed, course.days, course.visits, strict=True)
        ),
    )
