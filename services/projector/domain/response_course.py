"""Each participant's assessments after the infusion, in order of time, and what they amount to.

By one evaluator and one set of criteria. Only assessments after the infusion that the schedule counts from are part
of a course. What was read after the day on which a new anticancer therapy began stays in it, and counts for nothing:
it is no response to the product. Of that day itself the reading counts [D], since images are taken before a therapy.

Source: RECIST 1.1, section 4.4, and FDA 2018, Clinical Trial Endpoints: responses before new anticancer therapy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.projector.domain.cohort import Infused
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest
from shared.protocol import Assessment, Moment, Protocol, Visit
from shared.protocol.schedule import assign_visits, local_date
from shared.response.best_overall import BestResponse, BestResponseRule, best_overall_response
from shared.response.readings import Reading, contradiction, in_order, is_evaluable, progression, up_to_progression


@dataclass(frozen=True, slots=True)
class Assessed:
    """A standing assessment after baseline. `counts` is the response that counts, whoever decided it."""

    assessment_id: UUID
    participant_id: UUID
    assessed_on: str
    assigned: Response
    counts: Response


@dataclass(frozen=True, slots=True)
class Course:
    """One participant's assessments, each with its study day and the visit that it serves."""

    participant: Infused
    day_zero: date
    assessed: tuple[Assessed, ...]
    days: tuple[int, ...]
    visits: tuple[Visit | None, ...]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """One for each date, of those that count."""
        return in_order(Reading(each.assessed_on, each.counts) for each in self.counting)

    @property
    def new_therapy_day(self) -> int | None:
        """The study day on which a new anticancer therapy began: of a partial date the first, but none before day 0."""
        on = self.participant.new_therapy_on
        return None if on is None else max(self.day_of(on), 0)

    def counts_on(self, day: int) -> bool:
        """Whether what was read on a study day counts."""
        return self.new_therapy_day is None or day <= self.new_therapy_day

    @property
    def counting(self) -> tuple[Assessed, ...]:
        return tuple(each for day, each in zip(self.days, self.assessed, strict=True) if self.counts_on(day))

    @property
    def is_evaluable(self) -> bool:
        return any(is_evaluable(each.counts) for each in self.counting)

    @property
    def contradicts_itself(self) -> bool:
        return contradiction(up_to_progression(self.readings)) is not None

    @property
    def progressed_on_day(self) -> int | None:
        return self.progression_from(0)

    def progression_from(self, day: int) -> int | None:
        """The study day of the first progression on or after a day."""
        return self._progressed([each for each in self.readings if self.day_of(each.on) >= day])

    def progression_whatever_began(self, day: int) -> int | None:
        """The same, of all that was read: also after a new therapy."""
        everything = in_order(Reading(each.assessed_on, each.counts) for each in self.assessed)
        return self._progressed([each for each in everything if self.day_of(each.on) >= day])

    def _progressed(self, readings: Sequence[Reading]) -> int | None:
        found = progression(readings)
        return None if found is None else self.day_of(found.on)

    def day_of(self, on: str) -> int:
        """The study day of the first day that a date can mean."""
        return (earliest(on) - self.day_zero).days

    def best(self, rule: BestResponseRule) -> BestResponse:
        found = best_overall_response(self.readings, self.day_zero, rule)
        if len(self.counting) == len(self.assessed):
            return found
        therapy = f"What was read after the new anticancer therapy of {self.participant.new_therapy_on} does not count."
        return replace(found, explanation=f"{found.explanation} {therapy}")


def courses(protocol: Protocol, cohort: Iterable[Infused], assessed: Iterable[Assessed]) -> list[Course]:
    """The course of everybody infused, by subject number."""
    people = sorted(cohort, key=lambda participant: participant.order)
    by_participant: dict[UUID, list[Assessed]] = {each.participant_id: [] for each in people}
    for each in assessed:
        if each.participant_id in by_participant:
            by_participant[each.participant_id].append(each)
    return [_course(protocol, each, by_participant[each.participant_id]) for each in people]


def _course(protocol: Protocol, participant: Infused, assessed: Sequence[Assessed]) -> Course:
    dated = [(participant.moment_of(protocol, earliest(each.assessed_on)), each) for each in assessed]
    after = sorted(
        ((moment, each) for moment, each in dated if moment.after_infusion),
        key=lambda pair: (pair[0], pair[1].assessed_on, pair[1].assessment_id),
    )
    moments = [moment for moment, _ in after]
    course = Course(
        participant,
        local_date(protocol, participant.day_zero),
        tuple(each for _, each in after),
        tuple(moment.day for moment in moments),
        tuple(None for _ in after),
    )
    return replace(course, visits=_visits(protocol, course, moments))


def _visits(protocol: Protocol, course: Course, moments: Sequence[Moment]) -> tuple[Visit | None, ...]:
    """The visit that each assessment serves: one that counts, before one that does not."""
    counting = len(course.counting)
    first = assign_visits(protocol, Assessment.RESPONSE, moments[:counting])
    others = assign_visits(protocol, Assessment.RESPONSE, moments[counting:])
    return *first, *(None if visit in first else visit for visit in others)
