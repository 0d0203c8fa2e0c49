"""Candidates for adverse events: episodes of abnormal values, term by term, and what becomes of them on record.

An episode begins with the first grade of 1 or more and ends with a grade of 0; a value that cannot be graded neither
begins nor ends one. Episodes follow from all valid values anew each time, so the order of arrival does not matter; a
candidate is the one whose first or worst value lies in the episode.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from uuid import UUID, uuid5

from services.safety.domain import ctcae
from services.safety.domain.lab_results.results import Candidate, Known, Results
from shared.contracts.safety import AdverseEventTerm
from shared.contracts.safety_laboratory import (
    AdverseEventCandidateFollowed,
    AdverseEventCandidateOpened,
    AdverseEventCandidateWithdrawn,
    CandidateCourse,
    CandidateEvent,
)

_NAMESPACE = UUID("9e2b7a40-1c55-5d3f-8f61-0b7d4c2e6a93")  # of this rule; never changes


@dataclass(slots=True)
class Episode:
    """Values of one term from the first abnormal one on. `rises` are the values whose grade was a new maximum."""

    meddra_code: str
    rises: list[tuple[Known, int]]
    values: set[UUID] = field(default_factory=set)
    ended: Known | None = None

    @property
    def first(self) -> Known:
        return self.rises[0][0]

    @property
    def worst_grade(self) -> int:
        return self.rises[-1][1]

    def course(self, zone: tzinfo) -> CandidateCourse:
        return CandidateCourse(
            onset=day(self.first, zone),
            worst_grade=self.worst_grade,
            ended_on=None if self.ended is None else day(self.ended, zone),
            first_result_id=self.first.result.result_id,
            worst_result_id=self.rises[-1][0].result.result_id,
        )


def id_of(participant_id: UUID, meddra_code: str, number: int) -> UUID:
    """The id of a participant's n-th candidate of a term."""
    return uuid5(_NAMESPACE, f"{participant_id}\n{meddra_code}\n{number}")


def day(known: Known, zone: tzinfo) -> str:
    """The date at the site on which the specimen was taken."""
    return known.result.collected_at.astimezone(zone).date().isoformat()


def episodes(valid: Iterable[Known]) -> list[Episode]:
    """The episodes of every term among values in order of time."""
    found: list[Episode] = []
    going: dict[str, Episode] = {}
    for known in valid:
        for grade in known.result.grading.grades:
            if grade.grade is None:
                continue
            episode = going.get(grade.meddra_code)
            if grade.grade == 0:
                if episode is not None:
                    episode.ended = known
                    del going[grade.meddra_code]
                continue
            if episode is None:
                episode = going[grade.meddra_code] = Episode(grade.meddra_code, [(known, grade.grade)])
                found.append(episode)
            elif grade.grade > episode.worst_grade:
                episode.rises.append((known, grade.grade))
            episode.values.add(known.result.result_id)
    return found


def reconciled(state: Results, participant_id: UUID, zone: tzinfo, protocol: str) -> Iterator[CandidateEvent]:
    """What differs between the candidates on record and the episodes that the values make now."""
    free = episodes(state.valid)
    of_term: dict[str, int] = {}
    for candidate in state.candidates.values():
        code = candidate.term.meddra_code
        of_term[code] = of_term.get(code, 0) + 1
        episode = _claimed(candidate, free)
        if episode is None:
            if not candidate.withdrawn:
                yield _withdrawn(candidate, participant_id)
            continue
        free.remove(episode)
        now = episode.course(zone)
        if candidate.withdrawn or now != candidate.course:
            was = None if candidate.withdrawn else candidate.course
            yield AdverseEventCandidateFollowed(
                candidate_id=candidate.candidate_id, participant_id=participant_id, was=was, now=now
            )
    for episode in free:
        code = episode.meddra_code
        of_term[code] = of_term.get(code, 0) + 1
        yield AdverseEventCandidateOpened(
            candidate_id=id_of(participant_id, code, of_term[code]),
            participant_id=participant_id,
            term=_term(code),
            course=episode.course(zone),
            protocol=protocol,
        )


def _claimed(candidate: Candidate, free: list[Episode]) -> Episode | None:
    """The episode that a candidate is about: by its first value, else by its worst."""
    own = [each for each in free if each.meddra_code == candidate.term.meddra_code]
    for anchor in (candidate.course.first_result_id, candidate.course.worst_result_id):
        found = next((each for each in own if anchor in each.values), None)
        if found is not None:
            return found
    return None


def _withdrawn(candidate: Candidate, participant_id: UUID) -> AdverseEventCandidateWithdrawn:
    return AdverseEventCandidateWithdrawn(
        candidate_id=candidate.candidate_id, participant_id=participant_id, was=candidate.course
    )


def _term(meddra_code: str) -> AdverseEventTerm:
    term = ctcae.by_code(meddra_code)
    return AdverseEventTerm(edition=ctcae.EDITION, meddra_code=meddra_code, name=term.name, soc=term.soc)
