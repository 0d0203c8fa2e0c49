"""One participant's laboratory results and candidates as they stand on record: what the events, folded, amount to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from shared.contracts.safety import AdverseEventTerm
from shared.contracts.safety_laboratory import (
    AdverseEventCandidateAccepted,
    AdverseEventCandidateDismissed,
    AdverseEventCandidateFollowed,
    AdverseEventCandidateMerged,
    AdverseEventCandidateOpened,
    AdverseEventCandidateWithdrawn,
    CandidateCourse,
    CandidateEvent,
    LaboratoryResult,
    LaboratoryResultCancelled,
    LaboratoryResultCorrected,
    LaboratoryResultsRecorded,
    LaboratoryResultsRegraded,
    ResultEvent,
)

Decision = AdverseEventCandidateAccepted | AdverseEventCandidateMerged | AdverseEventCandidateDismissed


@dataclass(frozen=True, slots=True)
class Known:
    """A result on record, as it is graded now. `received_at` is when it first came."""

    result: LaboratoryResult
    received_at: datetime
    edition: str
    protocol: str
    cancelled: bool = False

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Its place in time among the others."""
        return self.result.collected_at, self.result.result_id


@dataclass(frozen=True, slots=True)
class Candidate:
    """An episode of one term that may be an adverse event, and what was decided of it. Withdrawn: no value is left."""

    candidate_id: UUID
    term: AdverseEventTerm
    course: CandidateCourse
    withdrawn: bool = False
    decision: Decision | None = None

    @property
    def wants_a_look(self) -> bool:
        """Undecided, or the values went on, or back, since somebody decided."""
        if self.decision is None:
            return not self.withdrawn
        return self.withdrawn or self.course != self.decision.course


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a participant's laboratory stream says. Candidates are in the order in which they were opened."""

    by_id: Mapping[UUID, Known] = field(default_factory=lambda: MappingProxyType({}))
    candidates: Mapping[UUID, Candidate] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def valid(self) -> list[Known]:
        """The results that count, in order of time."""
        return sorted((each for each in self.by_id.values() if not each.cancelled), key=lambda each: each.place)


def evolve(state: Results, event: ResultEvent) -> Results:
    match event:
        case LaboratoryResultsRecorded():
            new = {
                result.result_id: Known(result, event.received_at, event.edition, event.protocol)
                for result in event.results
            }
            return replace(state, by_id={**state.by_id, **new})
        case LaboratoryResultCorrected(result=result):
            was = state.by_id[result.result_id]
            return _with(state, [Known(result, was.received_at, event.edition, event.protocol)])
        case LaboratoryResultCancelled(result_id=cancelled):
            return _with(state, [replace(state.by_id[cancelled], cancelled=True)])
        case LaboratoryResultsRegraded():
            return _with(state, _regraded(state, event))
        case _:
            return replace(state, candidates={**state.candidates, event.candidate_id: _candidate(state, event)})


def _with(state: Results, changed: Iterable[Known]) -> Results:
    return replace(state, by_id={**state.by_id, **{each.result.result_id: each for each in changed}})


def _regraded(state: Results, event: LaboratoryResultsRegraded) -> Iterable[Known]:
    for grading in event.gradings:
        was = state.by_id[grading.result_id]
        result = was.result.model_copy(update={"grading": grading})
        yield replace(was, result=result, edition=event.edition, protocol=event.protocol)


def _candidate(state: Results, event: CandidateEvent) -> Candidate:
    if isinstance(event, AdverseEventCandidateOpened):
        return Candidate(event.candidate_id, event.term, event.course)
    known = state.candidates[event.candidate_id]
    match event:
        case AdverseEventCandidateFollowed():
            return replace(known, course=event.now, withdrawn=False)
        case AdverseEventCandidateWithdrawn():
            return replace(known, withdrawn=True)
        case AdverseEventCandidateAccepted() | AdverseEventCandidateMerged() | AdverseEventCandidateDismissed():
            return replace(known, decision=event)
        case _:
            assert_never(event)
