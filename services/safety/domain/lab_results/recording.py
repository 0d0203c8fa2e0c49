"""Rows of one participant become results on record: each new, repeated, corrected, cancelled or in conflict.

Then what the new values change is worked out: grades of values whose baseline is another one now, and candidates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce
from itertools import islice
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.safety.domain.ctcae import EDITION
from services.safety.domain.lab_results import arrival_grading
from services.safety.domain.lab_results.candidates import reconciled
from services.safety.domain.lab_results.results import Known, Results, evolve
from services.safety.domain.lab_results.rows import Person, Reading
from shared.contracts.safety_laboratory import (
    Grading,
    LaboratoryResult,
    LaboratoryResultCancelled,
    LaboratoryResultCorrected,
    LaboratoryResultsRecorded,
    LaboratoryResultsRegraded,
    LimitsSource,
    ResultEvent,
)
from shared.contracts.terms import Reason
from shared.kernel.decider import Command
from shared.protocol import Protocol

AT_MOST = 100  # results in one event: a message of the bus holds some 70 KB then
_REASON: TypeAdapter[str] = TypeAdapter(Reason)
T = TypeVar("T")


class ReviewBaselines(Command):
    """Look whether the baselines of a participant's results are still those that they were graded with."""

    participant_id: UUID


class Outcome(StrEnum):
    """What became of a row."""

    RECORDED = "recorded"
    REPEATED = "repeated"  # it was on record already
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    CONFLICT = "conflict"  # other content under an id that is taken, and no reason given: nothing was done
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"  # the very row was discarded before


@dataclass(frozen=True, slots=True)
class Fate:
    """The outcome of one row; `says` is why, where nothing was done."""

    outcome: Outcome
    result_id: UUID
    says: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What recording needs beside the rows and the record."""

    person: Person
    now: datetime
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch comes to: a fate per row, the events, and the record after them."""

    fates: tuple[Fate, ...]
    events: list[ResultEvent]
    after: Results


def settle(readings: Sequence[Reading], state: Results, facts: Facts) -> Settled:
    """Record rows of one participant, in their order. Without rows: look whether baseline or candidates changed."""
    book = _Book(state, facts)
    fates = tuple(book.take(each) for each in readings)
    events = [*book.events()]
    after = reduce(evolve, events, state)
    person = facts.person
    about = [*reconciled(after, person.participant_id, person.zone, facts.protocol.ref)]
    return Settled(fates, [*events, *about], reduce(evolve, about, after))


class _Book:
    """The record with the rows of one batch written into it."""

    def __init__(self, state: Results, facts: Facts) -> None:
        self._before, self._facts = state, facts
        self._policy = arrival_grading.policy_of(facts.protocol)
        self._now: dict[UUID, Known] = dict(state.by_id)
        self._new: list[UUID] = []
        self._changes: dict[UUID, str] = {}

    def take(self, row: Reading) -> Fate:
        known = self._now.get(row.result_id)
        if row.result is None:
            return self._cancelled(row, known)
        if known is None:
            self._new.append(row.result_id)
            self._write(row.result)
            return Fate(Outcome.RECORDED, row.result_id)
        if not known.cancelled and said(known.result) == said(row.result):
            return Fate(Outcome.REPEATED, row.result_id)
        return self._changed(row, row.result, Outcome.CORRECTED)

    def _cancelled(self, row: Reading, known: Known | None) -> Fate:
        if known is None:
            return Fate(Outcome.CONFLICT, row.result_id, "no result of this row is on record, so none can be cancelled")
        if known.cancelled:
            return Fate(Outcome.REPEATED, row.result_id)
        return self._changed(row, None, Outcome.CANCELLED)

    def _changed(self, row: Reading, result: LaboratoryResult | None, outcome: Outcome) -> Fate:
        try:
            reason = _REASON.validate_python(row.reason)
        except ValidationError:
            says = "this row is on record with other content: send reason, in words that name nobody"
            return Fate(Outcome.CONFLICT, row.result_id, says)
        if row.result_id in self._new:
            says = "this row stands in the batch twice, with two contents"
            return Fate(Outcome.CONFLICT, row.result_id, says)
        self._changes[row.result_id] = reason
        if result is None:
            self._now[row.result_id] = replace(self._now[row.result_id], cancelled=True)
        else:
            self._write(result)
        return Fate(outcome, row.result_id)

    def _write(self, result: LaboratoryResult) -> None:
        self._now[result.result_id] = Known(result, self._facts.now, EDITION, self._ref)

    @property
    def _ref(self) -> str:
        return self._facts.protocol.ref

    def events(self) -> Iterator[ResultEvent]:
        baselines = arrival_grading.chosen(self._now.values(), self._facts.person, self._facts.protocol)
        for results in _in_parts([self._graded(each, baselines) for each in self._new]):
            yield LaboratoryResultsRecorded(
                participant_id=self._facts.person.participant_id,
                results=results,
                received_at=self._facts.now,
                edition=EDITION,
                protocol=self._ref,
            )
        for changed, reason in self._changes.items():
            yield self._change(changed, reason, baselines)
        for gradings in _in_parts([*self._regraded(baselines)]):
            yield LaboratoryResultsRegraded(
                participant_id=self._facts.person.participant_id,
                gradings=gradings,
                edition=EDITION,
                protocol=self._ref,
            )

    def _graded(self, result_id: UUID, baselines: arrival_grading.Baselines) -> LaboratoryResult:
        result = self._now[result_id].result
        used = arrival_grading.baseline_used(result, baselines)
        return result.model_copy(update={"grading": arrival_grading.graded(result, used, self._policy)})

    def _change(self, changed: UUID, reason: str, baselines: arrival_grading.Baselines) -> ResultEvent:
        participant_id = self._facts.person.participant_id
        if self._now[changed].cancelled:
            return LaboratoryResultCancelled(participant_id=participant_id, result_id=changed, reason=reason)
        return LaboratoryResultCorrected(
            participant_id=participant_id,
            result=self._graded(changed, baselines),
            reason=reason,
            edition=EDITION,
            protocol=self._ref,
        )

    def _regraded(self, baselines: arrival_grading.Baselines) -> Iterator[Grading]:
        """Values on record that another baseline applies to than the one they were graded with."""
        for result_id, known in self._before.by_id.items():
            if known.cancelled or result_id in self._changes:
                continue
            used = arrival_grading.baseline_used(known.result, baselines)
            if used != known.result.grading.baseline:
                yield arrival_grading.graded(known.result, used, self._policy)


def said(result: LaboratoryResult) -> tuple[object, ...]:
    """What a row said, without what was made of it here: the same row said twice is one."""
    limits = (result.lln, result.uln) if result.limits_from is LimitsSource.RESULT else None
    return (
        result.test,
        result.value,
        result.qualifier,
        result.unit,
        result.collected_at,
        result.specimen,
        limits,
    )


def _in_parts(items: list[T]) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while part := tuple(islice(rest, AT_MOST)):
        yield part
