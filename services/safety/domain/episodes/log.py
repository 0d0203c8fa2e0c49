"""The adverse event that follows an episode: reported with it, regraded as its maximum rises, resolved at its end.

Nobody enters it a second time. It stays an adverse event like any other, which an investigator may edit: then what the
episode says is added to it where that can be done, and never written over what a person said.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from uuid import UUID, uuid5

from services.safety.domain import adverse_event
from services.safety.domain.adverse_event import (
    AdverseEventAlreadyRetracted,
    AdverseEventCommand,
    ReportAdverseEvent,
)
from services.safety.domain.astct import icans, iec_hs
from services.safety.domain.correction import CorrectAdverseEvent, RetractAdverseEvent
from services.safety.domain.ctcae import by_code
from services.safety.domain.episodes.grading import Facts
from services.safety.domain.episodes.record import Course, Ended, RetractedCourse
from services.safety.domain.follow_up import ReassessSeriousness, RecordDeath, RegradeAdverseEvent, ResolveAdverseEvent
from services.safety.domain.record import OnRecord, State, Unreported, evolve
from shared.contracts.safety import AdverseEventEvent, GradeBasis, GradeSince, Outcome, Seriousness
from shared.contracts.safety_episodes import EpisodeKind
from shared.kernel.errors import Conflict

_NAMESPACE = UUID("2d4e54a1-6a0b-5c0e-8f59-0d9e6a7c9b31")  # of this rule; never changes
_NAMES = {
    EpisodeKind.CRS: "Cytokine release syndrome",
    EpisodeKind.ICANS: "Immune effector cell-associated neurotoxicity syndrome (ICANS)",
    EpisodeKind.IEC_HS: "Immune effector cell-associated HLH-like syndrome (IEC-HS)",
}
_MAPPINGS = {EpisodeKind.ICANS: icans.MAPPING, EpisodeKind.IEC_HS: iec_hs.MAPPING}
ENTERED_LATE = "An observation of the episode was entered after later ones"
DEATH = 5


class AdverseEventEditedByHand(Conflict):
    """The adverse event's grades are no longer the episode's: put the two right by hand."""


class NoGradeLeft(Conflict):
    """No observation with a grade is left: retract the episode, and its adverse event goes with it."""


def adverse_event_of(episode_id: UUID) -> UUID:
    """The id of the adverse event that follows an episode: always the same, so it is reported once."""
    return uuid5(_NAMESPACE, str(episode_id))


def follow(
    before: Course | None, after: Course | RetractedCourse, facts: Facts, reason: str | None
) -> list[AdverseEventEvent]:
    """The events of the adverse event that follow from a change of its episode.

    Raises:
        TrialError: the adverse event cannot take it.
    """
    state, events = facts.adverse_event, list[AdverseEventEvent]()
    for command in _commands(before, after, facts, reason):
        new = adverse_event.decide(command, state, facts.general)
        state, events = reduce(evolve, new, state), [*events, *new]
    return events


def grade_history(course: Course, facts: Facts) -> tuple[GradeSince, ...]:
    """The maximum of the CTCAE grade as it rose: the first entry from the onset on, each further from its day on."""
    history: list[GradeSince] = []
    for each in course.series:
        grade = each.grades.ctcae
        if grade and (not history or grade > history[-1].grade):
            day = facts.day(each.observed_at if history else course.opened.onset)
            basis = _basis(course.opened.kind) if grade < DEATH else GradeBasis()
            history.append(GradeSince(grade=grade, since=day.isoformat(), basis=basis))
    return tuple(history)


def _basis(kind: EpisodeKind) -> GradeBasis:
    mapping = _MAPPINGS.get(kind)
    return GradeBasis() if mapping is None else GradeBasis(how="mapped", mapping=mapping)


def _commands(
    before: Course | None, after: Course | RetractedCourse, facts: Facts, reason: str | None
) -> Iterator[AdverseEventCommand]:
    known = facts.adverse_event
    if isinstance(after, RetractedCourse):
        if isinstance(known, OnRecord):
            yield RetractAdverseEvent(reason=after.reason)
        return
    history = grade_history(after, facts)
    if isinstance(known, Unreported):
        yield from _report(after, history, facts)
        return
    before = before or after
    yield from _graded(grade_history(before, facts), history, known, reason)
    if after.seriousness != before.seriousness:
        yield _reassessed(after, known)
    yield from _ended(before.ended, after.ended, facts, reason)


def _graded(
    old: Sequence[GradeSince], new: Sequence[GradeSince], known: State, reason: str | None
) -> Iterator[AdverseEventCommand]:
    if old == new:
        return
    if not isinstance(known, OnRecord):
        raise AdverseEventAlreadyRetracted("the adverse event was retracted, and the episode goes on")
    if new[: len(old)] == old:
        yield from (_regrade(entry) for entry in new[len(old) :] if known.grade < entry.grade < DEATH)
    elif known.grades != old:
        raise AdverseEventEditedByHand("the adverse event was edited by hand: correct its grades there")
    elif not new:
        raise NoGradeLeft("no observation has a grade any more: retract the episode, or correct the adverse event")
    else:
        yield _corrected(old, new, known, reason or ENTERED_LATE)


def _corrected(
    old: Sequence[GradeSince], new: Sequence[GradeSince], known: OnRecord, reason: str
) -> AdverseEventCommand:
    """The history of grades as it should have read. A death that was none takes its two other facts with it."""
    if old[-1].grade == DEATH > new[-1].grade:
        survived = frozenset(known.seriousness) - {Seriousness.DEATH}
        return CorrectAdverseEvent(
            reason=reason, grades=tuple(new), seriousness=survived, outcome=Outcome.NOT_RECOVERED, ongoing=True
        )
    lived = tuple(entry for entry in new if entry.grade < DEATH or old[-1].grade == DEATH)
    return CorrectAdverseEvent(reason=reason, grades=lived)


def _regrade(entry: GradeSince) -> RegradeAdverseEvent:
    return RegradeAdverseEvent(grade=entry.grade, grade_basis=entry.basis, since=entry.since)


def _reassessed(course: Course, known: State) -> ReassessSeriousness:
    """What is told of seriousness. Of who died of it, results-in-death stays."""
    died = [Seriousness.DEATH] if isinstance(known, OnRecord) and known.grade == DEATH else []
    return ReassessSeriousness(
        seriousness=frozenset([*course.seriousness, *died]), became_aware_at=course.observations[-1].observed_at
    )


def _ended(
    before: Ended | None, after: Ended | None, facts: Facts, reason: str | None
) -> Iterator[AdverseEventCommand]:
    if before == after:
        return
    if after is None:
        if before is not None and before.outcome is not Outcome.FATAL:  # that a death was none is told with its grade
            yield CorrectAdverseEvent(reason=reason or ENTERED_LATE, ongoing=True, outcome=Outcome.NOT_RECOVERED)
        return
    day = facts.day(after.at).isoformat()
    if before is not None:
        yield CorrectAdverseEvent(reason=reason or ENTERED_LATE, ended_on=day)
    elif after.outcome is Outcome.FATAL:
        yield RecordDeath(died_on=day, became_aware_at=after.at)
    else:
        yield ResolveAdverseEvent(ended_on=day, outcome=after.outcome)


def _report(course: Course, history: Sequence[GradeSince], facts: Facts) -> Iterator[AdverseEventCommand]:
    """Nothing is reported until there is a grade to report."""
    if not history:
        return
    opened, first = course.opened, history[0]
    died = first.grade == DEATH
    yield ReportAdverseEvent(
        adverse_event_id=opened.adverse_event_id,
        participant_id=opened.participant_id,
        term=term(opened.kind, facts),
        specification=_NAMES[opened.kind] if by_code(term(opened.kind, facts)).needs_specification else None,
        grade=first.grade,
        grade_basis=first.basis,
        onset=first.since,
        became_aware_at=opened.became_aware_at,
        ended_on=facts.day(course.ended.at).isoformat() if died and course.ended else None,
        seriousness=frozenset({*course.seriousness, *([Seriousness.DEATH] if died else [])}),
        causality=opened.causality,
        outcome=Outcome.FATAL if died else Outcome.NOT_RECOVERED,
    )
    yield from (_regrade(entry) for entry in history[1:] if entry.grade < DEATH)
    if not died:
        yield from _ended(None, course.ended, facts, None)


def term(kind: EpisodeKind, facts: Facts) -> str:
    """The CTCAE term under which the protocol records a kind of episode."""
    choices = facts.choices
    terms = {
        EpisodeKind.CRS: choices.crs_term,
        EpisodeKind.ICANS: choices.icans_term,
        EpisodeKind.IEC_HS: choices.iec_hs_term,
    }
    return terms[kind].value
