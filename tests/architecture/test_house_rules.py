"""The house rules, each with what it refuses and what it lets pass."""

import ast

import pytest

from tests.architecture.house_rules import breaches, modules, thawed


def test_the_house_keeps_its_rules() -> None:
    assert [breach for path in modules() for breach in breaches(path)] == []


@pytest.mark.parametrize(
    ("line", "frozen"),
    [
        ("from alembic import op", True),
        ("from sqlalchemy import Column, Text", True),
        ("from sqlalchemy.dialects.postgresql import JSONB", True),
        ("from shared.db import Instant", True),
        ("from shared.projection.ddl import create_projection_tables_v1", True),
        ("from shared.projection import create_projection_tables_v1", False),
        ("from shared.projection.tables import projection_tables", False),
        ("from services.safety.tables import METADATA", False),
        ("import services.safety.tables", False),
    ],
)
def test_a_migration_writes_out_its_tables(line: str, frozen: bool) -> None:
    assert (list(thawed(ast.parse(line))) == []) is frozen
