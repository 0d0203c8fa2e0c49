"""What a service knows of consent, copied from enrollment's events into its own database.

The events are kept as they came, for they are few and each service must read them as enrollment does: `shared.consent`
folds them when a question is asked.

    consents = known_consents_table(METADATA)
    PROJECTION = known_consents_projection(consents)
    coverage = await KnownConsents(db, consents, protocol).of(participant_id)
"""

from collections.abc import Iterable
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Column, Integer, MetaData, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consent import documents as site_documents
from shared.consent import record as consent_record
from shared.consent.coverage import Coverage
from shared.consent.documents import Documents
from shared.consent.record import ConsentRecord
from shared.contracts.enrollment import (
    ConsentCorrected,
    ConsentObtained,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
    ScreeningDataCorrected,
)
from shared.contracts.enrollment_consent import (
    ConsentDocumentApproved,
    ConsentDocumentCorrected,
    ConsentDocumentEvent,
    ConsentDocumentWithdrawn,
    ConsentLimited,
    ConsentRestored,
)
from shared.db import Database
from shared.kernel.errors import NoSuchParticipant
from shared.kernel.events import Envelope, Event, decode
from shared.projection import Projection, Rows

if TYPE_CHECKING:  # a worker that only keeps consents is spared the protocol
    from shared.protocol import ConsentGate, Protocol


def known_consents_table(metadata: MetaData) -> Table:
    return Table(
        "known_consents",
        metadata,
        Column("stream", Text, primary_key=True, comment="a participant's, or a site's consent documents"),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("subject", Text, index=True, comment="the participant or the site"),
        Column("type", Text),
        Column("schema_version", Integer),
        Column("data", Text, comment="the event as JSON, as it was stored"),
    )


def known_consents_projection(table: Table, topic: str = "trial.enrollment") -> Projection:
    projection = Projection("consents", tables=[table], topics=[topic])

    @projection.on(
        ParticipantScreened,
        ParticipantRescreened,
        ScreeningDataCorrected,
        ParticipantTransferred,
        ConsentObtained,
        ConsentCorrected,
        ConsentWithdrawn,
        ConsentLimited,
        ConsentRestored,
        DiscontinuationRetracted,
        ConsentDocumentApproved,
        ConsentDocumentCorrected,
        ConsentDocumentWithdrawn,
    )
    def _(rows: Rows, _event: Event, envelope: Envelope) -> None:
        told = {name: getattr(envelope, name) for name in ("subject", "type", "schema_version", "data")}
        rows.upsert(table, {"stream": envelope.stream, "version": envelope.version}, **told)

    return projection


class KnownConsents:
    """Answers what the consent of a participant covers, as far as is heard here."""

    def __init__(self, db: Database, table: Table, protocol: "Protocol") -> None:
        self._db = db
        self._table = table
        self._protocol = protocol

    async def of(self, participant_id: UUID, site_id: str) -> Coverage:
        """One participant's.

        Raises:
            NoSuchParticipant: nobody of this id has arrived yet.
        """
        found = (await self._read([str(participant_id), site_id])).get(participant_id)
        if found is None:
            raise NoSuchParticipant
        return found

    async def gating(self, gate: "ConsentGate", participant_id: UUID, site_id: str) -> Coverage | None:
        """The same, where the protocol lets consent gate such data; None where it does not."""
        return await self.of(participant_id, site_id) if gate in self._protocol.consent.gates.value else None

    async def _read(self, subjects: list[str]) -> dict[UUID, Coverage]:
        async with self._db.connect() as connection:
            return await coverages(connection, self._table, self._protocol, subjects)


async def coverages(
    connection: AsyncConnection, table: Table, protocol: "Protocol", subjects: Iterable[str] | None = None
) -> dict[UUID, Coverage]:
    """What the consent of participants covers, by their ids.

    `subjects`: the participants and the sites to read, where it is not everybody.
    """
    asked = None if subjects is None else set(subjects)
    events = await _told(connection, table, asked)
    people = {subject: own for subject, own in events.items() if isinstance(own[0], ParticipantScreened)}
    records = {UUID(subject): _record(own) for subject, own in people.items()}
    unread = set() if asked is None else {site for record in records.values() for site in record.sites} - asked
    if unread:
        events |= await _told(connection, table, unread)
    forms = {subject: _documents(own) for subject, own in events.items() if isinstance(own[0], ConsentDocumentEvent)}
    return {key: Coverage(record, protocol, record.forms(forms)) for key, record in records.items()}


async def _told(connection: AsyncConnection, table: Table, subjects: set[str] | None) -> dict[str, list[Any]]:
    query = select(table).order_by(table.c.stream, table.c.version)
    if subjects is not None:
        query = query.where(table.c.subject.in_(sorted(subjects)))
    return {
        subject: [decode(row.type, row.schema_version, row.data) for row in own]
        for subject, own in groupby((await connection.execute(query)).all(), key=lambda row: row.subject)
    }


def _record(events: list[Any]) -> ConsentRecord:
    return reduce(consent_record.evolve, events[1:], consent_record.begin(events[0]))


def _documents(events: Iterable[Any]) -> Documents:
    nothing: Documents = ()
    return reduce(site_documents.evolve, events, nothing)
