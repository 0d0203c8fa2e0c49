"""A toxicity as the rules see it: grades over time, whatever record they were read from.

The dates of an adverse event are known to the day at best, so a moment is a span of time within which it lies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from services.safety.domain.episodes.record import Course
from services.safety.domain.record import OnRecord
from shared.contracts.safety import ENDS, Outcome
from shared.contracts.safety_dose_limiting import ToxicityKind, ToxicitySource
from shared.contracts.safety_episodes import EpisodeKind
from shared.contracts.terms import earliest, latest
from shared.protocol.dose_limiting_status import midnight

_ANY_DAY = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """Somewhere from one instant up to another."""

    from_: datetime
    to: datetime

    @classmethod
    def at(cls, instant: datetime) -> "Moment":
        return cls(instant, instant)

    @classmethod
    def on(cls, partial: str, zone: tzinfo) -> "Moment":
        """Within a date of the site that may be known to the month or year alone."""
        after = latest(partial) + timedelta(days=1)
        return cls(midnight(earliest(partial), zone), midnight(after, zone))


@dataclass(frozen=True, slots=True)
class Grading:
    """A grade, and when it was first there."""

    grade: int
    since: Moment
    day: str  # as it stands in the record


@dataclass(frozen=True, slots=True)
class Toxicity:
    """One toxicity of one participant. `ended` None: it goes on, as far as is known.

    `soc` and `meddra_code` are those of CTCAE, and None for an episode, which the rules know by its kind.
    `unrelated_to` are the agents that the investigator judged not to be a reasonable possibility: an agent nobody
    judged yet is not among them.
    """

    source: ToxicitySource
    gradings: tuple[Grading, ...]
    ended: Moment | None
    soc: str | None = None
    meddra_code: str | None = None
    unrelated_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Spell:
    """A time during which a toxicity had a grade or a worse one. `ends` None: it still has it."""

    begins: Moment
    ends: Moment | None
    worst: int
    day: str

    def may_exceed(self, hours: int, now: datetime) -> bool:
        """Whether it may have lasted longer than so many hours: to the day, most spells might have."""
        return (self.ends.to if self.ends else now) - self.begins.from_ > timedelta(hours=hours)

    def lies_beyond(self, instant: datetime, now: datetime) -> bool:
        """Whether it may have been there still after an instant."""
        return (self.ends.to if self.ends else now) > instant


def spells(toxicity: Toxicity, grade: int) -> Iterator[Spell]:
    """The times at which a toxicity had at least this grade, in order."""
    running: list[Grading] = []
    for entry in toxicity.gradings:
        if entry.grade >= grade:
            running.append(entry)
        elif running:
            yield _spell(running, entry.since)
            running = []
    if running:
        yield _spell(running, toxicity.ended)


def _spell(running: Sequence[Grading], ends: Moment | None) -> Spell:
    return Spell(running[0].since, ends, max(entry.grade for entry in running), running[0].day)


def of_adverse_event(record: OnRecord, zone: tzinfo) -> Toxicity:
    """An adverse event as a toxicity, in the time zone of its site."""
    gradings = tuple(Grading(entry.grade, Moment.on(entry.since, zone), entry.since) for entry in record.grades)
    return Toxicity(
        source=ToxicitySource(kind=ToxicityKind.ADVERSE_EVENT, id=record.adverse_event_id),
        gradings=gradings,
        ended=_end(record, zone),
        soc=record.term.soc,
        meddra_code=record.term.meddra_code,
        unrelated_to=frozenset(each.agent for each in record.causality if not each.attribution.is_related),
    )


def _end(record: OnRecord, zone: tzinfo) -> Moment | None:
    """When it was over. Of an event that ended on an unknown day, only that it was after its last grade began.

    That leaves room without an end, so that no rule is missed for want of a date.
    """
    if record.outcome is Outcome.FATAL:
        return None  # what the participant died of did not pass
    if record.ended_on is not None:
        return Moment.on(record.ended_on, zone)
    if record.outcome in ENDS:
        return Moment(midnight(earliest(record.grades[-1].since), zone), _ANY_DAY)
    return None


_WATCHED = {EpisodeKind.CRS: ToxicityKind.CRS, EpisodeKind.ICANS: ToxicityKind.ICANS}


def of_episode(course: Course, zone: tzinfo) -> Toxicity | None:
    """An episode by its ASTCT grades in order of time; None for a kind that no rule looks at.

    An observation without a grade tells nothing, and ends nothing.
    """
    kind = _WATCHED.get(course.opened.kind)
    if kind is None:
        return None
    gradings = tuple(
        Grading(seen.grades.astct, Moment.at(seen.observed_at), seen.observed_at.astimezone(zone).date().isoformat())
        for seen in course.series
        if seen.grades.astct is not None
    )
    ended = None if course.ended is None or course.ended.outcome is Outcome.FATAL else Moment.at(course.ended.at)
    return Toxicity(ToxicitySource(kind=kind, id=course.opened.episode_id), gradings, ended)
