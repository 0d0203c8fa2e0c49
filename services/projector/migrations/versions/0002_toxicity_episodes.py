"""Episodes of CRS, ICANS and IEC-HS, with their observations and what was given."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, Text, Uuid, false

from shared.db import ExactDecimal, Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "toxicity_episodes",
        Column("episode_id", Uuid, primary_key=True),
        Column("participant_id", Uuid, index=True),
        Column("adverse_event_id", Uuid),
        Column("kind", Text),
        Column("onset", Instant),
        Column("ended_at", Instant),
        Column("outcome", Text),
        Column("problem", Text, comment="why the adverse event last could not follow"),
        Column("retracted", Boolean, nullable=False, server_default=false()),
        Column("version", Integer, comment="of the episode's stream: the ETag to change it with"),
    )
    op.create_table(
        "toxicity_observations",
        Column("episode_id", Uuid, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("observed_at", Instant),
        Column("observation", Json, comment="as in the event"),
        Column("astct_grade", Integer),
        Column("ctcae_grade", Integer),
        Column("explanation", Text),
        Column("rule", Text),
        Column("protocol", Text),
    )
    op.create_table(
        "toxicity_treatments",
        Column("episode_id", Uuid, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("treatment", Text),
        Column("given_at", Instant),
        Column("dose", ExactDecimal),
        Column("unit", Text),
    )
