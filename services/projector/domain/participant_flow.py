"""The flow of participants through the trial, as a CONSORT diagram counts it, in all and by dose level.

Source: CONSORT 2010, item 13, and its extension to dose-finding trials (CONSORT-DEFINE, BMJ 2023;383:e076387).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import ENDS_OF_FOLLOW_UP, in_order_of_dose
from services.projector.domain.figures import Figure
from services.projector.domain.screening_log import Screening, ScreeningOutcome
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.protocol import MeasureId, Protocol


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody who was enrolled, whether cells were infused, and every ending on record."""

    participant_id: UUID
    dose_level: str | None
    infused: bool
    status: ParticipantStatus
    endings: frozenset[ParticipantStatus]

    @property
    def in_follow_up(self) -> bool:
        return self.infused and self.endings.isdisjoint(ENDS_OF_FOLLOW_UP)


class Reason(Figure):
    """Why, and how many. One participant may be counted under several reasons."""

    reason: str
    n: int


class Analysed(Figure):
    """How many of those infused an outcome rests on."""

    outcome: MeasureId
    n: int


class Flow(Figure):
    """From enrolment on. One participant may be counted under several endings, as of who left treatment and died."""

    dose_level: str | None = Field(description="Null in the total, and of those enrolled without one")
    enrolled: int
    infused: int
    not_infused: tuple[Reason, ...] = Field(description="Where those stand who were enrolled and not infused")
    in_follow_up: int = Field(description="Infused, and no end of follow-up on record")
    off_treatment: int
    lost_to_follow_up: int
    withdrawn: int
    died: int
    completed: int
    analysed: tuple[Analysed, ...]


class ParticipantFlow(Figure):
    """Screened are people, screenings are counted apart: a re-screening is a second one of the same person."""

    screened: int
    screenings: int
    re_screened: int
    in_screening: int
    screen_failed: int = Field(description="Their last screening ended without enrolment, for whatever reason")
    screen_failures: tuple[Reason, ...] = Field(
        description="By criterion not met in the last screening, or by disposition (DSDECOD) where none was"
    )
    total: Flow
    by_dose_level: tuple[Flow, ...]


AWAITING_INFUSION = "awaiting-infusion"


def participant_flow(
    protocol: Protocol,
    log: Sequence[Screening],
    enrolled: Sequence[Enrolled],
    assessed: Mapping[MeasureId, Collection[UUID]],
) -> ParticipantFlow:
    """`assessed`: who has something after the infusion that an outcome counts."""
    last = {each.participant_id: each for each in log}
    failed = [each for each in last.values() if each.outcome not in _NOT_FAILED]
    levels = in_order_of_dose(protocol, (each.dose_level for each in enrolled))
    return ParticipantFlow(
        screened=len(last),
        screenings=len(log),
        re_screened=sum(each.attempt > 1 for each in last.values()),
        in_screening=sum(each.outcome is ScreeningOutcome.IN_SCREENING for each in last.values()),
        screen_failed=len(failed),
        screen_failures=_reasons(reason for each in failed for reason in _why(each)),
        total=_flow(protocol, None, enrolled, assessed),
        by_dose_level=tuple(
            _flow(protocol, level, [each for each in enrolled if each.dose_level == level], assessed)
            for level in levels
        ),
    )


_NOT_FAILED = (ScreeningOutcome.IN_SCREENING, ScreeningOutcome.ENROLLED)


def _why(screening: Screening) -> tuple[str, ...]:
    if screening.unmet:
        return screening.unmet
    return (screening.outcome.value if screening.disposition is None else screening.disposition.value,)


def _reasons(named: Iterable[str]) -> tuple[Reason, ...]:
    counted = sorted(Counter(named).items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Reason(reason=reason, n=n) for reason, n in counted)


def _flow(
    protocol: Protocol, level: str | None, people: Sequence[Enrolled], assessed: Mapping[MeasureId, Collection[UUID]]
) -> Flow:
    infused = {each.participant_id for each in people if each.infused}
    ended = Counter(ending for each in people for ending in each.endings)
    return Flow(
        dose_level=level,
        enrolled=len(people),
        infused=len(infused),
        not_infused=_reasons(_stands(each.status) for each in people if not each.infused),
        in_follow_up=sum(each.in_follow_up for each in people),
        off_treatment=ended[ParticipantStatus.OFF_TREATMENT],
        lost_to_follow_up=ended[ParticipantStatus.LOST_TO_FOLLOW_UP],
        withdrawn=ended[ParticipantStatus.WITHDRAWN],
        died=ended[ParticipantStatus.DIED],
        completed=ended[ParticipantStatus.COMPLETED],
        analysed=tuple(
            Analysed(outcome=each.id, n=len(infused.intersection(assessed[each.id])))
            for each in protocol.outcome_measures
        ),
    )


def _stands(status: ParticipantStatus) -> str:
    return AWAITING_INFUSION if status is ParticipantStatus.ENROLLED else status.value
