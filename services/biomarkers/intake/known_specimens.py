"""Specimens on record by their ids and by the numbers on their tubes, from the service's own events."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.biomarkers.domain.result_source import ResultSource
from services.biomarkers.domain.specimens import specimen
from services.biomarkers.domain.specimens.custody import Custody
from services.biomarkers.tables import events, subjects
from shared.contracts.biomarkers_specimens import Aliquot
from shared.db import Database
from shared.kernel.actor import Actor
from shared.kernel.events import decode

_AT_ONCE = 400
_STREAMS = f"{specimen.DECIDER.category}:"


@dataclass(frozen=True, slots=True)
class KnownSpecimen:
    """Whose specimen, of what, taken when."""

    specimen_id: UUID
    participant_id: UUID
    type: str
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class KnownSpecimens:
    """Specimens by id, and by the number on the tube, which nothing keeps from being on two."""

    by_id: Mapping[str, KnownSpecimen] = field(default_factory=dict)
    by_label: Mapping[str, Sequence[KnownSpecimen]] = field(default_factory=dict)

    def named(self, specimen_id: str | None, accessions: Sequence[str]) -> Sequence[KnownSpecimen]:
        """What is meant by an id or a number; the first that is known decides."""
        for each in ([] if specimen_id is None else [specimen_id], accessions):
            for name in each:
                if (known := self.by_id.get(name.lower())) is not None:
                    return (known,)
                if found := self.by_label.get(name):
                    return found
        return ()


async def of(
    db: Database,
    participants: Collection[UUID] | None,
    by: Actor,
    source: ResultSource | None,
    gone: Collection[UUID] = (),
) -> KnownSpecimens:
    """The specimens of these participants; None: of all at the source's site or gone from it, or at the actor's."""
    everybody = [*await _of_sites(db, by, source), *map(str, gone)] if participants is None else map(str, participants)
    whose = sorted(set(everybody))
    custodies: dict[UUID, Custody] = {}
    async with db.connect() as connection:
        for start in range(0, len(whose), _AT_ONCE):
            query = (
                select(events.c.stream, events.c.type, events.c.schema_version, events.c.data)
                .where(events.c.subject.in_(whose[start : start + _AT_ONCE]), events.c.stream.startswith(_STREAMS))
                .order_by(events.c.stream, events.c.version)
            )
            for _, rows in groupby((await connection.execute(query)).all(), key=lambda row: row.stream):
                state = _folded(rows)
                if isinstance(state, Custody):
                    custodies[state.specimen_id] = state
    return _known(custodies)


def _folded(rows: Any) -> Any:
    return specimen.DECIDER.fold(decode(row.type, row.schema_version, row.data) for row in rows)  # type: ignore[misc]


def _known(custodies: Mapping[UUID, Custody]) -> KnownSpecimens:
    by_id: dict[str, KnownSpecimen] = {}
    by_label: dict[str, list[KnownSpecimen]] = {}
    for each in custodies.values():
        origin = each if each.parent_id is None else custodies.get(each.parent_id)
        collection = origin.collection if origin else None
        if collection is None or each.type is None:
            continue
        known = KnownSpecimen(each.specimen_id, each.participant_id, each.type.value, collection.collected_at)
        by_id[str(each.specimen_id)] = known
        details = each.steps[0].details
        label = details.label if isinstance(details, Aliquot) else collection.label
        if label is not None:
            by_label.setdefault(label, []).append(known)
    return KnownSpecimens(by_id, by_label)


async def _of_sites(db: Database, by: Actor, source: ResultSource | None) -> list[str]:
    query = select(subjects.c.participant_id, subjects.c.site_id).order_by(subjects.c.participant_id)
    if source is not None:
        query = query.where(subjects.c.site_id == source.site_id)
    async with db.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [row.participant_id for row in rows if by.may_see(row.site_id)]
