"""Begin: the event store."""

from alembic import op

from shared.eventstore.ddl import create_event_store_v1

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_event_store_v1(op)
