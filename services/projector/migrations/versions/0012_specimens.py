"""Custody of specimens, and the results that name them."""

from alembic import op
from sqlalchemy import Column, Integer, Text, Uuid

from shared.db import Instant, Json

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "custody_steps",
        Column("specimen_id", Uuid, primary_key=True),
        Column("step", Integer, primary_key=True, autoincrement=False, comment="the event that recorded it"),
        Column("participant_id", Uuid, index=True),
        Column("status", Text, comment="where the specimen stands after it"),
        Column("at", Instant),
        Column("parent_id", Uuid),
        Column("details", Json, comment="as the event tells them"),
    )
    op.create_table(
        "specimen_analyses",
        Column("specimen_id", Uuid, primary_key=True),
        Column("result_kind", Text, primary_key=True),
        Column("result_id", Uuid, primary_key=True),
        Column("step", Integer),
    )
