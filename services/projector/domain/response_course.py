"""Each participant's assessments after the infusion, in order of time, and what they amount to.

By one evaluator and one set of criteria. Only assessments after the infusion that the schedule counts from are part
of a course.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.projector.domain.cohort import Infused
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest
from shared.protocol import Assessment, Protocol, Visit
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
        """One for each date."""
        return in_order(Reading(each.assessed_on, each.counts) for each in self.assessed)

    @property
    def is_evaluable(self) -> bool:
        return any(is_evaluable(each.counts) for each in self.assessed)

    @property
    def contradicts_itself(self) -> bool:
        return contradiction(up_to_progression(self.readings)) is not None

    @property
    def progressed_on_day(self) -> int | None:
        return self.progression_from(0)

    def progression_from(self, day: int) -> int | None:
        """The study day of the first progression on or after a day."""
        found = progression([each for each in self.readings if self.day_of(each.on) >= day])
        return None if found is None else self.day_of(found.on)

    def day_of(self, on: str) -> int:
        """The study day of the first day that a date can mean."""
        return (earliest(on) - self.day_zero).days

    def best(self, rule: BestResponseRule) -> BestResponse:
        return best_overall_response(self.readings, self.day_zero, rule)


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
    return Course(
        participant,
        local_date(protocol, participant.day_zero),
        tuple(each for _, each in after),
        tuple(moment.day for moment in moments),
        assign_visits(protocol, Assessment.RESPONSE, moments),
    )
