"""Parked events are listed, and taken in again once the cause is mended."""

import pytest

from shared.db import Database
from shared.kernel.events import Envelope
from shared.messaging import Undecodable
from shared.projection import Projection, Rows, parked, replay_parked, resume
from shared.projection.applying import Applier
from shared.projection.ledger import register
from shared.projection.parking import ProjectionHalted
from tests.shared.projection.support import (
    Dose,
    DoseGiven,
    a_projection,
    arriving,
    empty,
    known_of,
    rows_of,
    waiting_in,
)

STRICT = a_projection(strict=True)
MENDED = a_projection()
_takes_anything = MENDED.handlers["projectiontest.dose-given"]


def _mended(rows: Rows, event: DoseGiven, envelope: Envelope) -> None:
    _takes_anything(rows, event.model_copy(update={"note": None}), envelope)


MENDED.handlers["projectiontest.dose-given"] = _mended


async def an_applier(db: Database, projection: Projection = STRICT) -> Applier:
    applier = Applier(db, [projection])
    await register(db, applier.names)
    return applier


async def test_the_list_says_what_waits_and_why(db: Database) -> None:
    applier = await an_applier(db)
    foreign = Undecodable("no header ce_type", None, (), "what?")
    dose = Dose()
    await applier.apply(arriving([dose.given(note="poison"), foreign, dose.corrected()]))
    first, second, third = await parked(db, "doses")
    assert (first.subject, first.stream, first.version) == ("CU-001", dose.stream, 1)
    assert first.error.startswith("ValueError at support.py:")
    assert first.error.endswith("no handler takes poison")
    assert (second.subject, second.error) == ("", "no header ce_type")
    assert (third.version, third.error) == (2, "waits for an earlier event of its subject")


async def test_a_replay_leads_to_the_rows_that_would_have_been(db: Database) -> None:
    mended = await an_applier(db, MENDED)
    ill, well = Dose(1, "CU-001"), Dose(2, "CU-002")
    events = [ill.given(note="poison"), well.given(), ill.corrected("3"), ill.split(1, 2), well.corrected("4")]
    await mended.apply(arriving(events))
    expected = await rows_of(db), await known_of(db)

    await empty(db)
    await (await an_applier(db)).apply(arriving(events))
    assert await rows_of(db) != expected[0]

    (replayed,) = await replay_parked(db, MENDED)
    assert (replayed.subject, replayed.applied, replayed.left, replayed.error) == ("CU-001", 3, 0, None)
    assert (await rows_of(db), await known_of(db)) == expected
    assert await parked(db, "doses") == []


@pytest.mark.parametrize("note", ["poison", "place"])
async def test_what_still_cannot_be_taken_in_stays_with_all_that_follows(db: Database, note: str) -> None:
    applier = await an_applier(db)
    first, second = Dose(1), Dose(2)
    await applier.apply(
        arriving([Dose(9, "CU-009").given(note="place"), first.given(note=note), first.corrected(), second.given()])
    )
    (replayed,) = await replay_parked(db, STRICT, "CU-001")
    assert (replayed.applied, replayed.left) == (0, 3)
    assert replayed.error
    assert [version for _, _, version in await waiting_in(db)] == [1, 2, 1]


async def test_what_precedes_the_obstacle_is_taken_in(db: Database) -> None:
    applier = await an_applier(db)
    first, second, third = Dose(1), Dose(2), Dose(3)
    place = Dose(9, "CU-009").given(note="place")
    await applier.apply(arriving([place, first.given(note="poison"), second.given("8"), third.given(note="place")]))

    half_mended = a_projection(strict=True)
    strict = half_mended.handlers["projectiontest.dose-given"]
    half_mended.handlers["projectiontest.dose-given"] = lambda rows, event, envelope: strict(
        rows, event.model_copy(update={"note": None}) if event.note == "poison" else event, envelope
    )
    (replayed,) = await replay_parked(db, half_mended)
    assert (replayed.applied, replayed.left) == (2, 1)
    assert await waiting_in(db) == [("CU-001", third.stream, 1)]


async def test_the_live_runner_notices_a_replay(db: Database) -> None:
    applier = await an_applier(db, MENDED)
    dose = Dose()
    await (await an_applier(db)).apply(arriving([dose.given(note="poison")]))
    await applier.refresh()
    assert applier.standings["doses"].parked == {"CU-001"}
    await replay_parked(db, MENDED)
    await applier.apply(arriving([dose.corrected("5")], start=1))
    assert applier.standings["doses"].cursors[dose.stream] == 2
    assert await parked(db, "doses") == []


async def test_one_subject_can_be_replayed_by_itself(db: Database) -> None:
    applier = await an_applier(db)
    await applier.apply(arriving([Dose(1, "CU-001").given(note="poison"), Dose(2, "CU-002").given(note="poison")]))
    assert [one.subject for one in await replay_parked(db, MENDED, "CU-002")] == ["CU-002"]
    assert [subject for subject, _, _ in await waiting_in(db)] == ["CU-001"]


async def test_a_halted_projection_replays_nothing_until_it_is_resumed(db: Database) -> None:
    applier = await an_applier(db)
    ill, gappy = Dose(1, "CU-001"), Dose(2, "CU-002")
    given = gappy.given()
    await applier.apply(arriving([ill.given(note="poison"), gappy.corrected()]))
    with pytest.raises(ProjectionHalted):
        await replay_parked(db, MENDED)

    assert await resume(db, "doses")
    assert not await resume(db, "doses"), "it is not halted any more"
    await applier.refresh()
    await applier.apply(arriving([ill.envelopes[0], given, gappy.envelopes[1]]))
    assert applier.standings == {} or not applier.standings["doses"].halted
    assert len(await replay_parked(db, MENDED)) == 1
    assert await waiting_in(db) == []
