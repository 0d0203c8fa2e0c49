"""One episode of a toxicity as it stands on record: what its events, folded, amount to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from shared.contracts.safety import Outcome, Seriousness
from shared.contracts.safety_episodes import (
    MASKS_FEVER,
    AdverseEventNotFollowed,
    EpisodeEvent,
    Grades,
    Observation,
    ToxicityEpisodeEnded,
    ToxicityEpisodeOpened,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
    ToxicityObservationCorrected,
    ToxicityObservationRegraded,
    ToxicityObservationRetracted,
    ToxicityObserved,
    ToxicityTreated,
    ToxicityTreatmentRetracted,
)


@dataclass(frozen=True, slots=True)
class Unopened:
    """Nothing has been said under this id."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation that stands, with the grades it amounts to now."""

    number: int
    observed_at: datetime
    observation: Observation
    grades: Grades


@dataclass(frozen=True, slots=True)
class Ended:
    """When and how it was over."""

    at: datetime
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Course:
    """An episode. `seriousness` is what was last said of it; `problem` why its adverse event does not follow it."""

    opened: ToxicityEpisodeOpened
    seriousness: tuple[Seriousness, ...]
    observations: tuple[Observed, ...] = ()
    observed: int = 0
    treatments: tuple[ToxicityTreated, ...] = ()
    treated: int = 0
    ended: Ended | None = None
    problem: str | None = None

    @property
    def series(self) -> tuple[Observed, ...]:
        """The observations in order of time; of two at one instant the one entered first comes first."""
        return tuple(sorted(self.observations, key=lambda each: (each.observed_at, each.number)))

    @property
    def worst_astct(self) -> int | None:
        return _worst(each.grades.astct for each in self.observations)

    @property
    def worst_ctcae(self) -> int | None:
        return _worst(each.grades.ctcae for each in self.observations)

    def masked_at(self, at: datetime) -> bool:
        """Whether a drug that masks fever had been given by then."""
        return any(each.treatment in MASKS_FEVER and each.given_at <= at for each in self.treatments)

    def numbered(self, number: int) -> Observed | None:
        return next((each for each in self.observations if each.number == number), None)


@dataclass(frozen=True, slots=True)
class RetractedCourse:
    """An episode that should never have been opened, as it stood then, and why."""

    was: Course
    reason: str


State = Unopened | Course | RetractedCourse


def _worst(grades: Iterable[int | None]) -> int | None:
    return max((grade for grade in grades if grade is not None), default=None)


def evolve(state: State, event: EpisodeEvent) -> State:
    if isinstance(event, ToxicityEpisodeOpened):
        return Course(event, event.seriousness)
    match state:
        case Course():
            return _next(state, event)
        case Unopened() | RetractedCourse():
            return state
        case _:
            assert_never(state)


_Later = (
    ToxicityObserved
    | ToxicityObservationCorrected
    | ToxicityObservationRetracted
    | ToxicityObservationRegraded
    | ToxicityTreated
    | ToxicityTreatmentRetracted
    | ToxicityEpisodeEnded
    | ToxicityEpisodeReopened
    | ToxicityEpisodeRetracted
    | AdverseEventNotFollowed
)


def _next(course: Course, event: _Later) -> Course | RetractedCourse:
    after: Course | RetractedCourse
    match event:
        case ToxicityObserved() | ToxicityObservationCorrected() | ToxicityObservationRegraded():
            after = _observed(course, event)
        case ToxicityObservationRetracted(number=number):
            after = replace(course, observations=tuple(e for e in course.observations if e.number != number))
        case ToxicityTreated():
            after = replace(course, treatments=(*course.treatments, event), treated=event.number)
        case ToxicityTreatmentRetracted(number=number):
            after = replace(course, treatments=tuple(e for e in course.treatments if e.number != number))
        case ToxicityEpisodeEnded():
            after = replace(course, ended=Ended(event.ended_at, event.outcome))
        case ToxicityEpisodeReopened():
            after = replace(course, ended=None)
        case ToxicityEpisodeRetracted():
            after = RetractedCourse(course, event.reason)
        case AdverseEventNotFollowed():
            after = replace(course, problem=event.problem)
        case _:
            assert_never(event)
    return after


def _observed(
    course: Course, event: ToxicityObserved | ToxicityObservationCorrected | ToxicityObservationRegraded
) -> Course:
    match event:
        case ToxicityObserved():
            new = Observed(event.number, event.observed_at, event.observation, event.grades)
            told = course.seriousness if event.seriousness is None else event.seriousness
            return replace(course, observations=(*course.observations, new), observed=event.number, seriousness=told)
        case ToxicityObservationCorrected():
            right = Observed(event.number, event.observed_at, event.observation, event.grades)
            others = [right if each.number == event.number else each for each in course.observations]
        case ToxicityObservationRegraded():
            others = [
                replace(each, grades=event.grades) if each.number == event.number else each
                for each in course.observations
            ]
        case _:
            assert_never(event)
    return replace(course, observations=tuple(others))
