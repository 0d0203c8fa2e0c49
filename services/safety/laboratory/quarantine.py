"""Rows of laboratories that could not be read, kept as they were sent until they can be, or somebody discards them.

They are no events: nobody knows yet what such a row says, or whom it names, and events cannot be erased. That one
waits, why, and what became of it, are events without its content, written together with the row's own change.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.safety.domain.lab_results.rows import SentRow
from services.safety.tables import lab_quarantine
from shared.contracts.safety_laboratory import (
    LaboratoryRowDiscarded,
    LaboratoryRowQuarantined,
    LaboratoryRowReleased,
    QuarantineEvent,
    QuarantineProblem,
    ReleaseCause,
)
from shared.db import Database
from shared.eventstore.store import EventStore, Write
from shared.kernel.decider import Recording
from shared.kernel.errors import Conflict, NotFound
from shared.upserts import insert

_NAMESPACE = UUID("7d6e0f18-42b9-5c9d-a3e7-58c1b9f4d206")  # of this rule; never changes
_AT_ONCE = 400
SEND_AGAIN = "this row was discarded; if it is to count, let the laboratory send it again"
_columns = lab_quarantine.c


class NoSuchQuarantinedRow(NotFound):
    """No row in quarantine has this id, or none at the caller's sites."""


class RowStillUnreadable(Conflict):
    """What kept the row from being read is still so; the message says what to add."""


class RowConflicts(Conflict):
    """The row can be read, and another content is on record for it, or nothing that it could cancel."""


class RowAlreadySettled(Conflict):
    """The row was released, or discarded, before."""


class RowState(StrEnum):
    WAITING = "waiting"
    RELEASED = "released"
    SUPERSEDED = "superseded"  # the laboratory sent the row again, and then it could be read
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row as it was sent, why it could not be read, and what became of it."""

    quarantine_id: UUID
    laboratory_id: str
    site_id: str
    row: SentRow
    problem: QuarantineProblem
    says: str
    received_at: datetime
    received_by: str
    state: RowState = RowState.WAITING
    settled_at: datetime | None = None
    settled_by: str | None = None
    reason: str | None = None


def id_of(laboratory_id: str, row: SentRow) -> UUID:
    """The same content of the same laboratory has the same id, so that it is kept once however often it is sent."""
    content = json.dumps(row.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return uuid5(_NAMESPACE, f"{laboratory_id}\n{content}")


@dataclass(frozen=True, slots=True)
class Cause:
    """What a row's change is recorded with: who, when, why, by which command of which content."""

    recording: Recording
    fingerprint: str


def stream_of(quarantine_id: UUID) -> str:
    return f"quarantined-row:{quarantine_id}"


async def keep(db: Database, store: EventStore, rows: Sequence[Quarantined], cause: Cause) -> dict[UUID, RowState]:
    """Keep rows that are not kept yet; answers what has become of each."""
    states: dict[UUID, RowState] = {}
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        async with store.transaction() as connection:
            new = await _inserted(connection, insert(db, lab_quarantine), part)
            told = [_write(each.quarantine_id, 0, _waits(each), cause) for each in part if each.quarantine_id in new]
            await store.append_within(connection, *told)
            states |= await _states(connection, [str(each.quarantine_id) for each in part])
    return states


async def _inserted(connection: AsyncConnection, insertion: Any, rows: Sequence[Quarantined]) -> set[UUID]:
    kept = insertion.values([_values(each) for each in rows]).on_conflict_do_nothing(index_elements=["quarantine_id"])
    return set(map(UUID, (await connection.execute(kept.returning(_columns.quarantine_id))).scalars()))


async def _states(connection: AsyncConnection, keys: Sequence[str]) -> dict[UUID, RowState]:
    known = select(_columns.quarantine_id, _columns.state).where(_columns.quarantine_id.in_(keys))
    return {UUID(key): RowState(state) for key, state in (await connection.execute(known)).all()}


async def settle(store: EventStore, ids: Iterable[UUID], state: RowState, cause: Cause) -> set[UUID]:
    """Say what became of rows that waited; answers which did."""
    keys, settled = [str(each) for each in ids], set[UUID]()
    for start in range(0, len(keys), _AT_ONCE):
        async with store.transaction() as connection:
            settled |= await _settled(connection, store, keys[start : start + _AT_ONCE], state, cause)
    return settled


async def release_within(connection: AsyncConnection, store: EventStore, ids: Sequence[UUID], cause: Cause) -> None:
    """Say in a transaction that rows which it records wait no longer.

    Raises:
        RowAlreadySettled: one of them was discarded meanwhile; let it end the transaction.
    """
    keys = [str(each) for each in ids]
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        settled = await _settled(connection, store, part, RowState.RELEASED, cause)
        states = await _states(connection, part) if len(settled) < len(part) else {}
        if RowState.DISCARDED in states.values():
            raise RowAlreadySettled(SEND_AGAIN)


async def _settled(
    connection: AsyncConnection, store: EventStore, keys: Sequence[str], state: RowState, cause: Cause
) -> set[UUID]:
    recording = cause.recording
    change = {"state": state.value, "settled_at": recording.at, "settled_by": recording.by.id}
    chosen = _columns.quarantine_id.in_(keys) & (_columns.state == RowState.WAITING)
    query = update(lab_quarantine).where(chosen).values(**change, reason=recording.reason)
    rows = (await connection.execute(query.returning(lab_quarantine))).mappings().all()
    waited = [_quarantined(row) for row in rows]
    await store.append_within(connection, *(_write(each.quarantine_id, 1, _became(each), cause) for each in waited))
    return {each.quarantine_id for each in waited}


def _write(quarantine_id: UUID, expected: int, event: QuarantineEvent, cause: Cause) -> Write:
    return Write(stream_of(quarantine_id), expected, [event], cause.recording, cause.fingerprint)


def _waits(row: Quarantined) -> LaboratoryRowQuarantined:
    return LaboratoryRowQuarantined(
        quarantine_id=row.quarantine_id,
        laboratory_id=row.laboratory_id,
        site_id=row.site_id,
        problem=row.problem,
        received_at=row.received_at,
    )


_RELEASED = {RowState.RELEASED: ReleaseCause.READ, RowState.SUPERSEDED: ReleaseCause.SENT_AGAIN}


def _became(row: Quarantined) -> LaboratoryRowReleased | LaboratoryRowDiscarded:
    where = {"quarantine_id": row.quarantine_id, "laboratory_id": row.laboratory_id, "site_id": row.site_id}
    if row.state is RowState.DISCARDED:
        return LaboratoryRowDiscarded(**where, problem=row.problem, reason=row.reason)
    return LaboratoryRowReleased(**where, because=_RELEASED[row.state])


async def waiting_under(db: Database, laboratory_id: str, until: Mapping[str, datetime]) -> list[UUID]:
    """The rows of a laboratory that wait under one of these row keys, and came no later than the key's instant."""
    found: list[UUID] = []
    keys = list(until)
    of_laboratory = (_columns.laboratory_id == laboratory_id) & (_columns.state == RowState.WAITING)
    async with db.connect() as connection:
        for start in range(0, len(keys), _AT_ONCE):
            query = select(_columns.quarantine_id, _columns.row_key, _columns.received_at).where(
                of_laboratory, _columns.row_key.in_(keys[start : start + _AT_ONCE])
            )
            waiting = (await connection.execute(query)).all()
            found += [UUID(row.quarantine_id) for row in waiting if row.received_at <= until[row.row_key]]
    return found


async def one(db: Database, quarantine_id: UUID) -> Quarantined | None:
    rows = await _read(db, select(lab_quarantine).where(_columns.quarantine_id == str(quarantine_id)))
    return rows[0] if rows else None


async def listed(
    db: Database,
    *,
    sites: frozenset[str] | None,
    laboratory_id: str | None = None,
    state: RowState | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[Quarantined]:
    """Rows of some sites (None: of all) in the order in which they came."""
    query = select(lab_quarantine).order_by(_columns.received_at, _columns.quarantine_id).limit(limit)
    if sites is not None:
        query = query.where(_columns.site_id.in_(sites))
    if laboratory_id is not None:
        query = query.where(_columns.laboratory_id == laboratory_id)
    if state is not None:
        query = query.where(_columns.state == state.value)
    if after is not None:
        at, key = after
        later = (_columns.received_at == at) & (_columns.quarantine_id > key)
        query = query.where((_columns.received_at > at) | later)
    return await _read(db, query)


async def _read(db: Database, query: Select[Any]) -> list[Quarantined]:
    async with db.connect() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [_quarantined(row) for row in rows]


def _quarantined(row: Any) -> Quarantined:
    return Quarantined(
        quarantine_id=UUID(row["quarantine_id"]),
        laboratory_id=row["laboratory_id"],
        site_id=row["site_id"],
        row=SentRow.model_validate(row["row"]),
        problem=QuarantineProblem(row["problem"]),
        says=row["says"],
        received_at=row["received_at"],
        received_by=row["received_by"],
        state=RowState(row["state"]),
        settled_at=row["settled_at"],
        settled_by=row["settled_by"],
        reason=row["reason"],
    )


def _values(each: Quarantined) -> dict[str, Any]:
    return {
        "quarantine_id": str(each.quarantine_id),
        "laboratory_id": each.laboratory_id,
        "site_id": each.site_id,
        "row_key": each.row.key,
        "row": each.row.model_dump(mode="json", exclude_defaults=True),
        "problem": each.problem.value,
        "says": each.says,
        "received_at": each.received_at,
        "received_by": each.received_by,
        "state": each.state.value,
    }
