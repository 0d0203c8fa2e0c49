"""Chains of products, and what is alerted about them."""

from alembic import op
from sqlalchemy import Column, Integer, Text, Uuid

from shared.db import Instant, Json

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "product_steps",
        Column("product_id", Uuid, primary_key=True),
        Column("step", Integer, primary_key=True, autoincrement=False, comment="the event that recorded it"),
        Column("participant_id", Uuid, index=True),
        Column("status", Text, comment="where the product stands after it; tested: where it stood"),
        Column("at", Instant),
        Column("details", Json, comment="as the event tells them"),
        Column("verdicts", Json, comment="of release tests, by the limits of that day"),
        Column("temperature", Json, comment="held against the limits of that day"),
        Column("actor", Text),
        Column("role", Text),
        Column("recorded_at", Instant),
    )
    op.create_table(
        "product_alerts",
        Column("alert_id", Text, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("product_id", Uuid),
        Column("point", Text),
        Column("at", Instant),
        Column("lot", Text),
        Column("bag", Text),
        Column("findings", Json),
        Column("given_despite", Text),
        Column("raised_at", Instant),
        Column("acknowledged_at", Instant),
        Column("acknowledged_by", Text),
        Column("note", Text),
    )
