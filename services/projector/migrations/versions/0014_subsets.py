"""Subsets of the CAR+ cells of a flow result. Rows from before get theirs when the projection is rebuilt."""

from alembic import op
from sqlalchemy import Column

from shared.db import Json

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("flow_results", Column("subsets", Json, comment="as in the event: CarSubsets"))
