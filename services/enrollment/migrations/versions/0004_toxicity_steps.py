"""What was said of toxicities, and when. What was heard before counts from ever, until the projection is rebuilt."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, insert, literal, literal_column, select

from shared.db import Instant

revision = "0004"
down_revision = "0003"

_EVER = literal_column("'1970-01-01T00:00:00.000000+00:00'")
_BEFORE = Table(
    "toxicity_decisions",
    MetaData(),
    Column("dlt_id", Text),
    Column("participant_id", Text),
    Column("proposed", Boolean),
    Column("decision", Text),
)


def upgrade() -> None:
    steps = op.create_table(
        "toxicity_steps",
        Column("stream", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("dlt_id", Text),
        Column("participant_id", Text),
        Column("said", Text, comment="proposed, withdrawn, confirmed or refuted"),
        Column("at", Instant),
    )
    was, names = _BEFORE.c, ["stream", "version", "dlt_id", "participant_id", "said", "at"]
    for version, said, where in (
        (1, literal("proposed"), was.proposed.is_(True)),
        (2, was.decision, was.decision.is_not(None)),
    ):
        stream = literal("before:").concat(was.dlt_id)
        told = select(stream, literal(version), was.dlt_id, was.participant_id, said, _EVER)
        op.execute(insert(steps).from_select(names, told.where(where)))
    op.drop_table("toxicity_decisions")
