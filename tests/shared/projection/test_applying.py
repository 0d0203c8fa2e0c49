"""A batch of messages becomes rows, cursors and positions, exactly once, whatever arrives how often."""

import itertools
from decimal import Decimal

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.db import Database
from shared.kernel.events import Envelope
from shared.messaging import Undecodable
from shared.projection import Projection, ledger
from shared.projection.applying import Applier
from shared.projection.planning import Step
from tests.shared.projection.support import (
    CLINIC,
    DOSES,
    OTHER_TABLES,
    Dose,
    DoseGiven,
    a_projection,
    an_envelope,
    arriving,
    doses,
    empty,
    firsts,
    known_of,
    parts,
    rows_of,
    waiting_in,
)

PROJECTION = a_projection()
STRICT = a_projection("strict", tables=OTHER_TABLES, strict=True)


async def an_applier(db: Database, *projections: Projection) -> Applier:
    applier = Applier(db, projections or [PROJECTION])
    await ledger.register(db, applier.names)
    return applier


async def apply(db: Database, *envelopes: object, start: int = 0, projection: Projection = PROJECTION) -> list[Step]:
    applier = await an_applier(db, projection)
    return await applier.apply(arriving(envelopes, start=start))


async def column(db: Database, of: sa.Column) -> list[object]:
    async with db.connect() as connection:
        return list(await connection.scalars(sa.select(of).order_by(*of.table.primary_key)))


async def test_events_become_rows(db: Database) -> None:
    dose = Dose()
    await apply(db, dose.given("1.50"), dose.corrected("2.500"), dose.split(3, 4), dose.discussed())

    async with db.connect() as connection:
        row = (await connection.execute(sa.select(doses))).one()
        assert (await connection.execute(sa.select(parts.c.number, parts.c.size))).all() == [(0, 3), (1, 4)]
    assert (row.amount, row.status, row.confirmed) == (Decimal("2.500"), "corrected", False)
    assert row.dose_id == dose.id
    assert row.given_at == dose.envelopes[0].recorded_at
    assert row.given_on == dose.envelopes[0].recorded_at.date()
    assert row.tags == {"version": 1, "amount": "1.50"}


@pytest.mark.parametrize("amount", ["0.1", "1.50", "1000000000000000000000.000000000001", "-0.30", "0.000", "7"])
async def test_decimals_come_back_digit_for_digit(db: Database, amount: str) -> None:
    await apply(db, Dose().given(amount))
    (found,) = await column(db, doses.c.amount)
    assert str(found) == amount


async def test_an_event_seen_before_changes_nothing(db: Database) -> None:
    dose = Dose()
    first, second = dose.given("1"), dose.corrected("2")
    await apply(db, first, second)
    before = await rows_of(db), await known_of(db)
    (step,) = await apply(db, first, second, first, start=2)
    assert step.counts.duplicates == 3
    assert (await rows_of(db), await known_of(db)) == before


async def test_a_kind_of_event_without_a_handler_moves_the_cursor_and_is_counted(db: Database) -> None:
    dose = Dose()
    (step,) = await apply(db, dose.given(), dose.discussed(), dose.corrected())
    assert (step.counts.applied, step.counts.ignored) == (2, 1)
    assert f"('{dose.stream}', 3)" in await known_of(db)


async def test_events_of_kinds_nobody_handles_are_not_decoded(db: Database) -> None:
    unknown = an_envelope(
        DoseGiven(dose_id=Dose().id, participant_id="CU-001", amount=Decimal(1)), "dose:x", 1, "CU-001"
    )
    from_the_future = unknown.model_copy(update={"type": "projectiontest.not-invented-yet", "data": "no JSON at all"})
    (step,) = await apply(db, from_the_future)
    assert step.counts.ignored == 1


async def test_a_gap_halts_the_projection_before_it_and_stays(db: Database) -> None:
    dose, other = Dose(1), Dose(2)
    first, second, third = dose.given("1"), dose.corrected("2"), dose.corrected("3")
    (step,) = await apply(db, first, third, other.given())
    assert step.halted
    assert await column(db, doses.c.amount) == [Decimal(1)]

    assert await apply(db, second, third, other.given(), start=1) == [], "a new process leaves it halted"
    assert "is at version 1, and version 3 arrived at trial.doses/0@1" in await known_of(db)


async def test_a_gap_halts_its_projection_alone(db: Database) -> None:
    both = a_projection("both", tables=OTHER_TABLES, topics=[DOSES, CLINIC])
    applier = await an_applier(db, PROJECTION, both)
    dose = Dose()
    dose.given()
    await applier.apply(arriving([dose.corrected()], topic=CLINIC))
    await applier.apply(arriving(dose.envelopes))
    assert applier.standings["both"].halted
    assert applier.standings["doses"].cursors[dose.stream] == 2


async def test_what_a_handler_cannot_take_parks_its_subject_alone(db: Database) -> None:
    ill, well = Dose(1, "CU-001"), Dose(2, "CU-002")
    (step,) = await apply(db, ill.given(note="poison"), well.given(), ill.corrected(), well.corrected())
    assert step.counts.parked == 2
    assert await waiting_in(db) == [("CU-001", ill.stream, 1), ("CU-001", ill.stream, 2)]
    assert await column(db, doses.c.participant_id) == ["CU-002"]
    assert await column(db, firsts.c.participant_id) == ["CU-002"], "no half of what the handler said"


async def test_another_stream_of_a_parked_subject_waits_too(db: Database) -> None:
    ill, later = Dose(1), Dose(2)
    await apply(db, ill.given(note="poison"))
    await apply(db, later.given(), start=1)
    await apply(db, later.corrected(), later.envelopes[0], start=2)
    assert await waiting_in(db) == [("CU-001", ill.stream, 1), ("CU-001", later.stream, 1), ("CU-001", later.stream, 2)]


async def test_a_damaged_event_parks_its_subject(db: Database) -> None:
    damaged = Dose(1).given().model_copy(update={"data": '{"dose_id": 1}'})
    await apply(db, damaged, Dose(2, "CU-002").given())
    assert [subject for subject, _, _ in await waiting_in(db)] == ["CU-001"]


@pytest.mark.parametrize(
    ("db", "note"),
    [  # SQLite takes a NUL
        *itertools.product(["sqlite", "postgresql"], ["place", "huge"]),
        pytest.param("postgresql", "a\x00b", id="postgresql-NUL"),
    ],
    indirect=["db"],
)
async def test_what_the_database_refuses_is_traced_to_its_event(db: Database, note: str) -> None:
    ill, well = Dose(1, "CU-001"), Dose(2, "CU-002")
    early = [ill.given(), well.given(note="place"), ill.corrected("7"), Dose(3, "CU-001").given(note=note)]
    applier = await an_applier(db, STRICT, PROJECTION)
    await applier.apply(arriving([*early, ill.corrected("9"), well.corrected("9")]))
    await applier.refresh()

    assert [entry[1:] for entry in await waiting_in(db, "strict")] == [(Dose(3).stream, 1), (ill.stream, 3)]
    assert applier.standings["strict"].parked == {"CU-001"}
    assert applier.standings["strict"].cursors[well.stream] == 2
    if note != "a\x00b":
        assert await waiting_in(db, "doses") == [], "the other projection takes what its own tables take"


async def test_a_missing_table_is_a_bug_and_parks_nobody(db: Database) -> None:
    async with db.begin() as connection:
        await connection.run_sync(parts.drop)
    with pytest.raises((sa.exc.DBAPIError, asyncpg.UndefinedTableError)):
        await apply(db, Dose().split(1))
    assert await waiting_in(db) == []


async def test_a_message_that_is_not_ours_is_kept_and_stops_nobody(db: Database) -> None:
    foreign = Undecodable("no header ce_type", "CU-001", (("x", "y"),), "\x00\x01 what?")
    (step,) = await apply(db, foreign, Dose().given())
    assert step.counts.foreign == 1
    assert await waiting_in(db) == [("", "trial.doses/0", 0)]
    assert len(await column(db, doses.c.dose_id)) == 1


async def test_a_second_runner_cannot_apply_from_what_it_has_not_seen(db: Database) -> None:
    """A lease that failed over while its holder slept: both are awake for a moment."""
    mine, theirs = await an_applier(db), await an_applier(db)
    dose = Dose()
    first, second, third = dose.given("1"), dose.corrected("2"), dose.corrected("3")
    await mine.apply(arriving([first]))
    await theirs.apply(arriving([first, second, third]))
    await mine.apply(arriving([second], start=1))
    assert await column(db, doses.c.amount) == [Decimal(3)], "the older event does not come back"
    await mine.apply(arriving([second, third], start=1))
    assert await column(db, doses.c.amount) == [Decimal(3)]
    assert mine.standings["doses"].events == 3


async def test_positions_of_several_projections_move_on_their_own(db: Database) -> None:
    """A projection that is added later reads from the beginning what the others have already."""
    dose = Dose()
    await apply(db, dose.given(), dose.corrected())
    new = a_projection("new", tables=OTHER_TABLES)
    applier = await an_applier(db, PROJECTION, new)
    steps = await applier.apply(arriving(dose.envelopes))
    assert [step.projection.name for step in steps] == ["new"]
    assert applier.standings["new"].events == 2


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Envelope], list[Envelope], list[int]]:
    """Events of a few doses; the same with repetitions, as a relay that died may repeat them; and batch cuts."""
    streams = [Dose(number, f"CU-00{number % 2}") for number in range(3)]
    for _ in range(draw(st.integers(1, 12))):
        dose = draw(st.sampled_from(streams))
        match draw(st.sampled_from(["given", "corrected", "split", "retracted", "discussed", "nulled"])):
            case "given":
                dose.given(draw(st.sampled_from(["1.50", "0.3"])), draw(st.sampled_from([None, "x", "poison"])))
            case "corrected":
                dose.corrected(draw(st.sampled_from(["2", "3.00"])))
            case "split":
                dose.split(*draw(st.lists(st.integers(1, 3), max_size=3)))
            case "retracted":
                dose.retracted()
            case "discussed":
                dose.discussed()
            case _:
                dose.corrected(None)
    order: list[Envelope] = []
    left = [list(dose.envelopes) for dose in streams]
    while any(left):
        order.append(draw(st.sampled_from([stream for stream in left if stream])).pop(0))
    repeated: list[Envelope] = []
    for number in range(len(order)):
        repeated += order[draw(st.integers(0, number)) : number + 1] if draw(st.booleans()) else [order[number]]
    cuts = sorted(draw(st.lists(st.integers(0, len(repeated)), max_size=5)))
    return order, repeated, cuts


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_repetition_and_batching_leave_no_trace(
    db: Database, history: tuple[list[Envelope], list[Envelope], list[int]]
) -> None:
    order, repeated, cuts = history
    await empty(db)
    for offset, envelope in enumerate(order):
        await apply(db, envelope, start=offset)
    one_by_one = await rows_of(db), await known_of(db), sorted(await waiting_in(db))

    await empty(db)
    for low, high in zip([0, *cuts], [*cuts, len(repeated)], strict=True):
        await apply(db, *repeated[low:high], start=low)
    assert (await rows_of(db), await known_of(db), sorted(await waiting_in(db))) == one_by_one

    await apply(db, *order, *repeated, start=len(repeated))
    assert (await rows_of(db), await known_of(db), sorted(await waiting_in(db))) == one_by_one
