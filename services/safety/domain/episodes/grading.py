"""What each observation of an episode amounts to: ASTCT's grade and CTCAE's, from it and what came before it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from services.safety.domain import adverse_event, record
from services.safety.domain.age import age_in_years
from services.safety.domain.astct import crs, crs_observed, icans, iec_hs
from services.safety.domain.astct.icans import IcansFindings
from services.safety.domain.astct.scale import Graded
from services.safety.domain.episodes.record import Course, Observed
from shared.contracts.safety_episodes import (
    CrsObservation,
    Grades,
    IcansObservation,
    IecHsObservation,
    Observation,
    ToxicityObservationRegraded,
)
from shared.protocol.car_t_toxicity import AgeCounted, CarTToxicity

RULE = "ASTCT 2019, CTCAE 5.0"
IEC_HS_RULE = "Physician's judgement, CTCAE 5.0 generic scale"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision about an episode needs beside the command and the record.

    `general` is what any decision of safety needs; `adverse_event` is the record that follows the episode.
    `birth_month` None: not known here.
    """

    general: adverse_event.Facts
    birth_month: str | None
    adverse_event: record.State

    @property
    def choices(self) -> CarTToxicity:
        return self.general.protocol.car_t_toxicity

    def day(self, at: datetime) -> date:
        """The date at the site."""
        return at.astimezone(self.general.zone).date()


def grades(course: Course, observed_at: datetime, observation: Observation, number: int, facts: Facts) -> Grades:
    """The grades of an observation within its episode; `number` is its place among those of the same instant."""
    match observation:
        case CrsObservation():
            earlier = [each.observation for each in _before(course, observed_at, number)]
            return _crs(course, observed_at, observation, [e for e in earlier if isinstance(e, CrsObservation)], facts)
        case IcansObservation():
            return _icans(course, observed_at, observation, facts)
        case IecHsObservation():
            found = iec_hs.graded(observation)
            return _grades(found, found, IEC_HS_RULE)
        case _:
            assert_never(observation)


def regraded(course: Course, facts: Facts) -> Iterator[ToxicityObservationRegraded]:
    """The observations that amount to something else than is on record, now that others have changed."""
    for each in course.series:
        now = grades(course, each.observed_at, each.observation, each.number, facts)
        if (now.astct, now.ctcae) != (each.grades.astct, each.grades.ctcae):
            yield ToxicityObservationRegraded(
                episode_id=course.opened.episode_id,
                participant_id=course.opened.participant_id,
                number=each.number,
                previous=each.grades,
                grades=now,
                protocol=facts.general.protocol.ref,
            )


def _before(course: Course, observed_at: datetime, number: int) -> Iterator[Observed]:
    others = (each for each in course.series if each.number != number)
    return (each for each in others if (each.observed_at, each.number) < (observed_at, number))


def _crs(
    course: Course, observed_at: datetime, seen: CrsObservation, earlier: Sequence[CrsObservation], facts: Facts
) -> Grades:
    found = crs_observed.findings(seen, earlier, drug_before=course.masked_at(observed_at))
    from_fio2 = facts.choices.crs_life_threatening_fio2_percent.value
    return _grades(crs.astct(found), crs.ctcae(found, from_fio2), RULE)


def _icans(course: Course, observed_at: datetime, seen: IcansObservation, facts: Facts) -> Grades:
    counted = facts.choices.age_counted.value
    at = course.opened.onset if counted is AgeCounted.AT_ONSET else observed_at
    found = IcansFindings(
        age_years=None if facts.birth_month is None else age_in_years(facts.birth_month, facts.day(at)),
        developmental_delay=course.opened.developmental_delay,
        **seen.model_dump(exclude={"kind"}),
    )
    from_age = facts.choices.ice_from_age_years.value
    return _grades(icans.astct(found, from_age), icans.ctcae(found, from_age), RULE)


def _grades(astct: Graded, ctcae: Graded, rule: str) -> Grades:
    told = dict.fromkeys([astct.explanation, ctcae.explanation])
    return Grades(
        astct=astct.grade,
        ctcae=ctcae.grade,
        explanation=" ".join(told),
        missing=tuple(dict.fromkeys([*astct.missing, *ctcae.missing])),
        rule=rule,
    )
