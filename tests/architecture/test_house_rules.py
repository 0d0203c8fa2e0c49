"""The house rules, each with what it refuses and what it lets pass."""

import ast

import pytest

from tests.architecture.house_rules import breaches, interpolated, modules, thawed, unlisted


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


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("log.info('x', extra={'topic': t, 'count': 1})", 0),
        ("told = {'topic': t}; log.info('x', extra={**told, 'seconds': 1})", 0),
        ("told = {'topic': t}; log.log(level, 'x', extra=told)", 0),
        ("model_config = ConfigDict(extra='forbid')", 0),
        ("log.info('x', extra={'participant_id': p})", 1),
        ("log.info('x', extra={'topic': t, 'grade': 1, 'term': 2})", 2),
        ("told = {'grade': t}; log.info('x', extra={**told, 'seconds': 1})", 1),
        ("told = {'topic': t}; told = {'grade': t}; log.info('x', extra=told)", 1),
        ("log.info('x', extra=event.model_dump())", 1),
        ("log.info('x', extra=handed_over)", 1),
        ("log.info('x', extra={name: 1})", 1),
    ],
)
def test_a_field_of_the_log_is_on_the_list(line: str, unknown: int) -> None:
    assert len(list(unlisted(ast.parse(line)))) == unknown


@pytest.mark.parametrize(
    ("line", "constant"),
    [
        ("log.warning('a task waits', extra={'lease': name})", True),
        ("log.log(level, 'alert not delivered')", True),
        ("log.warning('%s waits', name)", False),
        ("log.log(level, '%s waits', name)", False),
        ("log.info(f'{name} waits')", False),
        ("log.info('waits: ' + name)", False),
        ("catalogue.log(value, base)", True),
    ],
)
def test_the_text_of_a_log_line_is_constant(line: str, constant: bool) -> None:
    assert (list(interpolated(ast.parse(line))) == []) is constant
