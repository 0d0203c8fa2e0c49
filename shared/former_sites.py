"""Where participants were cared for before a transfer, and until when: results of until then still come from there."""

from sqlalchemy import Column, MetaData, Table, Text

from shared.contracts.enrollment import ParticipantTransferred
from shared.projection import Rows


def former_sites_table(metadata: MetaData) -> Table:
    return Table(
        "former_sites",
        metadata,
        Column("participant_id", Text, primary_key=True),
        Column("site_id", Text, primary_key=True),
        Column("until", Text, comment="the day of the transfer"),
    )


def note(rows: Rows, table: Table, event: ParticipantTransferred) -> None:
    """The day of the transfer is still one of the former site's; who returns is no longer a former participant."""
    who = str(event.participant_id)
    rows.upsert(table, {"participant_id": who, "site_id": event.from_site}, until=event.transferred_on.isoformat())
    rows.delete(table, {"participant_id": who, "site_id": event.site_id})
