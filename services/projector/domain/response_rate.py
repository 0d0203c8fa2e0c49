"""The overall response rate at the protocol's time points, and of the best overall response.

Only assessments after the infusion count, by one evaluator and one set of criteria; an overridden response counts as
overridden. At a time point the assessment that serves its visit counts. Once the disease has progressed a
participant stays progressed at every later time point, whatever is read there: nothing after progression counts.

Denominators, each stated. `infused`: at a time point everybody infused except those not yet due, whose window is
still open or ahead and who have no response there; for the best overall response everybody infused.
`response-evaluable`: those of them with a response other than NE. The rate is CR and PR over the denominator.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from services.projector.domain.best_response import (
    ORDER,
    RESPONDERS,
    Reading,
    best_overall_response,
    contradicts_itself,
    up_to_progression,
)
from services.projector.domain.cohort import Infused
from services.projector.domain.figures import ConfidenceInterval, Figure, Percent, exact_interval, percent
from shared.contracts.efficacy import Response
from shared.contracts.terms import earliest
from shared.protocol import Assessment, Denominator, MeasureId, Moment, Protocol, Visit
from shared.protocol.schedule import assign_visits, visit_dates


@dataclass(frozen=True, slots=True)
class Assessed:
    """A standing assessment after baseline. `counts` is the response that counts, overridden or assigned."""

    assessment_id: UUID
    participant_id: UUID
    assessed_on: str
    assigned: Response
    counts: Response


class ResponseCounts(Figure):
    """Participants by overall response (RSTESTCD OVRLRESP, RSSTRESC)."""

    cr: int
    pr: int
    sd: int
    pd: int
    ne: int


class Rate(Figure):
    """Responders, CR or PR, out of a stated denominator."""

    denominator: Denominator
    responders: int
    n: int
    percent: Percent | None
    interval: ConfidenceInterval | None


class TimePointResponse(Figure):
    """The responses at one time point. The counts, `not_assessed` and `not_yet_due` add up to all who were infused."""

    visit: str
    label: str
    counts: ResponseCounts
    progressed_before: int = Field(description="Of those under `pd`: progressed at an earlier assessment")
    not_assessed: int = Field(description="The window closed, or follow-up ended, without an assessment")
    not_yet_due: int
    rates: tuple[Rate, ...]


class BestResponses(Figure):
    """Best overall response. `confirmed` says by which rule."""

    confirmed: bool
    counts: ResponseCounts
    rates: tuple[Rate, ...]


class ParticipantResponse(Figure):
    """One participant's responses over time, and what they amount to."""

    participant_id: UUID
    subject_number: str
    best: Response
    best_confirmed: Response
    progressed_on_day: int | None
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


class ResponseRates(Figure):
    """The response table. `best_overall` follows the protocol's rule, `other_rule` the one with or without
    confirmation that the protocol did not choose."""

    criteria: str
    evaluator: str
    infused: int
    time_points: tuple[TimePointResponse, ...]
    best_overall: BestResponses
    other_rule: BestResponses
    participants: tuple[ParticipantResponse, ...]


def response_rates(
    protocol: Protocol, cohort: Sequence[Infused], assessed: Iterable[Assessed], *, evaluator: str, today: date
) -> ResponseRates:
    """The table of the response outcome."""
    people = sorted(cohort, key=lambda participant: participant.order)
    by_participant: dict[UUID, list[Assessed]] = {each.participant_id: [] for each in people}
    for each in assessed:
        if each.participant_id in by_participant:
            by_participant[each.participant_id].append(each)
    courses = [_course(protocol, each, by_participant[each.participant_id]) for each in people]
    chosen = protocol.response.confirmation.value
    return ResponseRates(
        criteria=protocol.response.criteria.value,
        evaluator=evaluator,
        infused=len(people),
        time_points=tuple(_time_points(protocol, courses, today)),
        best_overall=_best(protocol, courses, confirmed=chosen),
        other_rule=_best(protocol, courses, confirmed=not chosen),
        participants=tuple(_participant(protocol, course) for course in courses),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """One participant's assessments after the infusion, in order of time, with the visit that each serves."""

    participant: Infused
    assessed: tuple[Assessed, ...]
    days: tuple[int, ...]
    visits: tuple[Visit | None, ...]

    @property
    def readings(self) -> tuple[Reading, ...]:
        return tuple(Reading(day, each.counts) for day, each in zip(self.days, self.assessed, strict=True))

    @property
    def progressed_on_day(self) -> int | None:
        last = up_to_progression(self.readings)[-1:]
        return last[0].day if last and last[0].response is Response.PD else None


def _course(protocol: Protocol, participant: Infused, assessed: Iterable[Assessed]) -> Course:
    dated = [(participant.moment_of(protocol, earliest(each.assessed_on)), each) for each in assessed]
    after = sorted(
        ((moment, each) for moment, each in dated if moment.after_infusion),
        key=lambda pair: (pair[0], pair[1].assessed_on, pair[1].assessment_id),
    )
    moments: list[Moment] = [moment for moment, _ in after]
    return Course(
        participant,
        tuple(each for _, each in after),
        tuple(moment.day for moment in moments),
        assign_visits(protocol, Assessment.RESPONSE, moments),
    )


def _time_points(protocol: Protocol, courses: Sequence[Course], today: date) -> Iterator[TimePointResponse]:
    for point in protocol.measure(MeasureId.RESPONSE_RATE).time_points:
        visit = protocol.visit(point.visit)
        stands = [_stands(protocol, course, visit, today) for course in courses]
        responses = [each for each in stands if isinstance(each, Response)]
        not_yet_due = stands.count("not-yet-due")
        denominators = {
            Denominator.INFUSED: len(courses) - not_yet_due,
            Denominator.RESPONSE_EVALUABLE: len(responses) - responses.count(Response.NE),
        }
        yield TimePointResponse(
            visit=point.visit,
            label=point.label,
            counts=_counts(responses),
            progressed_before=sum(_progressed_before(course, visit) for course in courses),
            not_assessed=stands.count("not-assessed"),
            not_yet_due=not_yet_due,
            rates=_rates(protocol, responses, denominators),
        )


def _stands(
    protocol: Protocol, course: Course, visit: Visit, today: date
) -> Response | Literal["not-assessed", "not-yet-due"]:
    """How a participant stands at a visit. Once progressed, always progressed."""
    if _progressed_before(course, visit):
        return Response.PD
    for each, served in zip(course.assessed, course.visits, strict=True):
        if served == visit:
            return each.counts
    until = course.participant.followed_until
    closes = visit_dates(protocol, visit, course.participant.day_zero).closes
    ended = until is not None and until < closes
    return "not-assessed" if ended or today > closes else "not-yet-due"


def _progressed_before(course: Course, visit: Visit) -> bool:
    """Whether the first progression came before the assessment of this visit, or before its window."""
    progressed = course.progressed_on_day
    if progressed is None:
        return False
    served = [day for day, at in zip(course.days, course.visits, strict=True) if at == visit]
    return progressed < (served[0] if served else visit.first_day)


def _counts(responses: Iterable[Response]) -> ResponseCounts:
    counted = Counter(responses)
    return ResponseCounts(**{response.value.lower(): counted[response] for response in ORDER})


def _rates(
    protocol: Protocol, responses: Iterable[Response], denominators: Mapping[Denominator, int]
) -> tuple[Rate, ...]:
    responders = sum(response in RESPONDERS for response in responses)
    return tuple(
        Rate(
            denominator=name,
            responders=responders,
            n=denominators[name],
            percent=percent(responders, denominators[name]),
            interval=exact_interval(responders, denominators[name]),
        )
        for name in protocol.response.denominators.value
    )


def _best(protocol: Protocol, courses: Sequence[Course], *, confirmed: bool) -> BestResponses:
    best = [best_overall_response(course.readings, protocol.response, confirmed=confirmed) for course in courses]
    evaluable = sum(any(each.counts is not Response.NE for each in course.assessed) for course in courses)
    denominators = {Denominator.INFUSED: len(courses), Denominator.RESPONSE_EVALUABLE: evaluable}
    return BestResponses(confirmed=confirmed, counts=_counts(best), rates=_rates(protocol, best, denominators))


def _participant(protocol: Protocol, course: Course) -> ParticipantResponse:
    readings = course.readings
    return ParticipantResponse(
        participant_id=course.participant.participant_id,
        subject_number=course.participant.subject_number,
        best=best_overall_response(readings, protocol.response, confirmed=False),
        best_confirmed=best_overall_response(readings, protocol.response, confirmed=True),
        progressed_on_day=course.progressed_on_day,
        contradiction="pr-after-cr" if contradicts_itself(readings) else None,
        assessments=tuple(
            AssessmentResponse(
                assessment_id=each.assessment_id,
                assessed_on=each.assessed_on,
                day=day,
                visit=None if visit is None else visit.code,
                response=each.counts,
                assigned=each.assigned,
                overridden=each.counts is not each.assigned,
            )
            for each, day, visit in zip(course.assessed, course.days, course.visits, strict=True)
        ),
    )
