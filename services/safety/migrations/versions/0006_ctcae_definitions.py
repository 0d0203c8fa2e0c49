"""The definitions of CTCAE's grades, as an operator loads them."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "ctcae_definitions",
        Column("edition", Text, primary_key=True),
        Column("meddra_code", Text, primary_key=True),
        Column("definition", Text),
        Column("note", Text),
        Column("grade_1", Text),
        Column("grade_2", Text),
        Column("grade_3", Text),
        Column("grade_4", Text),
        Column("grade_5", Text),
    )
