"""Assessments by reader: two readers may give theirs the same id. And what other sets of criteria make of each."""

from alembic import op
from sqlalchemy import Boolean, Column, Text, Uuid, false

from shared.db import ExactDecimal

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _replace(
        "tumour_assessments",
        [
            Column("assessment_id", Uuid, primary_key=True, comment="a reader's own: two readers may give the same"),
            Column("evaluator", Text, primary_key=True),
            Column("participant_id", Uuid),
            Column("baseline", Boolean),
            Column("assessed_on", Text),
            Column("criteria", Text),
            Column("assigned", Text),
            Column("overridden", Text, comment="what counts instead of the assigned response"),
            Column("override_to_review", Boolean, nullable=False, server_default=false()),
            Column("retracted", Boolean, nullable=False, server_default=false()),
        ],
    )
    _replace(
        "tumour_changes",
        [
            Column("assessment_id", Uuid, primary_key=True),
            Column("evaluator", Text, primary_key=True),
            Column("participant_id", Uuid),
            Column("baseline_on", Text),
            Column("percent_from_baseline", ExactDecimal, comment="NULL: no sum here, or none at baseline"),
        ],
    )
    op.create_table(
        "supportive_responses",
        Column("assessment_id", Uuid, primary_key=True),
        Column("evaluator", Text, primary_key=True),
        Column("criteria", Text, primary_key=True),
        Column("participant_id", Uuid),
        Column("response", Text, comment="NULL: the criteria do not cover such disease"),
    )
    op.create_index("ix_supportive_responses_participant_id", "supportive_responses", ["participant_id"])


def _replace(table: str, columns: list[Column[object]]) -> None:
    """Another primary key, with every row kept."""
    names = ", ".join(column.name for column in columns)
    op.rename_table(table, f"{table}_before")
    op.drop_index(f"ix_{table}_participant_id", f"{table}_before")
    op.create_table(table, *columns)
    op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before")
    op.drop_table(f"{table}_before")
    op.create_index(f"ix_{table}_participant_id", table, ["participant_id"])
