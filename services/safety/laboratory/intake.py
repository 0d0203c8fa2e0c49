"""Batches of laboratory results: read row by row, recorded participant by participant, and nothing is lost.

Rows that cannot be read are kept in quarantine before anything is recorded, so a death of the process at any point
leaves each row on record, in quarantine, or not answered for yet: the sender sends the batch again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from services.safety.domain.lab_grading.facts import Policy
from services.safety.domain.lab_results import recording, rows
from services.safety.domain.lab_results.arrival_grading import policy_of
from services.safety.domain.lab_results.laboratory import Laboratory
from services.safety.domain.lab_results.laboratory_commands import DiscardRow
from services.safety.domain.lab_results.recording import Fate, Outcome, settle
from services.safety.domain.lab_results.results import Known
from services.safety.domain.lab_results.rows import Person, Reading, SentRow, Unreadable
from services.safety.laboratory import quarantine
from services.safety.laboratory.laboratories import Laboratories
from services.safety.laboratory.people import people
from services.safety.laboratory.quarantine import (
    SEND_AGAIN,
    Cause,
    NoSuchQuarantinedRow,
    Quarantined,
    RowAlreadySettled,
    RowConflicts,
    RowState,
    RowStillUnreadable,
)
from services.safety.laboratory.record import LabRecord
from shared.contracts.safety_laboratory import QuarantineProblem
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt, Write, again_when_stale
from shared.kernel.actor import Actor
from shared.kernel.clock import Clock
from shared.kernel.decider import Command
from shared.protocol import Protocol
from shared.telemetry import tracing

ROWS_AT_ONCE = 200  # of several participants in one append: every database takes the events of so many
RELEASED_AT_ONCE = 1000
_READ = frozenset({Outcome.RECORDED, Outcome.REPEATED, Outcome.CORRECTED, Outcome.CANCELLED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row. `known` is the result on record, or as it would be."""

    outcome: Outcome
    result_id: UUID | None = None
    known: Known | None = None
    quarantine_id: UUID | None = None
    problem: QuarantineProblem | None = None
    says: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch, row by row in its order, and the last write that was made or found."""

    answers: tuple[Answer, ...]
    receipt: Receipt | None


@dataclass(slots=True)
class _Batch:
    """The rows of one request on their way."""

    laboratory: Laboratory
    rows: Sequence[SentRow]
    command: Command
    command_id: UUID
    by: Actor
    dry_run: bool
    answers: dict[int, Answer]
    kept: Sequence[Quarantined] = ()  # the rows' place in quarantine, where they come from there
    receipt: Receipt | None = None


class LabIntake:
    """What the routes that send results and settle quarantined rows call."""

    def __init__(
        self, db: Database, store: EventStore, protocol: Protocol, clock: Clock, laboratories: Laboratories
    ) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock
        self._laboratories = laboratories

    @property
    def policy(self) -> Policy:
        """The trial's choices where CTCAE leaves one."""
        return policy_of(self._protocol)

    async def take(
        self,
        laboratory_id: str,
        sent: Sequence[SentRow],
        command: Command,
        *,
        by: Actor,
        command_id: UUID,
        dry_run: bool = False,
    ) -> Taken:
        """Record every row that can be read, and keep the others."""
        laboratory, _ = await self._laboratories.laboratory(laboratory_id, by=by)
        batch = _Batch(laboratory, sent, command, command_id, by, dry_run, {})
        readings = await self._read(batch)
        await self._keep(batch)
        await self._record(batch, readings)
        await self._supersede(batch)
        return Taken(tuple(batch.answers[place] for place in range(len(sent))), batch.receipt)

    async def release(
        self, quarantine_id: UUID, command: Command, *, by: Actor, command_id: UUID
    ) -> tuple[Answer, Receipt | None]:
        """Read a row again, and record it now that it can be read.

        Raises:
            RowStillUnreadable, RowConflicts: it stays where it is.
        """
        row = await self._row(quarantine_id, by)
        if row.state is RowState.DISCARDED:
            raise RowAlreadySettled(SEND_AGAIN)
        [answer], receipt = await self._again([row], row.laboratory_id, command, by, command_id)
        if answer.outcome is Outcome.QUARANTINED:
            raise RowStillUnreadable(f"{answer.problem}: {answer.says}")
        if answer.outcome is Outcome.CONFLICT:
            raise RowConflicts(f"{answer.says}; discard the row, or let the laboratory send it anew")
        return answer, receipt

    async def release_all(self, laboratory_id: str, command: Command, *, by: Actor, command_id: UUID) -> Taken:
        """Read every row of a laboratory that waits again; those that still cannot be read stay."""
        await self._laboratories.laboratory(laboratory_id, by=by)
        waiting = await quarantine.listed(
            self._db, sites=by.sites, laboratory_id=laboratory_id, state=RowState.WAITING, limit=RELEASED_AT_ONCE
        )
        answers, receipt = await self._again(waiting, laboratory_id, command, by, command_id)
        return Taken(answers, receipt)

    async def discard(self, quarantine_id: UUID, command: DiscardRow, *, by: Actor, command_id: UUID) -> Receipt:
        row = await self._row(quarantine_id, by)
        frame = tracing.recording(
            by, at=self._clock(), subject=row.site_id, command_id=command_id, reason=command.reason
        )
        cause, stream = Cause(frame, command.fingerprint()), quarantine.stream_of(quarantine_id)
        earlier = await self._store.earlier_run(stream, frame, cause.fingerprint)
        if earlier is not None:
            return earlier
        if not await quarantine.settle(self._store, [quarantine_id], RowState.DISCARDED, cause):
            row = await self._row(quarantine_id, by)
            if row.state is not RowState.DISCARDED:
                raise RowAlreadySettled("this row was read meanwhile: it is on record, and nothing waits")
        return Receipt(stream, 2)

    async def quarantined(
        self,
        *,
        by: Actor,
        laboratory_id: str | None,
        site: str | None,
        state: RowState | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Quarantined]:
        """Rows in quarantine of the actor's sites; of another site there are none."""
        sites = by.sites if site is None else frozenset([site] if by.may_see(site) else [])
        return await quarantine.listed(
            self._db, sites=sites, laboratory_id=laboratory_id, state=state, after=after, limit=limit
        )

    async def _row(self, quarantine_id: UUID, by: Actor) -> Quarantined:
        row = await quarantine.one(self._db, quarantine_id)
        if row is None or not by.may_see(row.site_id):
            raise NoSuchQuarantinedRow("no row in quarantine has this id, or none at your sites")
        return row

    async def _again(
        self, kept: Sequence[Quarantined], laboratory_id: str, command: Command, by: Actor, command_id: UUID
    ) -> tuple[tuple[Answer, ...], Receipt | None]:
        laboratory, _ = await self._laboratories.laboratory(laboratory_id, by=by)
        batch = _Batch(laboratory, [each.row for each in kept], command, command_id, by, False, {}, kept)
        await self._record(batch, await self._read(batch))
        read = [kept[place].quarantine_id for place, answer in batch.answers.items() if answer.outcome in _READ]
        await self._settled(batch, read, RowState.RELEASED)
        return tuple(batch.answers[place] for place in range(len(kept))), batch.receipt

    async def _read(self, batch: _Batch) -> dict[int, Reading]:
        """What the rows say, by their places; of the others there is an answer."""
        known, now = await people(self._db, batch.laboratory.site_id, batch.rows), self._clock()
        readings: dict[int, Reading] = {}
        for place, row in enumerate(batch.rows):
            try:
                readings[place] = rows.read(row, batch.laboratory, known.of(row), now)
            except Unreadable as unreadable:
                batch.answers[place] = Answer(
                    Outcome.QUARANTINED,
                    quarantine_id=quarantine.id_of(batch.laboratory.id, row),
                    problem=unreadable.problem,
                    says=str(unreadable),
                )
        return readings

    async def _keep(self, batch: _Batch) -> None:
        now = self._clock()
        kept = {
            answer.quarantine_id: Quarantined(
                quarantine_id=answer.quarantine_id,
                laboratory_id=batch.laboratory.id,
                site_id=batch.laboratory.site_id,
                row=batch.rows[place],
                problem=answer.problem,
                says=answer.says or "",
                received_at=now,
                received_by=batch.by.id,
            )
            for place, answer in batch.answers.items()
            if answer.quarantine_id is not None and answer.problem is not None
        }
        if batch.dry_run or not kept:
            return
        states = await quarantine.keep(self._db, self._store, list(kept.values()), self._cause(batch))
        discarded = {key for key, state in states.items() if state is RowState.DISCARDED}
        for place, answer in batch.answers.items():
            if answer.quarantine_id in discarded:
                says = "this very row was discarded before"
                batch.answers[place] = Answer(Outcome.DISCARDED, quarantine_id=answer.quarantine_id, says=says)

    async def _record(self, batch: _Batch, readings: dict[int, Reading]) -> None:
        by_person: dict[UUID, list[int]] = {}
        for place, reading in readings.items():
            by_person.setdefault(reading.person.participant_id, []).append(place)
        waiting: list[list[int]] = []
        for places in by_person.values():
            if waiting and sum(map(len, waiting)) + len(places) > ROWS_AT_ONCE:
                await again_when_stale(partial(self._append, batch, readings, waiting))
                waiting = []
            waiting.append(places)
        if waiting:
            await again_when_stale(partial(self._append, batch, readings, waiting))

    async def _append(self, batch: _Batch, readings: dict[int, Reading], groups: Sequence[Sequence[int]]) -> None:
        """Record the rows of some participants in one append."""
        fingerprint = batch.command.fingerprint()
        settled = [await self._settle(batch, readings, places, fingerprint) for places in groups]
        writes = [write for write in settled if write is not None]
        if writes and not batch.dry_run:
            batch.receipt = await self._written(batch, writes, [place for places in groups for place in places])

    async def _written(self, batch: _Batch, writes: Sequence[Write], places: Sequence[int]) -> Receipt:
        """Append; rows from quarantine wait no longer from the very same moment on."""
        if not batch.kept:
            return await self._store.append(*writes)
        read = [batch.kept[place].quarantine_id for place in places if batch.answers[place].outcome in _READ]
        async with self._store.transaction() as connection:
            await quarantine.release_within(connection, self._store, read, self._cause(batch))
            await self._store.append_within(connection, *writes)
        return Receipt(writes[-1].stream, writes[-1].expected + len(writes[-1].events))

    async def _settle(
        self, batch: _Batch, readings: dict[int, Reading], places: Sequence[int], fingerprint: str
    ) -> Write | None:
        own = [readings[place] for place in places]
        person: Person = own[0].person
        record = LabRecord(person.participant_id)
        state, version = await record.load(self._store)
        now = self._clock()
        settled = settle(own, state, recording.Facts(person, now, self._protocol))
        for place, fate in zip(places, settled.fates, strict=True):
            batch.answers[place] = _answer(fate, settled.after.by_id.get(fate.result_id))
        if not settled.events:
            batch.receipt = batch.receipt or Receipt(record.stream, version, replayed=True)
            return None
        frame = tracing.recording(batch.by, at=now, subject=person.participant_id, command_id=batch.command_id)
        return Write(record.stream, version, settled.events, frame, fingerprint)

    async def _supersede(self, batch: _Batch) -> None:
        """Rows that waited under the key of one that could be read now.

        A row that only repeats what is on record says nothing of one that came after it, such as a correction.
        """
        now = self._clock()
        read: dict[str, datetime] = {}
        for place, answer in batch.answers.items():
            key = batch.rows[place].key
            if answer.outcome in _READ and key is not None:
                at = answer.known.received_at if answer.outcome is Outcome.REPEATED and answer.known else now
                read[key] = max(at, read.get(key, at))
        if batch.dry_run or not read:
            return
        waiting = await quarantine.waiting_under(self._db, batch.laboratory.id, read)
        await self._settled(batch, waiting, RowState.SUPERSEDED)

    async def _settled(self, batch: _Batch, ids: Sequence[UUID], state: RowState) -> None:
        if ids:
            await quarantine.settle(self._store, ids, state, self._cause(batch))

    def _cause(self, batch: _Batch) -> Cause:
        site, command_id = batch.laboratory.site_id, batch.command_id
        frame = tracing.recording(batch.by, at=self._clock(), subject=site, command_id=command_id)
        return Cause(frame, batch.command.fingerprint())


def _answer(fate: Fate, known: Known | None) -> Answer:
    return Answer(fate.outcome, result_id=fate.result_id, known=known, says=fate.says)
