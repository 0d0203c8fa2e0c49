"""What the watch over dose-limiting toxicity looks at, and remembers."""

from alembic import op
from sqlalchemy import Column, Text

from shared.db import ExactDecimal, Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "courses",
        Column("participant_id", Text, primary_key=True),
        Column("site_id", Text),
        Column("time_zone", Text),
        Column("dose_level", Text),
        Column("infused_from", Instant, comment="the first infusion's start"),
        Column("infused_to", Instant, comment="its end"),
        Column("cells_per_kg", ExactDecimal),
        Column("changed_by", Text, comment="the last event that may change what the watch finds"),
    )
    op.create_table(
        "endings",
        Column("participant_id", Text, primary_key=True),
        Column("status", Text, primary_key=True),
        Column("left_on", Text, comment="the last day observed, as far as it is known"),
    )
    op.create_table(
        "toxicities",
        Column("stream", Text, primary_key=True, comment="of an adverse event or an episode"),
        Column("participant_id", Text),
    )
    op.create_index("ix_toxicities_participant_id", "toxicities", ["participant_id"])
    op.create_table(
        "toxicity_looks",
        Column("participant_id", Text, primary_key=True),
        Column("looked_for", Text, nullable=False, comment="courses.changed_by when it looked"),
        Column("look_again_at", Instant, comment="when time alone may change what it finds"),
        Column("status", Text, nullable=False),
        Column("counts_for", Text, nullable=False, comment="stopping rules whose events were found, by a blank apart"),
    )
