"""The watch over baselines: what becomes known of treatment grades anew what is on record, by itself and once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.safety.laboratory import intake
from services.safety.laboratory.people import People, person
from services.safety.laboratory.people import people as people_of
from services.safety.laboratory.regrading import Regrading
from services.safety.tables import laboratory_looks
from shared.db import DatabaseAway
from shared.eventstore.store import Receipt
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import NoSuchParticipant, StaleVersion
from shared.kernel.events import Event
from shared.protocol import Protocol
from shared.protocol.safety import GradingBaseline
from tests.services.safety.api.laboratory.test_results import RECORD, read, results, sent
from tests.services.safety.builders import CHILD, PROTOCOL
from tests.services.safety.house import House, infused, screened
from tests.services.safety.laboratory.treated import (
    COURSE,
    STREAM,
    a_course,
    a_round,
    alt,
    corrected,
    happened,
    infusion_corrected,
    infusion_retracted,
    lymphodepletion,
    retracted,
    watch_of,
)

SYSTEM = Actor("baseline-watch", frozenset({Role.SYSTEM}), None, Role.SYSTEM)
RAISED = {"d08": "30", "d12": "60", "d15": "250"}  # grade 2 of the baseline of the 12th, 3 of that of the 8th


async def graded(house: House, day: str = "15") -> tuple[int | None, str | None, str | None]:
    """Grade, the row that is the baseline, and what that lies before."""
    known = {each["result_id"]: each for each in await results(house)}
    [result] = [each for each in known.values() if each["row"] == f"R{day}"]
    used = result["baseline"]
    grade: int | None = result["grades"][0]["grade"]
    return (grade, None, None) if used is None else (grade, known[used["result_id"]]["row"], used["basis"])


async def candidates(house: House) -> list[tuple[str, int, str | None, bool]]:
    """Onset, worst grade, end, and whether it was withdrawn."""
    listed = await read(house, f"/v1/participants/{CHILD}/candidates")
    courses = [(each["course"], each["withdrawn"]) for each in listed]
    return [(c["onset"][-2:], c["worst_grade"], c["ended_on"] and c["ended_on"][-2:], gone) for c, gone in courses]


async def test_a_lymphodepletion_known_after_the_results_grades_them_anew(any_house: House) -> None:
    house = any_house
    await a_course(house, **RAISED)
    await a_round(house)
    assert await graded(house) == (2, "R12", "before-infusion-no-lymphodepletion")
    assert await candidates(house) == [("12", 2, None, False)]
    before = await happened(house)
    await house.hears(lymphodepletion())
    await a_round(house)
    assert await graded(house) == (3, "R08", "before-lymphodepletion")
    assert await graded(house, "12") == (1, "R08", "before-lymphodepletion")
    assert await candidates(house) == [("12", 3, None, False)]
    after = ["laboratory-results-regraded", "adverse-event-candidate-followed"]
    assert await happened(house) == [*before, *after]
    await a_round(house)
    await a_round(house)
    assert await happened(house) == [*before, *after]
    history = await read(house, f"{RECORD}/history")
    assert {entry["actor"] for entry in history[-2:]} == {"baseline-watch"}
    assert len({entry["recorded_at"] for entry in history[-2:]}) == 1


@pytest.mark.parametrize(
    ("told", "baseline", "basis", "grade"),
    [
        ([lymphodepletion(), corrected("2026-03-13")], "R12", "before-lymphodepletion", 2),
        ([lymphodepletion("2026-03-13"), corrected("2026-03-09")], "R08", "before-lymphodepletion", 3),
        ([lymphodepletion(), retracted()], "R12", "before-infusion-no-lymphodepletion", 2),
        ([lymphodepletion(prepares_infusion=2)], "R12", "before-infusion-no-lymphodepletion", 2),
        ([lymphodepletion("2026-03-12")], "R12", "before-lymphodepletion", 2),  # that day, before the first dose
        (
            [lymphodepletion("2026-03-12", first_dose_at="2026-03-12T07:00:00+07:00")],
            "R08",
            "before-lymphodepletion",
            3,
        ),
        (
            [lymphodepletion("2026-03-13"), lymphodepletion("2026-03-09", lymphodepletion_id=uuid4())],
            "R08",
            "before-lymphodepletion",
            3,
        ),
        (
            [lymphodepletion("2026-03-13"), lymphodepletion(lymphodepletion_id=uuid4()), retracted()],
            "R08",
            "before-lymphodepletion",
            3,
        ),
        ([infusion_corrected("2026-03-11T10:00:00+07:00")], "R08", "before-infusion-no-lymphodepletion", 3),
        ([infusion_retracted()], None, None, 3),
        ([infusion_retracted(), lymphodepletion()], "R08", "before-lymphodepletion", 3),
    ],
)
async def test_whatever_is_put_right_about_treatment_is_followed(
    house: House, told: list[Event], baseline: str | None, basis: str | None, grade: int
) -> None:
    await a_course(house, **RAISED)
    await a_round(house)
    for each in told:
        await house.hears(each)
        await a_round(house)
    assert await graded(house) == (grade, baseline, basis)
    assert [worst for _, worst, _, _ in await candidates(house)] == [grade]


async def test_candidates_close_and_open_with_the_grades_of_another_baseline(any_house: House) -> None:
    """80 is twice the upper limit after a normal baseline, and 1.3 times an abnormal one of 60, which is no grade."""
    house = any_house
    await a_course(house, d08="60", d12="30", d15="80")
    await a_round(house)
    assert await candidates(house) == [("08", 1, "12", False), ("15", 1, None, False)]
    await house.hears(lymphodepletion())
    await a_round(house)
    assert await candidates(house) == [("08", 1, "12", False), ("15", 1, None, True)]
    await house.hears(retracted())
    await a_round(house)
    assert await candidates(house) == [("08", 1, "12", False), ("15", 1, None, False)]
    assert (await happened(house))[-1] == "adverse-event-candidate-followed"


async def test_results_of_a_child_who_was_prepared_already_need_no_second_grading(house: House) -> None:
    await house.hears(lymphodepletion())
    await a_course(house, **RAISED)
    assert await graded(house) == (3, "R08", "before-lymphodepletion")
    before = await happened(house)
    await a_round(house)
    assert await happened(house) == before


async def test_the_protocols_rule_may_change(house: House) -> None:
    await house.hears(lymphodepletion())
    await a_course(house, **RAISED)
    await a_round(house)
    await a_round(house, before_infusion())
    assert await graded(house) == (2, "R12", "before-infusion")
    assert (await house.store.read(STREAM))[-1].event_type.endswith("followed")


def before_infusion() -> Protocol:
    rule = PROTOCOL.ctcae.baseline.model_copy(update={"value": GradingBaseline.LAST_BEFORE_INFUSION})
    chosen = {"version": "9.0.0", "ctcae": PROTOCOL.ctcae.model_copy(update={"baseline": rule})}
    return PROTOCOL.model_copy(update=chosen)


async def test_a_result_that_arrives_while_treatment_becomes_known_is_graded_anew(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch has read who the child is; then the lymphodepletion is heard and looked at; then the batch records."""
    house = any_house
    await a_course(house, d08="30", d12="60")
    await a_round(house)
    people = people_of

    async def read_before_the_lymphodepletion(*arguments: Any) -> People:
        known = await people(*arguments)
        await house.hears(lymphodepletion())
        await a_round(house)
        return known

    with monkeypatch.context() as patch:
        patch.setattr(intake, "people", read_before_the_lymphodepletion)
        await sent(house, alt("15", "250"))
    assert await graded(house) == (2, "R12", "before-infusion-no-lymphodepletion")
    await a_round(house)
    assert await graded(house) == (3, "R08", "before-lymphodepletion")


async def test_two_watches_at_once_say_everything_once(any_house: House) -> None:
    house = any_house
    await a_course(house, **RAISED)
    await house.hears(lymphodepletion())
    await house.hears_itself()
    await asyncio.gather(*(watch_of(house).round(asyncio.Event()) for _ in range(4)))
    after = ["laboratory-results-regraded", "adverse-event-candidate-followed"]
    assert [kind for kind in await happened(house) if kind in after] == after


class Killed(BaseException):
    """The process died here: nothing catches it, as nothing catches kill -9."""


def dying(method: Callable[..., Awaitable[Any]], *, after: bool) -> Callable[..., Awaitable[Any]]:
    async def die(*arguments: Any, **named: Any) -> Any:
        if after:
            await method(*arguments, **named)
        raise Killed

    return die


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", ["_due", "_note", "_regrading.look", "store.append", "store.read"])
async def test_killed_at_any_await_nothing_is_lost_and_nothing_is_said_twice(
    house: House, place: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_course(house, **RAISED)
    deaths = 0
    for told in (None, lymphodepletion(), retracted()):
        if told is not None:
            await house.hears(told)
        await house.hears_itself()
        doomed = watch_of(house)
        owner, _, name = place.rpartition(".")
        target = {"": doomed, "_regrading": doomed._regrading, "store": house.store}[owner]
        with monkeypatch.context() as patch:
            patch.setattr(target, name, dying(getattr(target, name), after=after))
            try:
                await doomed.round(asyncio.Event())
            except Killed:
                deaths += 1
        await a_round(house)
        await a_round(house)
    assert deaths >= 2
    twice = ["laboratory-results-regraded", "adverse-event-candidate-followed"] * 2
    assert [kind for kind in await happened(house) if kind in twice] == twice


async def test_who_keeps_being_written_to_is_looked_at_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_course(house, **RAISED)
    await house.hears(lymphodepletion())
    append = house.store.append
    others = iter(["16"])

    async def overtaken(*writes: Any) -> Receipt:
        day = next(others, None)
        if writes[0].recording.by.id == "baseline-watch" and day is not None:
            monkeypatch.setattr(house.store, "append", append)
            house.wait(days=2)
            await sent(house, alt("16", "250"))
            monkeypatch.setattr(house.store, "append", overtaken)
        return await append(*writes)

    monkeypatch.setattr(house.store, "append", overtaken)
    await a_round(house)
    assert await graded(house) == (3, "R08", "before-lymphodepletion")
    assert await graded(house, "16") == (3, "R08", "before-lymphodepletion")

    async def never(*_writes: Any) -> Receipt:
        raise StaleVersion("somebody else wrote")

    await house.hears(retracted())
    monkeypatch.setattr(house.store, "append", never)
    with pytest.raises(StaleVersion):
        await a_round(house)


async def test_a_database_that_is_away_is_waited_out(house: House, caplog: pytest.LogCaptureFixture) -> None:
    stop, watch = asyncio.Event(), watch_of(house)

    async def away() -> Any:
        stop.set()
        raise DatabaseAway("gone")

    watch._due = away  # type: ignore[method-assign]
    await watch.run(stop)
    assert [told.__dict__["lease"] for told in caplog.records] == ["baseline-watch"]


async def test_a_worker_that_is_told_to_stop_looks_at_no_more(house: House) -> None:
    await a_course(house, **RAISED)
    await house.hears_itself()
    stop = asyncio.Event()
    stop.set()
    await watch_of(house).round(stop)
    async with house.db.connect() as connection:
        assert (await connection.execute(select(laboratory_looks))).all() == []


async def test_who_has_no_results_is_not_looked_at_and_who_is_unknown_cannot_be(house: House) -> None:
    other = uuid4()
    await house.hears(screened(other, subject_number="CU-002"), infused(other), lymphodepletion(participant_id=other))
    await a_round(house)
    async with house.db.connect() as connection:
        assert (await connection.execute(select(laboratory_looks))).all() == []
    stranger = uuid4()
    with pytest.raises(NoSuchParticipant):
        await person(house.db, stranger)
    with pytest.raises(NoSuchParticipant):
        await Regrading(house.db, house.store, PROTOCOL, house.clock).look(stranger, by=SYSTEM)
    await house.hears(lymphodepletion(participant_id=stranger))  # it arrives before its participant
    with pytest.raises(NoSuchParticipant):
        await person(house.db, stranger)


async def test_a_person_is_known_with_every_course_that_prepared_the_first_infusion(any_house: House) -> None:
    house = any_house
    await house.hears(
        lymphodepletion("2026-03-09"),
        lymphodepletion("2026-03-02", lymphodepletion_id=uuid4(), first_dose_at="2026-03-02T09:00:00+07:00"),
        lymphodepletion("2026-04-02", lymphodepletion_id=uuid4(), prepares_infusion=2),
    )
    known = await person(house.db, CHILD)
    assert sorted(each.began_on.isoformat() for each in known.lymphodepletions) == ["2026-03-02", "2026-03-09"]
    assert [each.first_dose_at is None for each in sorted(known.lymphodepletions, key=lambda e: e.began_on)] == [
        False,
        True,
    ]
    await house.hears(retracted(COURSE))
    assert len((await person(house.db, CHILD)).lymphodepletions) == 1
