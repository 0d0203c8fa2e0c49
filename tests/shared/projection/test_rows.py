"""Changes that are merged in memory and written in bulk leave what one statement after the other would leave."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from shared.db import Database
from shared.projection import ledger
from shared.projection.rows import Rows
from shared.projection.writing import MOST_PARTS, BulkWriter
from tests.shared.projection.support import TABLES, a_projection, doses, empty, parts, rows_of

PROJECTION = a_projection()
DOSE = st.sampled_from([UUID(int=1), UUID(int=2)])
NUMBER, SIZE = st.integers(1, 2), st.one_of(st.none(), st.integers(0, 3))
NOTES = st.dictionaries(st.sampled_from(["note", "participant_id", "status"]), st.sampled_from(["x", "y"]))
CHANGES = st.one_of(
    st.builds(lambda dose, values: ("upsert", doses, {"dose_id": dose}, values), DOSE, NOTES),
    st.builds(lambda dose, values: ("insert_once", doses, {"dose_id": dose}, values), DOSE, NOTES),
    st.builds(lambda dose: ("delete", doses, {"dose_id": dose}, {}), DOSE),
    st.builds(lambda d, n, s: ("upsert", parts, {"dose_id": d, "number": n}, {"size": s}), DOSE, NUMBER, SIZE),
    st.builds(lambda d, n: ("delete", parts, {"dose_id": d, "number": n}, {}), DOSE, NUMBER),
    st.builds(lambda d: ("delete", parts, {"dose_id": d}, {}), DOSE),
    st.builds(lambda n: ("delete", parts, {"number": n}, {}), NUMBER),
)


async def write(db: Database, rows: Rows) -> None:
    writer = BulkWriter(db.engine.dialect)
    async with db.begin() as connection:
        await writer.run(connection, writer.statements(rows.changes()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(CHANGES, max_size=8))
async def test_a_batch_leaves_what_its_changes_one_by_one_leave(db: Database, changes: list) -> None:
    await empty_tables(db)
    for how, table, key, values in changes:
        rows = PROJECTION.rows()
        getattr(rows, how)(table, key, **values)
        rows.keep()
        await write(db, rows)
    one_by_one = await rows_of(db)

    await empty_tables(db)
    rows = PROJECTION.rows()
    for how, table, key, values in changes:
        getattr(rows, how)(table, key, **dict(values))
    rows.keep()
    await write(db, rows)
    assert await rows_of(db) == one_by_one


async def test_a_row_inserted_once_and_then_changed_keeps_what_was_there_before(db: Database) -> None:
    key = {"dose_id": UUID(int=1)}
    before, after = PROJECTION.rows(), PROJECTION.rows()
    before.upsert(doses, key, note="before", participant_id="before")
    before.keep()
    await write(db, before)

    after.insert_once(doses, key, note="after", participant_id="after", status="after")
    after.upsert(doses, key, status="changed")
    after.upsert(doses, key, note="changed")
    after.keep()
    await write(db, after)
    async with db.connect() as connection:
        row = (await connection.execute(select(doses))).one()
    assert (row.participant_id, row.status, row.note) == ("before", "changed", "changed")


async def empty_tables(db: Database) -> None:
    await empty(db, *TABLES)


async def test_rows_of_the_same_columns_go_in_one_statement(db: Database) -> None:
    rows = PROJECTION.rows()
    for number in range(100):
        rows.upsert(parts, {"dose_id": UUID(int=1), "number": number}, size=number)
    rows.keep()
    assert len(BulkWriter(db.engine.dialect).statements(rows.changes())) == 1


def test_few_insertions_go_beside_others_in_one_statement_and_deletions_do_not() -> None:
    writer = BulkWriter(postgresql.dialect())  # type: ignore[no-untyped-call]
    rows = PROJECTION.rows()
    rows.upsert(doses, {"dose_id": UUID(int=1)}, note="x")
    rows.upsert(parts, {"dose_id": UUID(int=1), "number": 1}, size=2)
    rows.keep()
    made = writer.statements(rows.changes())
    joined = writer.parts(made, 7)
    assert joined is not None
    sql, values = joined
    assert "$7::UUID[], $8::TEXT[]" in sql[0]
    assert "$9::UUID[], $10::INTEGER[], $11::INTEGER[]" in sql[1]
    assert values == [[UUID(int=1)], ["x"], [UUID(int=1)], [1], [2]]
    assert writer.parts(made * MOST_PARTS, 7) is None

    rows.delete(parts, {"dose_id": UUID(int=2)})
    rows.keep()
    assert writer.parts(writer.statements(rows.changes()), 7) is None


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # SQLite is told one statement after the other
async def test_nothing_is_written_beside_a_claim_that_comes_too_late(db: Database) -> None:
    await ledger.register(db, [PROJECTION.name])
    rows, writer = PROJECTION.rows(), BulkWriter(db.engine.dialect)
    rows.upsert(doses, {"dose_id": UUID(int=1)}, note="x")
    rows.keep()
    joined = writer.parts(writer.statements(rows.changes()), ledger.PARAMETERS + 1)
    assert joined is not None
    for seen, written in ((5, False), (0, True)):
        move = ledger.Move(PROJECTION.name, seen, 6, 1, None, frozenset({"dose"}), None, {"dose:1": 1}, {})
        async with db.driver() as connection:
            assert await ledger.claim(connection, [move], *joined) is written
        async with db.connect() as connection:
            assert bool((await connection.execute(select(doses))).all()) is written
