"""What is known of consent, from enrollment's events."""

from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "known_consents",
        Column("stream", Text, primary_key=True, comment="a participant's, or a site's consent documents"),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("subject", Text, comment="the participant or the site"),
        Column("type", Text),
        Column("schema_version", Integer),
        Column("data", Text, comment="the event as JSON, as it was stored"),
    )
    op.create_index("ix_known_consents_subject", "known_consents", ["subject"])
