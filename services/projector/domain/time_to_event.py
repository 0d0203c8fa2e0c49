"""When an event ended a participant's time, or when the participant was censored, and why. In study days.

Time begins on study day 0; that of a response on the day of the first response that counts. Dates known to the month
or year alone are taken on the first day that they can mean; a death, not before the last day known alive.

- Progression-free survival (PFS) ends with the first progression or death of any cause. Without either it is censored
  at the last assessment that could be evaluated; so it is where the event came after as many scheduled assessments
  were missed in a row as the protocol says, and on day 0 where there is no baseline assessment.
  Where a new anticancer therapy began before the event it is censored at the last such assessment up to that day;
  by the protocol's setting the therapy may be an event itself, on the day on which it began, or count for nothing.
- Duration of response (DOR), of those with an objective response, ends and is censored as PFS is.
- Time to response (TTR), of the same, ends with the first response; nobody is censored.
- Overall survival (OS) ends with death of any cause, and is censored at the last day known alive, or where follow-up
  goes on at the cut-off, as the protocol says.
  New anticancer therapy neither ends nor censors it.

Source: FDA 2018, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics; settings `endpoints` of the
protocol. Progression by iRECIST is dated as `shared.response.readings.progression` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.projector.domain.response_course import Course
from shared.contracts.terms import earliest, latest
from shared.protocol import Assessment, Protocol
from shared.protocol.endpoints import NewTherapy, SurvivalCensoring
from shared.response.best_overall import BestResponseRule
from shared.response.readings import is_disease_control


class SurvivalEndpoint(StrEnum):
    """What is timed."""

    PROGRESSION_FREE_SURVIVAL = "pfs"
    OVERALL_SURVIVAL = "os"
    DURATION_OF_RESPONSE = "dor"
    TIME_TO_RESPONSE = "ttr"


class Ending(StrEnum):
    """What ended the time: the first four are events, the others censor it."""

    PROGRESSION = "progression"
    DEATH = "death"
    RESPONSE = "response"
    NEW_THERAPY = "new-anticancer-therapy"  # where the protocol calls it an event
    BEFORE_NEW_THERAPY = "before-new-anticancer-therapy"  # at the last assessment before it
    LAST_ASSESSMENT = "last-assessment"
    NO_ASSESSMENT = "no-assessment"  # none after the infusion that could be evaluated
    MISSED_ASSESSMENTS = "missed-assessments"
    NO_BASELINE = "no-baseline"
    LAST_KNOWN_ALIVE = "last-known-alive"
    DATA_CUT_OFF = "data-cut-off"


EVENTS = frozenset({Ending.PROGRESSION, Ending.DEATH, Ending.RESPONSE, Ending.NEW_THERAPY})


@dataclass(frozen=True, slots=True)
class Followed:
    """What is on record of one participant. `alive_on` are days on which the participant was seen or heard of."""

    course: Course
    has_baseline: bool
    died_on: str | None = None
    alive_on: Sequence[date] = ()

    @property
    def day_zero(self) -> date:
        return self.course.day_zero

    def last_alive(self, today: date) -> int:
        """The last study day on which the participant was known to be alive: the infusion's, if none is later."""
        known = [on for on in (self.day_zero, *self.alive_on) if on <= today]
        if self.died_on is not None:
            known = [on for on in known if on <= latest(self.died_on)]
        return max(((on - self.day_zero).days for on in known), default=0)

    def died_on_day(self, today: date) -> int | None:
        if self.died_on is None:
            return None
        first = (earliest(self.died_on) - self.day_zero).days
        return max(first, self.last_alive(today))


@dataclass(frozen=True, slots=True)
class Timed:
    """The time of one participant, by the study days on which it began and ended."""

    from_day: int
    until_day: int
    ending: Ending

    @property
    def days(self) -> int:
        return self.until_day - self.from_day

    @property
    def event(self) -> bool:
        return self.ending in EVENTS


def timed(
    protocol: Protocol, endpoint: SurvivalEndpoint, followed: Followed, *, confirmed: bool, today: date
) -> Timed | None:
    """None: the participant is not in the analysis, having had no response."""
    match endpoint:
        case SurvivalEndpoint.OVERALL_SURVIVAL:
            return _overall(protocol, followed, today)
        case SurvivalEndpoint.PROGRESSION_FREE_SURVIVAL:
            return _progression_free(protocol, followed, today, from_day=0)
        case _:
            responded = _first_response_day(protocol, followed.course, confirmed=confirmed)
            if responded is None:
                return None
            if endpoint is SurvivalEndpoint.TIME_TO_RESPONSE:
                return Timed(0, responded, Ending.RESPONSE)
            return _progression_free(protocol, followed, today, from_day=responded)


def _first_response_day(protocol: Protocol, course: Course, *, confirmed: bool) -> int | None:
    on = course.best(BestResponseRule.of(protocol, confirmed=confirmed)).first_response_on
    return None if on is None else course.day_of(on)


def _overall(protocol: Protocol, followed: Followed, today: date) -> Timed:
    died = followed.died_on_day(today)
    if died is not None:
        return Timed(0, died, Ending.DEATH)
    until = followed.course.participant.followed_until
    if until is None and protocol.endpoints.overall_survival_censored_at.value is SurvivalCensoring.DATA_CUT_OFF:
        return Timed(0, (today - followed.day_zero).days, Ending.DATA_CUT_OFF)
    return Timed(0, followed.last_alive(today), Ending.LAST_KNOWN_ALIVE)


def _progression_free(protocol: Protocol, followed: Followed, today: date, *, from_day: int) -> Timed:
    if protocol.endpoints.without_baseline_censored.value and not followed.has_baseline:
        return Timed(from_day, from_day, Ending.NO_BASELINE)
    event, therapy = _first_event(protocol, followed, today, from_day), _therapy_day(protocol, followed.course)
    censored = therapy is not None and (event is None or therapy < event[0])
    until = therapy if censored else None if event is None else event[0]
    adequate = _adequate_days(followed.course, until=until)
    last = max([from_day, *adequate])  # an assessment dated after the death is a slip
    if censored:
        return Timed(from_day, last, Ending.BEFORE_NEW_THERAPY)
    if event is None:
        return Timed(from_day, last, Ending.LAST_ASSESSMENT if adequate else Ending.NO_ASSESSMENT)
    day, ending = event
    if _missed_too_many(protocol, last, day):
        return Timed(from_day, last, Ending.MISSED_ASSESSMENTS)
    return Timed(from_day, max(from_day, day), ending)


def _therapy_day(protocol: Protocol, course: Course) -> int | None:
    """The day on which a new therapy began that censors; None: there is none."""
    censors = protocol.endpoints.new_anticancer_therapy.value is NewTherapy.CENSORS
    return course.new_therapy_day if censors else None


def _first_event(protocol: Protocol, followed: Followed, today: date, from_day: int) -> tuple[int, Ending] | None:
    """The earliest; of one day progression, then death."""
    course, therapy = followed.course, protocol.endpoints.new_anticancer_therapy.value
    ignored = therapy is NewTherapy.IS_IGNORED
    days = {
        Ending.PROGRESSION: course.progression_whatever_began(from_day)
        if ignored
        else course.progression_from(from_day),
        Ending.DEATH: followed.died_on_day(today),
        Ending.NEW_THERAPY: course.new_therapy_day if therapy is NewTherapy.IS_EVENT else None,
    }
    known = [(day, ending) for ending, day in days.items() if day is not None]
    return min(known, key=lambda each: each[0], default=None)


def _adequate_days(course: Course, *, until: int | None) -> list[int]:
    """The days of assessments that could be evaluated and showed no progression, up to the event."""
    return [
        day
        for day, each in zip(course.days, course.assessed, strict=True)
        if is_disease_control(each.counts) and (until is None or day <= until)
    ]


def _missed_too_many(protocol: Protocol, after: int, event: int) -> bool:
    """Whether so many windows of scheduled assessments lie between the last assessment and the event."""
    allowed = protocol.endpoints.missed_assessments.value
    missed = sum(
        visit.first_day > after and visit.last_day < event for visit in protocol.visits_for(Assessment.RESPONSE)
    )
    return allowed is not None and missed >= allowed
