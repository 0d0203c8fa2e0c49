"""How the measured tumour of each participant changed since baseline, in percent of the criteria's sum.

An assessment has no change where a target was not assessed or none was measured at baseline: missing is never zero.
The best change is the lowest percentage (the largest decrease, or the smallest increase) up to and with the first
progression, and up to and with the day on which a new anticancer therapy began, as the best overall response counts
nothing after either.

Source: RECIST 1.1, section 4.3.1 (sums over baseline); the change is the one on record with each response.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.projector.domain.cohort import Infused
from services.projector.domain.response_rate import ParticipantResponse, ResponseRates
from shared.contracts.efficacy_terms import Response
from shared.contracts.terms import earliest
from shared.protocol import Protocol
from shared.protocol.schedule import study_day


@dataclass(frozen=True, slots=True)
class SumChange:
    """The change of the sum at one assessment, in percent of the baseline's, which was read on `baseline_on`."""

    percent: Decimal
    baseline_on: str


@dataclass(frozen=True, slots=True)
class ChangeAt:
    """The change on one study day, and the response that counts there."""

    day: int
    percent: Decimal
    response: Response


@dataclass(frozen=True, slots=True)
class ChangeCourse:
    """One participant's changes in order of time, and the best overall response, which may say that there is none.

    `baseline_day` None: there is no change to compare.
    """

    subject_number: str
    best: str
    progressed_on_day: int | None
    baseline_day: int | None
    changes: tuple[ChangeAt, ...]
    new_therapy_day: int | None = None

    @property
    def best_change(self) -> ChangeAt | None:
        """The lowest percentage that counts, the first of equal ones; None: none counts."""
        last = min((day for day in (self.progressed_on_day, self.new_therapy_day) if day is not None), default=None)
        counting = [each for each in self.changes if last is None or each.day <= last]
        return min(counting, key=lambda each: (each.percent, each.day), default=None)


def change_courses(
    protocol: Protocol, cohort: Iterable[Infused], rates: ResponseRates, changes: Mapping[UUID, SumChange]
) -> list[ChangeCourse]:
    """Everybody infused, by subject number, with the changes of their assessments after the infusion."""
    day_zero = {each.participant_id: each for each in cohort}
    return [_course(protocol, day_zero[who.participant_id], who, changes) for who in rates.participants]


def best_response(protocol: Protocol, who: ParticipantResponse) -> str:
    """The best overall response by the protocol's rule: with or without confirmation."""
    return str(who.best_confirmed if protocol.response.confirmation.value else who.best)


def _course(
    protocol: Protocol, infused: Infused, who: ParticipantResponse, changes: Mapping[UUID, SumChange]
) -> ChangeCourse:
    known = [(each, changes[each.assessment_id]) for each in who.assessments if each.assessment_id in changes]
    baselines = [study_day(protocol, earliest(change.baseline_on), infused.day_zero) for _, change in known]
    return ChangeCourse(
        subject_number=who.subject_number,
        best=best_response(protocol, who),
        progressed_on_day=who.progressed_on_day,
        baseline_day=min(baselines, default=None),
        changes=tuple(ChangeAt(each.day, change.percent, each.response) for each, change in known),
        new_therapy_day=who.new_therapy_day,
    )


def waterfall_order(courses: Iterable[ChangeCourse]) -> list[tuple[ChangeCourse, ChangeAt]]:
    """Those with a best change, from the largest increase to the largest decrease; equal ones by subject number."""
    found = [(each, each.best_change) for each in courses]
    measured = [(course, change) for course, change in found if change is not None]
    return sorted(measured, key=lambda pair: (-pair[1].percent, pair[0].subject_number))


@dataclass(frozen=True, slots=True)
class Limit:
    """A change from which the criteria call the measured tumour responding or progressing."""

    response: Response
    percent: Decimal
    strict: bool
    reference: str

    @property
    def words(self) -> str:
        """As people say it: `below -50 %`, `25 % or more over nadir`."""
        size = format(abs(self.percent).normalize(), "f")
        if self.response is Response.PR:
            return f"below -{size} %" if self.strict else f"-{size} % or less"
        over = f" over {self.reference}"
        return f"above +{size} %{over}" if self.strict else f"+{size} % or more{over}"


def limits(protocol: Protocol) -> Sequence[Limit]:
    """The limits of partial response and of progression that the protocol sets, progression first."""
    rule = protocol.response
    return (
        Limit(Response.PD, rule.pd_increase_percent.value, rule.pd_strict.value, rule.pd_reference.value),
        Limit(Response.PR, -rule.pr_decrease_percent.value, rule.pr_strict.value, rule.pr_reference.value),
    )
