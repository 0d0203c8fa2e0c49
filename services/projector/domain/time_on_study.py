"""How long each participant has been on study since the infusion, and what happened on the way.

Time on study runs from the first infusion to the end of follow-up, or to today while it goes on. Days are study days:
day 0 is the infusion that the schedule counts from. A serious adverse event is marked where it emerged under
treatment: on the first day that its onset can mean, but not before the infusion. So is the first new anticancer
therapy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.projector.domain.cohort import ENDS_OF_FOLLOW_UP, Infused
from services.projector.domain.response_rate import ParticipantResponse
from shared.contracts.efficacy_terms import Response
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.safety import GradeSince
from shared.contracts.terms import earliest, latest
from shared.protocol import Protocol
from shared.protocol.schedule import study_day


class Milestone(StrEnum):
    """What is marked on a participant's time, beside the responses."""

    INFUSION = "Infusion"
    SERIOUS_ADVERSE_EVENT = "Serious adverse event"
    NEW_THERAPY = "New anticancer therapy"
    DEATH = "Death"
    LEFT = "Left the study"
    COMPLETED = "Follow-up completed"
    ON_STUDY = "Still on study"


ENDS = {
    ParticipantStatus.DIED: Milestone.DEATH,
    ParticipantStatus.WITHDRAWN: Milestone.LEFT,
    ParticipantStatus.LOST_TO_FOLLOW_UP: Milestone.LEFT,
    ParticipantStatus.COMPLETED: Milestone.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class SeriousEvent:
    """A standing serious adverse event with its history of grades, in order of time."""

    term: str
    grades: tuple[GradeSince, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """What is on record about one participant: when cells were infused, how it ended, serious events, responses."""

    infused: Infused
    responses: ParticipantResponse
    infusions: Sequence[datetime] = ()
    endings: Mapping[ParticipantStatus, str | None] = field(default_factory=dict)
    serious: Sequence[SeriousEvent] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a study day."""

    day: int
    kind: Milestone | Response
    what: str


@dataclass(frozen=True, slots=True)
class TimeOnStudy:
    """One participant's time, in study days, and the marks on it in order of time."""

    subject_number: str
    begins: int
    ends: int
    ongoing: bool
    marks: tuple[Mark, ...]

    def counts(self, kind: Milestone) -> int:
        return sum(each.kind is kind for each in self.marks)


def times_on_study(protocol: Protocol, everybody: Iterable[Followed], today: date) -> list[TimeOnStudy]:
    """Everybody infused, the longest on study first; of equal ones by subject number."""
    times = [_time(protocol, who, today) for who in everybody]
    return sorted(times, key=lambda each: (each.begins - each.ends, each.subject_number))


def _time(protocol: Protocol, who: Followed, today: date) -> TimeOnStudy:
    begins = study_day(protocol, who.infused.first_infused_at, who.infused.day_zero)
    return TimeOnStudy(
        subject_number=who.infused.subject_number,
        begins=begins,
        ends=max(who.infused.last_day(protocol, today), begins),
        ongoing=who.infused.followed_until is None,
        marks=tuple(sorted(_marks(protocol, who, today), key=lambda each: each.day)),
    )


def _marks(protocol: Protocol, who: Followed, today: date) -> Iterator[Mark]:
    day_zero = who.infused.day_zero
    for number, started_at in enumerate(who.infusions, start=1):
        yield Mark(study_day(protocol, started_at, day_zero), Milestone.INFUSION, f"infusion {number}")
    for each in who.responses.assessments:
        yield Mark(each.day, each.response, f"response {each.response.value}")
    for event in who.serious:
        on = _emerged_on(event, who.infused.infused_on(protocol))
        if on is not None:
            yield Mark(study_day(protocol, on, day_zero), Milestone.SERIOUS_ADVERSE_EVENT, event.term)
    if who.responses.new_therapy_day is not None:
        yield Mark(who.responses.new_therapy_day, Milestone.NEW_THERAPY, "new anticancer therapy")
    for milestone, on in _endings(who):
        yield Mark(study_day(protocol, on, day_zero), milestone, milestone.value.lower())
    if who.infused.followed_until is None:
        yield Mark(who.infused.last_day(protocol, today), Milestone.ON_STUDY, "still on study")


def _emerged_on(event: SeriousEvent, infused_on: date) -> date | None:
    """The first day on which an event was, or became, worse than before the infusion; None: it never did."""
    worst = 0
    for entry in event.grades:
        if entry.grade > worst:
            worst = entry.grade
            if latest(entry.since) >= infused_on:
                return max(earliest(entry.since), infused_on)
    return None


def _endings(who: Followed) -> Iterator[tuple[Milestone, date]]:
    """What ended follow-up, and a death that became known after it."""
    dated = [(earliest(on), status) for status, on in who.endings.items() if on and status in ENDS_OF_FOLLOW_UP]
    ordered = sorted(dated, key=lambda pair: (pair[0], pair[1] is not ParticipantStatus.DIED))
    for place, (on, status) in enumerate(ordered):
        if place == 0 or status is ParticipantStatus.DIED:
            yield ENDS[status], on
