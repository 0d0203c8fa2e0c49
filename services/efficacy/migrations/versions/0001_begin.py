"""Begin: the event store, and what is known of participants."""

from alembic import op
from sqlalchemy import Column, Text

from shared.eventstore.ddl import create_event_store_v1
from shared.projection.ddl import create_projection_tables_v1

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_event_store_v1(op)
    create_projection_tables_v1(op)
    op.create_table(
        "participants",
        Column("participant_id", Text, primary_key=True, comment="as in events.subject"),
        Column("site_id", Text),
        Column("time_zone", Text, comment="the site's, in which dates of the participant are meant"),
    )
