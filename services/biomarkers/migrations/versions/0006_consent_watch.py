"""Which messages wait for a consent, and what the watch over them remembers."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, false

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.add_column(
            Column(
                "lacks_consent",
                Boolean,
                nullable=False,
                server_default=false(),
                comment="whether any of them waits for a consent",
            )
        )
    op.execute(
        "UPDATE messages SET lacks_consent = true "
        "WHERE state = 'waiting' AND CAST(waiting AS TEXT) LIKE '%consent-does-not-cover%'"
    )
    op.create_table(
        "consent_looks",
        Column("message_id", Text, primary_key=True),
        Column("heard", Integer, nullable=False, comment="events of consent"),
    )
