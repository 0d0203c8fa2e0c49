"""What is heard of halts of dosing."""

from alembic import op
from sqlalchemy import Boolean, Column, Text

from shared.projection.ddl import create_projection_tables_v1

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_projection_tables_v1(op)
    op.create_table(
        "dosing_halts",
        Column("rule", Text, primary_key=True, comment="a stopping rule of the protocol that has fired"),
        Column("halts", Boolean, comment="false: reviewed, so that dosing resumes"),
    )
