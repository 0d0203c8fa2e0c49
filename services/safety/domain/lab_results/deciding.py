"""What an investigator decides of a candidate: it is an adverse event, it is in one on record, or it is none.

An accepted candidate is reported as an adverse event with what the values tell: term, onset, grades as they rose, and
the end. From then on the two are apart: later values show on the candidate, and are never written over what a person
said of the adverse event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Annotated, assert_never
from uuid import UUID, uuid5

from pydantic import ConfigDict, Field

from services.safety.domain import adverse_event
from services.safety.domain.adverse_event import AdverseEventCommand, Opinions, ReportAdverseEvent
from services.safety.domain.follow_up import RegradeAdverseEvent, ResolveAdverseEvent
from services.safety.domain.lab_results.candidates import Episode, day, episodes
from services.safety.domain.lab_results.results import Candidate, Results
from services.safety.domain.record import OnRecord, State, Unreported, evolve
from shared.contracts.safety import ActionTaken, AdverseEventEvent, Outcome, Seriousness
from shared.contracts.safety_laboratory import (
    AdverseEventCandidateAccepted,
    AdverseEventCandidateDismissed,
    AdverseEventCandidateMerged,
    CandidateEvent,
)
from shared.contracts.terms import Instant, Reason
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, NotFound, Unacceptable

_NAMESPACE = UUID("c4b0a7d9-3e82-5f16-9a5d-71e8f2b6c035")  # of this rule; never changes


class NoSuchCandidate(NotFound):
    """No candidate of this participant has this id, or none at the caller's sites."""


class CandidateAlreadyDecided(Conflict):
    """The candidate is in an adverse event already: what is to change, is changed there."""


class CandidateWasWithdrawn(Conflict):
    """No value behind the candidate has a grade any more."""


class NotThisParticipantsEvent(Unacceptable):
    """The adverse event to merge into is not on record for this participant."""


class AcceptCandidate(Command):
    """The values are an adverse event. What they do not tell is told here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"seriousness": [], "causality": [{"agent": "lymphodepletion", "attribution": "possible"}]}]
        }
    )

    became_aware_at: Instant | None = Field(
        None, description="When the site learned of it; null: when the first of the values arrived here"
    )
    seriousness: Annotated[tuple[Seriousness, ...], Field(max_length=10)] = Field(
        (), description="ICH E2A criteria met; none: not serious"
    )
    causality: Opinions = ()
    action_taken: ActionTaken = ActionTaken.UNKNOWN


class MergeCandidate(Command):
    """An adverse event on record tells of these values already. It stays as it is."""

    adverse_event_id: UUID


class DismissCandidate(Command):
    """The values are no adverse event. They may be looked at again later."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Known before screening, not worse since"}]})

    reason: Reason


Decide = AcceptCandidate | MergeCandidate | DismissCandidate


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision needs beside the record. `adverse_event` is the one to accept as, or to merge into."""

    general: adverse_event.Facts
    participant_id: UUID
    candidate_id: UUID
    adverse_event: State


def adverse_event_of(candidate_id: UUID) -> UUID:
    """The id of the adverse event that an accepted candidate becomes: always the same, so it is reported once."""
    return uuid5(_NAMESPACE, str(candidate_id))


def concerned(command: Decide, candidate_id: UUID) -> UUID:
    """The adverse event that a decision touches."""
    return command.adverse_event_id if isinstance(command, MergeCandidate) else adverse_event_of(candidate_id)


def candidate_of(state: Results, candidate_id: UUID) -> Candidate:
    known = state.candidates.get(candidate_id)
    if known is None:
        raise NoSuchCandidate("no candidate has this id, or none at your sites")
    return known


def decide(command: Decide, state: Results, facts: Facts) -> list[CandidateEvent]:
    known = candidate_of(state, facts.candidate_id)
    of = {"candidate_id": known.candidate_id, "participant_id": facts.participant_id, "course": known.course}
    event: CandidateEvent
    match command:
        case AcceptCandidate():
            event = AdverseEventCandidateAccepted(**of, adverse_event_id=adverse_event_of(known.candidate_id))
        case MergeCandidate():
            event = AdverseEventCandidateMerged(**of, adverse_event_id=command.adverse_event_id)
        case DismissCandidate():
            event = AdverseEventCandidateDismissed(**of, reason=command.reason)
        case _:
            assert_never(command)
    if _is_on_record(known, event):
        return []
    _check(command, known, facts)
    return [event]


def _is_on_record(known: Candidate, event: CandidateEvent) -> bool:
    """The same decision again. Of dismissals only the very same: after new values another one is news."""
    match known.decision, event:
        case AdverseEventCandidateDismissed(), AdverseEventCandidateDismissed():
            return known.decision == event
        case AdverseEventCandidateAccepted(), AdverseEventCandidateAccepted():
            return True
        case AdverseEventCandidateMerged(adverse_event_id=was), AdverseEventCandidateMerged(adverse_event_id=now):
            return was == now
        case _:
            return False


def _check(command: Decide, known: Candidate, facts: Facts) -> None:
    if known.decision is not None and not isinstance(known.decision, AdverseEventCandidateDismissed):
        raise CandidateAlreadyDecided("this candidate is in an adverse event already: change that one")
    if known.withdrawn:
        raise CandidateWasWithdrawn("no value behind this candidate has a grade any more")
    if isinstance(command, MergeCandidate):
        target = facts.adverse_event
        if not isinstance(target, OnRecord) or target.participant_id != facts.participant_id:
            raise NotThisParticipantsEvent("this participant has no such adverse event on record")


def reported(command: Decide, decided: list[CandidateEvent], state: Results, facts: Facts) -> list[AdverseEventEvent]:
    """The adverse event that an accepted candidate becomes; nothing for every other decision.

    Raises:
        TrialError: what was told contradicts the values, or itself.
    """
    if not decided or not isinstance(command, AcceptCandidate) or not isinstance(facts.adverse_event, Unreported):
        return []
    known = state.candidates[facts.candidate_id]
    anchor = known.course.first_result_id
    found = episodes(state.valid)
    episode = next(e for e in found if e.meddra_code == known.term.meddra_code and anchor in e.values)
    log: State = facts.adverse_event
    events: list[AdverseEventEvent] = []
    for each in _commands(command, episode, facts):
        new = adverse_event.decide(each, log, facts.general)
        log, events = reduce(evolve, new, log), [*events, *new]
    return events


def _commands(command: AcceptCandidate, episode: Episode, facts: Facts) -> Iterator[AdverseEventCommand]:
    zone = facts.general.zone
    first, grade = episode.rises[0]
    yield ReportAdverseEvent(
        adverse_event_id=adverse_event_of(facts.candidate_id),
        participant_id=facts.participant_id,
        term=episode.meddra_code,
        grade=grade,
        onset=day(first, zone),
        became_aware_at=command.became_aware_at or _known_since(episode),
        seriousness=frozenset(command.seriousness),
        causality=command.causality,
        action_taken=command.action_taken,
        outcome=Outcome.NOT_RECOVERED,
    )
    for known, risen in episode.rises[1:]:
        yield RegradeAdverseEvent(grade=risen, since=day(known, zone))
    if episode.ended is not None:
        yield ResolveAdverseEvent(ended_on=day(episode.ended, zone), outcome=Outcome.RECOVERED)


def _known_since(episode: Episode) -> datetime:
    """When the first value arrived; a hospital's clock may run ahead of ours."""
    return max(episode.first.received_at, episode.first.result.collected_at)
