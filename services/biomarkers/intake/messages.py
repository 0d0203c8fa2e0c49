"""Messages of feeds: each kept once with its answer, and what could not be read of it until it can be.

Written after what could be read is on record and before the sender is answered: after a death in between, the sender
has no answer, sends again, and nothing is recorded twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Select, or_, select, update

from services.biomarkers.intake.observations import SentObservation
from services.biomarkers.intake.readings import ReadingProblem
from services.biomarkers.tables import messages
from shared.db import Database
from shared.kernel.actor import Actor
from shared.kernel.errors import Conflict, NotFound
from shared.upserts import insert

_NAMESPACE = UUID("b6f4b1de-53f5-5f0c-8a26-6e7f1c9d0b42")  # of this rule; never changes
_columns = messages.c


class NoSuchQuarantinedMessage(NotFound):
    """No message in quarantine has this id, or none at the caller's sites."""


class MessageAlreadySettled(Conflict):
    """Nothing of the message waits any more: it was released, or discarded, before."""


class MessageStillUnreadable(Conflict):
    """What kept the message from being read is still so; the words say what to add."""


class MessageFormat(StrEnum):
    FHIR = "fhir-r4"
    HL7V2 = "hl7-v2"
    FILE = "file"


class MessageState(StrEnum):
    TAKEN = "taken"  # nothing of it waits
    WAITING = "waiting"
    RELEASED = "released"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One observation that waits, and why."""

    sent: SentObservation
    problem: ReadingProblem
    says: str

    def as_json(self) -> dict[str, Any]:
        sent = self.sent.model_dump(mode="json", exclude_defaults=True)
        return {"sent": sent, "problem": self.problem.value, "says": self.says}


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is kept."""

    message_id: UUID
    source_id: str
    site_id: str | None
    format: MessageFormat
    control_id: str | None
    digest: str
    answer: dict[str, Any]
    waiting: tuple[Waiting, ...]
    received_at: datetime
    received_by: str
    state: MessageState
    settled_at: datetime | None = None
    settled_by: str | None = None
    reason: str | None = None


def digest_of(sent: Sequence[SentObservation]) -> str:
    """The same for the same content, so that a message is known again."""
    content = [each.model_dump(mode="json", exclude_defaults=True) for each in sent]
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def id_of(source_id: str, format_: MessageFormat, control_id: str) -> UUID:
    return uuid5(_NAMESPACE, f"{source_id}\n{format_.value}\n{control_id}")


async def keep(db: Database, kept: Kept) -> Kept:
    """Keep a message if none of its id is kept; answers the one that is."""
    async with db.begin() as connection:
        insertion = insert(db, messages).values(_values(kept))
        await connection.execute(insertion.on_conflict_do_nothing(index_elements=["message_id"]))
    found = await one(db, kept.message_id)
    assert found is not None  # noqa: S101 - it was inserted, now or before, and messages are never deleted
    return found


async def one(db: Database, message_id: UUID) -> Kept | None:
    found = await _read(db, select(messages).where(_columns.message_id == str(message_id)))
    return found[0] if found else None


async def listed(
    db: Database,
    by: Actor,
    *,
    source_id: str | None,
    site: str | None,
    state: MessageState | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Kept]:
    """Messages of the actor's sites, and of senders nobody had registered those that the actor brought."""
    query = select(messages).order_by(_columns.received_at, _columns.message_id).limit(limit)
    if by.sites is not None:
        own = (_columns.site_id.is_(None)) & (_columns.received_by == by.id)
        query = query.where(or_(_columns.site_id.in_(by.sites), own))
    if site is not None:
        query = query.where(_columns.site_id == site)
    if source_id is not None:
        query = query.where(_columns.source_id == source_id)
    if state is not None:
        query = query.where(_columns.state == state.value)
    if after is not None:
        at, key = after
        later = (_columns.received_at == at) & (_columns.message_id > key)
        query = query.where((_columns.received_at > at) | later)
    return await _read(db, query)


async def of_site(db: Database, source_id: str, site_id: str) -> None:
    """Messages that came before their source was registered are of its site from now on."""
    async with db.begin() as connection:
        chosen = (_columns.source_id == source_id) & _columns.site_id.is_(None)
        await connection.execute(update(messages).where(chosen).values(site_id=site_id))


async def settle(
    db: Database, message_id: UUID, state: MessageState, waiting: Sequence[Waiting], *, at: datetime, by: str,
    reason: str | None = None,
) -> bool:  # fmt: skip
    """Say what became of a message that waited; False: somebody was quicker."""
    change: dict[str, Any] = {"state": state.value, **_waits(waiting)}
    if state is not MessageState.WAITING:
        change |= {"settled_at": at, "settled_by": by, "reason": reason}
    async with db.begin() as connection:
        chosen = (_columns.message_id == str(message_id)) & (_columns.state == MessageState.WAITING.value)
        return bool((await connection.execute(update(messages).where(chosen).values(**change))).rowcount)


async def _read(db: Database, query: Select[Any]) -> list[Kept]:
    async with db.connect() as connection:
        return [_kept(row) for row in (await connection.execute(query)).mappings().all()]


def _kept(row: Any) -> Kept:
    waiting = tuple(
        Waiting(SentObservation.model_validate(each["sent"]), ReadingProblem(each["problem"]), each["says"])
        for each in row["waiting"]
    )
    told = {name: row[name] for name in Kept.__dataclass_fields__}
    known = {"message_id": UUID(row["message_id"]), "format": MessageFormat(row["format"]), "waiting": waiting}
    return Kept(**{**told, **known, "state": MessageState(row["state"])})


def _values(kept: Kept) -> dict[str, Any]:
    return {
        **{name: getattr(kept, name) for name in Kept.__dataclass_fields__},
        "message_id": str(kept.message_id),
        "format": kept.format.value,
        "state": kept.state.value,
        **_waits(kept.waiting),
    }


def _waits(waiting: Sequence[Waiting]) -> dict[str, Any]:
    lacking = any(each.problem is ReadingProblem.CONSENT_LACKING for each in waiting)
    return {"waiting": [each.as_json() for each in waiting], "lacks_consent": lacking}
