"""What a projection refuses when it is declared, and what handlers may not say."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text

from shared.projection import Projection
from tests.shared.projection.support import DOSES, DoseGiven, a_projection, doses, parts

METADATA = MetaData()
KEYLESS = Table("keyless", METADATA, Column("note", Text))
NEEDY = Table("needy", METADATA, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False))
TIED = Table("tied", METADATA, Column("id", Integer, ForeignKey("needy.id"), primary_key=True))


@pytest.mark.parametrize(
    ("table", "why"), [(KEYLESS, "primary key"), (NEEDY, "nullable or have a server_default"), (TIED, "foreign key")]
)
def test_a_table_that_cannot_take_rows_in_parts_is_refused(table: Table, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        Projection("refused", tables=[table], topics=[DOSES])


def test_one_kind_of_event_has_one_handler() -> None:
    projection = a_projection()
    with pytest.raises(TypeError, match="has a handler"):
        projection.on(DoseGiven)(lambda rows, event, envelope: None)


@pytest.mark.parametrize("key", [{}, {"dose_id": 1, "note": "x"}, {"note": "x"}])
def test_a_row_is_named_by_its_whole_key(key: dict[str, object]) -> None:
    rows = a_projection().rows()
    with pytest.raises(TypeError, match="the key of doses"):
        rows.upsert(doses, key, amount=None)
    with pytest.raises(TypeError, match="deleted from by its key"):
        rows.delete(doses, key)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(TypeError, match="no column dosage"):
        a_projection().rows().upsert(doses, {"dose_id": 1}, dosage=1)


def test_a_column_that_needs_a_value_is_not_given_none() -> None:
    with pytest.raises(TypeError, match=r"doses\.status cannot be None"):
        a_projection().rows().upsert(doses, {"dose_id": 1}, status=None)


def test_a_table_of_another_projection_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="needy is not among"):
        a_projection().rows().upsert(NEEDY, {"id": 1})


def test_what_a_failed_handler_said_is_forgotten() -> None:
    rows = a_projection().rows()
    rows.upsert(parts, {"dose_id": 1, "number": 1}, size=1)
    rows.forget()
    rows.upsert(doses, {"dose_id": 1}, note="x")
    rows.keep()
    assert [changes.shape.name for changes in rows.changes()] == ["doses"]
