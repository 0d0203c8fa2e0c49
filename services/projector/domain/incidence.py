"""The incidence of treatment-emergent adverse events, by the protocol's time points.

What counts. An adverse event counts in the interval in which it begins after the infusion, and again in every later
interval in which it becomes worse than it ever was; with the worst grade it newly reached there. An event that only
goes on is not incident again. So what was there before the infusion counts from the day it got worse, and the
cumulative table of a time point is the union of the intervals up to it. Retracted events are not given here.

Who is at risk. In an interval: whoever was infused and followed for at least one day of it, that is up to today, or
to the end of follow-up. Cumulatively: whoever was at risk in any interval so far, that is everybody infused. Whoever
has an event in an interval was at risk in it, whatever the dates of follow-up say.

Source: ICH E9 (treatment emergent); DOMAIN rules of the trial: intervals (0, 7], (7, 14] ... are reports of continuous
collection, and whether incidence is cumulative is a setting of the protocol.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import Infused, in_order_of_dose
from services.projector.domain.figures import Figure, Percent, percent
from shared.contracts.safety import GradeSince, treatment_emergent
from shared.contracts.terms import earliest, latest
from shared.protocol import Incidence, Moment, Protocol
from shared.protocol.schedule import Interval, interval_of, intervals, study_day

GRADES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Episode:
    """One adverse event as it stands now. `grades` is its history in order of time, the first at the onset."""

    adverse_event_id: UUID
    participant_id: UUID
    soc: str
    meddra_code: str
    term: str
    onset: str
    grades: tuple[GradeSince, ...]
    serious: bool
    related: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """An event newly reached a grade at a time point."""

    episode: Episode
    grade: int
    visit: str


class GradeCount(Figure):
    """Participants whose worst event has this CTCAE grade (AETOXGR)."""

    grade: int
    n: int
    percent: Percent | None


class Tally(Figure):
    """Participants with at least one such event. Each is counted once, under the worst grade."""

    n: int
    percent: Percent | None = Field(description="Of those at risk; None where nobody is")
    by_worst_grade: tuple[GradeCount, ...]


class Tallies(Figure):
    """All events; those related to the agent; those that were serious. Three independent readings."""

    any: Tally
    related: Tally
    serious: Tally


class TermIncidence(Tallies):
    """One term of CTCAE (AEDECOD)."""

    term: str
    meddra_code: str


class SocIncidence(Tallies):
    """One system organ class (AEBODSYS) and its terms."""

    soc: str
    terms: tuple[TermIncidence, ...]


class Incidences(Tallies):
    """What happened in a span of time among those at risk in it."""

    at_risk: int = Field(description="N: participants infused and followed into this span")
    by_soc: tuple[SocIncidence, ...]


class TimePointIncidence(Figure):
    """One time point: the interval that ends with it, and all of the time from the infusion to it."""

    visit: str
    label: str
    after_day: int | None = Field(description="The interval begins after this day; None: with the infusion, on day 0")
    until_day: int
    interval: Incidences
    cumulative: Incidences


class DoseLevelIncidence(Figure):
    """The same among those of one dose level."""

    dose_level: str | None = Field(description="null: enrolled without a dose level")
    infused: int
    time_points: tuple[TimePointIncidence, ...]


class AdverseEventIncidence(Figure):
    """Treatment-emergent adverse events by time point. `shown_first` is the protocol's choice; both are given."""

    shown_first: Incidence
    related_to: str = Field(description="The agent whose attribution makes an event `related`")
    criteria: str = Field(description="The grading criteria", examples=["CTCAE 5.0"])
    infused: int
    time_points: tuple[TimePointIncidence, ...]
    by_dose_level: tuple[DoseLevelIncidence, ...] | None = Field(None, description="null: was not asked for")


def adverse_event_incidence(
    protocol: Protocol, cohort: Sequence[Infused], episodes: Iterable[Episode], *, related_to: str, today: date
) -> AdverseEventIncidence:
    """The table of the primary outcome."""
    return AdverseEventIncidence(
        shown_first=protocol.schedule.incidence.value,
        related_to=related_to,
        criteria=f"CTCAE {protocol.ctcae.edition.value}",
        infused=len(cohort),
        time_points=tuple(_time_points(protocol, cohort, episodes, today)),
    )


def incidence_by_dose_level(
    protocol: Protocol, cohort: Sequence[Infused], episodes: Sequence[Episode], *, today: date
) -> tuple[DoseLevelIncidence, ...]:
    """The table once for each dose level at which somebody was infused, from the lowest dose on."""
    found = []
    for level in in_order_of_dose(protocol, (each.dose_level for each in cohort)):
        at_it = [each for each in cohort if each.dose_level == level]
        points = tuple(_time_points(protocol, at_it, episodes, today))
        found.append(DoseLevelIncidence(dose_level=level, infused=len(at_it), time_points=points))
    return tuple(found)


def _happened(
    protocol: Protocol, cohort: Iterable[Infused], episodes: Iterable[Episode]
) -> Mapping[str, Sequence[Incident]]:
    """What the cohort's events count for, by time point."""
    by_id = {participant.participant_id: participant for participant in cohort}
    happened: dict[str, list[Incident]] = defaultdict(list)
    for episode in episodes:
        if episode.participant_id in by_id:
            for incident in incidents(protocol, by_id[episode.participant_id], episode):
                happened[incident.visit].append(incident)
    return happened


def incidents(protocol: Protocol, participant: Infused, episode: Episode) -> Iterator[Incident]:
    """When, after the infusion, the event began or became worse than ever: its new highest grades.

    Of a partial date the first day it can mean counts, but none before the infusion if it may lie after it: an
    unclear event is counted early rather than lost. The day of the infusion itself counts as after it.
    """
    infused_on = participant.infused_on(protocol)
    if not treatment_emergent(episode.onset, episode.grades, infused_on):
        return
    worst = 0
    for entry in episode.grades:
        if entry.grade <= worst:
            continue
        worst = entry.grade
        if latest(entry.since) < infused_on:
            continue
        visit = _time_point_of(protocol, participant, max(earliest(entry.since), infused_on))
        if visit is not None:
            yield Incident(episode, entry.grade, visit)


def _time_point_of(protocol: Protocol, participant: Infused, on: date) -> str | None:
    # Where a second infusion moved day zero, what emerged after the first still counts: on day 0 at the earliest.
    day = max(study_day(protocol, on, participant.day_zero), 0)
    point = interval_of(protocol, Moment(day, after_infusion=True))
    return None if point is None else point.visit


def _time_points(
    protocol: Protocol, cohort: Sequence[Infused], episodes: Iterable[Episode], today: date
) -> Iterator[TimePointIncidence]:
    happened = _happened(protocol, cohort, episodes)
    so_far: list[Incident] = []
    at_risk_so_far: set[UUID] = set()
    for interval in intervals(protocol):
        here = happened.get(interval.time_point.visit, ())
        at_risk = at_risk_in(protocol, interval, cohort, today) | _affected(here)
        so_far = [*so_far, *here]
        at_risk_so_far |= at_risk
        yield TimePointIncidence(
            visit=interval.time_point.visit,
            label=interval.time_point.label,
            after_day=interval.after_day,
            until_day=interval.until_day,
            interval=_incidences(here, len(at_risk)),
            cumulative=_incidences(so_far, len(at_risk_so_far)),
        )


def at_risk_in(protocol: Protocol, interval: Interval, cohort: Iterable[Infused], today: date) -> set[UUID]:
    """Whoever was followed for at least one day of the interval."""
    first_day = 0 if interval.after_day is None else interval.after_day + 1
    return {each.participant_id for each in cohort if each.last_day(protocol, today) >= first_day}


def _affected(incidents: Iterable[Incident]) -> set[UUID]:
    return {incident.episode.participant_id for incident in incidents}


def _incidences(incidents: Sequence[Incident], at_risk: int) -> Incidences:
    socs = _grouped(incidents, lambda incident: (incident.episode.soc,))
    by_soc = (
        SocIncidence(soc=soc, terms=tuple(_terms(within, at_risk)), **_tallies(within, at_risk))
        for (soc,), within in socs.items()
    )
    return Incidences(at_risk=at_risk, by_soc=tuple(by_soc), **_tallies(incidents, at_risk))


def _terms(incidents: Sequence[Incident], at_risk: int) -> Iterator[TermIncidence]:
    terms = _grouped(incidents, lambda incident: (incident.episode.term, incident.episode.meddra_code))
    for (term, code), within in terms.items():
        yield TermIncidence(term=term, meddra_code=code, **_tallies(within, at_risk))


def _grouped(
    incidents: Iterable[Incident], key: Callable[[Incident], tuple[str, ...]]
) -> dict[tuple[str, ...], list[Incident]]:
    """The incidents by key, keys in alphabetical order."""
    groups: dict[tuple[str, ...], list[Incident]] = defaultdict(list)
    for incident in incidents:
        groups[key(incident)].append(incident)
    return {name: groups[name] for name in sorted(groups)}


def _tallies(incidents: Collection[Incident], at_risk: int) -> dict[str, Tally]:
    return {
        "any": _tally(incidents, at_risk),
        "related": _tally([each for each in incidents if each.episode.related], at_risk),
        "serious": _tally([each for each in incidents if each.episode.serious], at_risk),
    }


def _tally(incidents: Iterable[Incident], at_risk: int) -> Tally:
    worst: dict[UUID, int] = {}
    for incident in incidents:
        who = incident.episode.participant_id
        worst[who] = max(incident.grade, worst.get(who, 0))
    counts = [sum(grade == each for grade in worst.values()) for each in GRADES]
    return Tally(
        n=len(worst),
        percent=percent(len(worst), at_risk),
        by_worst_grade=tuple(
            GradeCount(grade=grade, n=n, percent=percent(n, at_risk)) for grade, n in zip(GRADES, counts, strict=True)
        ),
    )
