"""An episode's life: opened, observed, treated, put right, ended.

Every command proposes events; then each observation is graded anew, for one may change what a later one amounts to;
then the adverse event follows (`log`). Where it cannot, the episode says so: what was seen is recorded all the
same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from typing import assert_never

from services.safety.domain import causality
from services.safety.domain.episodes import log as episode_log
from services.safety.domain.episodes.commands import (
    Change,
    CorrectObservation,
    EndEpisode,
    EpisodeCommand,
    OpenEpisode,
    RecordObservation,
    RecordTreatment,
    ReopenEpisode,
    RetractEpisode,
    RetractObservation,
    RetractTreatment,
)
from services.safety.domain.episodes.grading import Facts, grades, regraded
from services.safety.domain.episodes.record import Course, Observed, RetractedCourse, State, Unopened, evolve
from shared.contracts.safety import ENDS, AdverseEventEvent, Outcome, Seriousness
from shared.contracts.safety_episodes import (
    AdverseEventNotFollowed,
    CrsObservation,
    EpisodeEvent,
    OxygenDevice,
    ToxicityEpisodeEnded,
    ToxicityEpisodeOpened,
    ToxicityEpisodeReopened,
    ToxicityEpisodeRetracted,
    ToxicityObservationCorrected,
    ToxicityObservationRetracted,
    ToxicityObserved,
    ToxicityTreated,
    ToxicityTreatmentRetracted,
)
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.decider import Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound, TrialError, Unacceptable

ROOM_AIR_PERCENT = 21  # of oxygen


class NoSuchEpisode(NotFound):
    """No episode has this id, or none at the caller's sites."""


class EpisodeAlreadyOpened(AlreadyExists):
    """Another content is on record under this id."""


class EpisodeAlreadyRetracted(Conflict):
    """The episode was retracted: nothing more can be said about it."""


class EpisodeAlreadyEnded(Conflict):
    """The episode has ended on record; reopen it if that is wrong, or open a new one."""


class NothingToOpen(Unacceptable):
    """The first observation is graded 0 by both scales: that is no episode of this toxicity."""


class OfAnotherKind(Unacceptable):
    """An observation is of the kind of its episode."""


class OxygenOnRoomAir(Unacceptable):
    """Who breathes room air gets no oxygen: without a device named, the grade would be too low."""


class NoSuchEntry(Unacceptable):
    """The episode has no such observation or treatment, or it was retracted."""


class TimesContradict(Unacceptable):
    """Two instants cannot both be true, or one lies in the future. The message names them."""


class NotAnEndOfAnEpisode(Unacceptable):
    """An episode ends with recovery; a death from it is an observation."""


def decide(command: EpisodeCommand, state: State, facts: Facts) -> list[EpisodeEvent]:
    proposed = [*_propose(command, state, facts)]
    if not proposed:
        return []
    proposed += _consequences(command, reduce(evolve, proposed, state), facts)
    try:
        followed(command, state, proposed, facts)
    except TrialError as problem:
        if not isinstance(state, Course):
            raise  # nothing was seen before: the opening itself is at fault
        proposed.append(_not_followed(state, problem))
    return proposed


def followed(
    command: EpisodeCommand, state: State, decided: Sequence[EpisodeEvent], facts: Facts
) -> list[AdverseEventEvent]:
    """The events of the adverse event that follow from what was decided about its episode.

    Raises:
        TrialError: the adverse event cannot take it.
    """
    after = reduce(evolve, decided, state)
    if isinstance(after, Unopened):
        return []
    before = state if isinstance(state, Course) else None
    return episode_log.follow(before, after, facts, command.stated_reason)


def _propose(command: EpisodeCommand, state: State, facts: Facts) -> Sequence[EpisodeEvent]:
    match state:
        case Unopened():
            if isinstance(command, OpenEpisode):
                return _opened(command, facts)
            raise NoSuchEpisode("no episode has this id")
        case Course():
            if isinstance(command, OpenEpisode):
                return _again(command, state, facts)
            return _change(command, state, facts)
        case RetractedCourse():
            if isinstance(command, RetractEpisode):
                return []
            raise EpisodeAlreadyRetracted("this episode was retracted; if it did happen, open another")
        case _:
            assert_never(state)


def _opening(command: OpenEpisode, facts: Facts) -> ToxicityEpisodeOpened:
    return ToxicityEpisodeOpened(
        episode_id=command.episode_id,
        participant_id=command.participant_id,
        adverse_event_id=episode_log.adverse_event_of(command.episode_id),
        kind=command.kind,
        onset=command.onset,
        became_aware_at=command.became_aware_at,
        developmental_delay=command.developmental_delay,
        delay_reason=command.delay_reason,
        seriousness=tuple(sorted(command.seriousness)),
        causality=causality.opinions(command.causality, facts.general.agents),
        protocol=facts.general.protocol.ref,
    )


def _opened(command: OpenEpisode, facts: Facts) -> Sequence[EpisodeEvent]:
    opened = _opening(command, facts)
    course = Course(opened, opened.seriousness)
    _check_time("became_aware_at", command.became_aware_at, course, facts)
    seen = RecordObservation(observed_at=command.observed_at, observation=command.observation)
    first = _observed(seen, course, facts)
    if (first.grades.astct, first.grades.ctcae) == (0, 0):
        raise NothingToOpen(f"the first observation is no episode. {first.grades.explanation}")
    return [opened, first]


def _again(command: OpenEpisode, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    opened = _opening(command, facts)
    same_protocol = {"protocol": course.opened.protocol}
    recorded = course.numbered(1)
    same_observation = recorded is not None and (recorded.observed_at, recorded.observation) == (
        command.observed_at,
        command.observation,
    )
    if same_observation and opened.model_copy(update=same_protocol) == course.opened:
        return []
    raise EpisodeAlreadyOpened("this id is on record with another episode; correct that one, or take a new id")


def _change(command: Change, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    events: Sequence[EpisodeEvent]
    match command:
        case RecordObservation():
            events = _recorded(command, course, facts)
        case CorrectObservation():
            events = _corrected(command, course, facts)
        case RetractObservation():
            events = [_retracted_observation(command, course)]
        case RecordTreatment():
            events = _treated(command, course, facts)
        case RetractTreatment():
            events = [_retracted_treatment(command, course)]
        case EndEpisode():
            events = _ended(command, course, facts)
        case ReopenEpisode():
            events = _reopened(command, course)
        case RetractEpisode():
            events = [ToxicityEpisodeRetracted(**_of(course), reason=command.reason)]
        case _:
            assert_never(command)
    return events


def _of(course: Course) -> dict[str, object]:
    return {"episode_id": course.opened.episode_id, "participant_id": course.opened.participant_id}


def _recorded(command: RecordObservation, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    told = (command.observed_at, command.observation)
    news = _criteria(command) not in {None, course.seriousness}
    if not news and told in {(each.observed_at, each.observation) for each in course.observations}:
        return []
    return [_observed(command, course, facts)]


def _observed(command: RecordObservation, course: Course, facts: Facts) -> ToxicityObserved:
    number = course.observed + 1
    _check_observation(command, course, facts)
    return ToxicityObserved(
        **_of(course),
        number=number,
        observed_at=command.observed_at,
        observation=command.observation,
        grades=grades(course, command.observed_at, command.observation, number, facts),
        seriousness=_criteria(command),
        protocol=facts.general.protocol.ref,
    )


def _criteria(command: RecordObservation) -> tuple[Seriousness, ...] | None:
    return None if command.seriousness is None else tuple(sorted(set(command.seriousness)))


def _corrected(command: CorrectObservation, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    entry = _entry(course, command.number)
    if (entry.observed_at, entry.observation) == (command.observed_at, command.observation):
        return []
    _check_observation(command, course, facts)
    return [
        ToxicityObservationCorrected(
            **_of(course),
            number=command.number,
            observed_at=command.observed_at,
            observation=command.observation,
            grades=grades(course, command.observed_at, command.observation, command.number, facts),
            reason=command.reason,
            protocol=facts.general.protocol.ref,
        )
    ]


def _entry(course: Course, number: int) -> Observed:
    entry = course.numbered(number)
    if entry is None:
        raise NoSuchEntry(f"the episode has no observation {number}, or it was retracted")
    return entry


def _check_observation(command: RecordObservation | CorrectObservation, course: Course, facts: Facts) -> None:
    if command.observation.kind != course.opened.kind:
        raise OfAnotherKind(f"this is an episode of {course.opened.kind}, not of {command.observation.kind}")
    if isinstance(command.observation, CrsObservation):
        _check_oxygen(command.observation)
    _check_time("observed_at", command.observed_at, course, facts)
    if course.ended is not None and course.ended.outcome is not Outcome.FATAL and command.observed_at > course.ended.at:
        raise EpisodeAlreadyEnded("the episode ended before this observation; reopen it if it goes on")


def _check_oxygen(seen: CrsObservation) -> None:
    given = (seen.flow_l_per_min or 0) > 0 or (seen.fio2_percent or 0) > ROOM_AIR_PERCENT
    if seen.oxygen_device is OxygenDevice.ROOM_AIR and given:
        raise OxygenOnRoomAir(
            "room-air comes with no flow and an FiO2 of at most 21 %: name the device that gives the oxygen"
        )


def _check_time(name: str, at: datetime, course: Course, facts: Facts) -> None:
    if at > facts.general.now + CLOCK_SKEW:
        raise TimesContradict(f"{name} lies in the future")
    if at < course.opened.onset:
        raise TimesContradict(f"{name} lies before the onset of the episode")


def _retracted_observation(command: RetractObservation, course: Course) -> ToxicityObservationRetracted:
    entry = _entry(course, command.number)
    return ToxicityObservationRetracted(**_of(course), number=entry.number, reason=command.reason)


def _treated(command: RecordTreatment, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    _check_time("given_at", command.given_at, course, facts)
    given = ToxicityTreated(**_of(course), number=course.treated + 1, **command.model_dump())
    numbered_alike = {each.model_copy(update={"number": given.number}) for each in course.treatments}
    return [] if given in numbered_alike else [given]


def _retracted_treatment(command: RetractTreatment, course: Course) -> ToxicityTreatmentRetracted:
    if command.number not in {each.number for each in course.treatments}:
        raise NoSuchEntry(f"the episode has no treatment {command.number}, or it was retracted")
    return ToxicityTreatmentRetracted(**_of(course), number=command.number, reason=command.reason)


def _ended(command: EndEpisode, course: Course, facts: Facts) -> Sequence[EpisodeEvent]:
    if command.outcome not in ENDS - {Outcome.FATAL}:
        raise NotAnEndOfAnEpisode("an episode ends as recovered or recovered-with-sequelae; a death is observed")
    if course.ended is not None:
        if (course.ended.at, course.ended.outcome) == (command.ended_at, command.outcome):
            return []
        raise EpisodeAlreadyEnded(f"the episode is on record as {course.ended.outcome}; reopen it if that is wrong")
    _check_time("ended_at", command.ended_at, course, facts)
    if any(each.observed_at > command.ended_at for each in course.observations):
        raise TimesContradict("ended_at lies before an observation of the episode")
    return [ToxicityEpisodeEnded(**_of(course), ended_at=command.ended_at, outcome=command.outcome)]


def _reopened(command: ReopenEpisode, course: Course) -> Sequence[EpisodeEvent]:
    if course.ended is None:
        return []
    if course.ended.outcome is Outcome.FATAL:
        raise EpisodeAlreadyEnded("the episode ended with an observed death; correct that observation if it is wrong")
    return [ToxicityEpisodeReopened(**_of(course), reason=command.reason)]


def _consequences(command: EpisodeCommand, after: State, facts: Facts) -> Iterator[EpisodeEvent]:
    """What else follows: other grades of other observations, and the end that a death is."""
    if not isinstance(after, Course):
        return
    yield from regraded(after, facts)
    yield from _death(command, after)


def _death(command: EpisodeCommand, course: Course) -> Iterator[EpisodeEvent]:
    """A death is told by its observation alone, which no other observation regrades."""
    died_at = next((each.observed_at for each in course.series if each.grades.ctcae == episode_log.DEATH), None)
    recorded = course.ended.at if course.ended is not None and course.ended.outcome is Outcome.FATAL else None
    if died_at == recorded:
        return
    if died_at is None:
        yield ToxicityEpisodeReopened(**_of(course), reason=command.stated_reason or episode_log.ENTERED_LATE)
    else:
        yield ToxicityEpisodeEnded(**_of(course), ended_at=died_at, outcome=Outcome.FATAL)


def _not_followed(course: Course, problem: TrialError) -> AdverseEventNotFollowed:
    event_id = course.opened.adverse_event_id
    return AdverseEventNotFollowed(**_of(course), adverse_event_id=event_id, problem=problem.code)


DECIDER: Decider[EpisodeCommand, State, Facts, EpisodeEvent] = Decider(
    category="toxicity-episode", initial=Unopened(), evolve=evolve, decide=decide
)
