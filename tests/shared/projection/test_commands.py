"""What operators type, what is printed, and the exit code."""

import pytest

from shared.db import Database
from shared.messaging import LocalBus
from shared.projection import commands
from shared.projection.applying import Applier
from shared.projection.ledger import register
from tests.shared.projection.support import DOSES, Dose, a_projection, arriving

PROJECTION = a_projection()
Output = pytest.CaptureFixture[str]


async def given(db: Database, bus: LocalBus, *envelopes: object) -> None:
    await register(db, [PROJECTION.name])
    await Applier(db, [PROJECTION]).apply(arriving(envelopes))
    await bus.publish(DOSES, envelopes)  # type: ignore[arg-type]


async def run(db: Database, bus: LocalBus, *words: str) -> int:
    return await commands.run(db, bus, [PROJECTION], words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rebuild"], "usage: rebuild NAME"),
        (["burn", "doses"], "usage: rebuild NAME"),
        (["rebuild", "doses", "twice"], "usage: rebuild NAME"),
        (["parked", "dozes"], "there is no projection 'dozes' here; there are: doses"),
    ],
)
async def test_misuse_is_explained(db: Database, bus: LocalBus, capsys: Output, words: list[str], said: str) -> None:
    assert await run(db, bus, *words) == 2
    assert said in capsys.readouterr().err


async def test_rebuild_shows_lines_where_there_is_no_terminal(db: Database, bus: LocalBus, capsys: Output) -> None:
    await given(db, bus, *(Dose(number).given() for number in range(3)))
    assert await run(db, bus, "rebuild", "doses") == 0
    shown = capsys.readouterr()
    assert shown.err == "rebuild doses: 3 of 3\n"
    assert shown.out == "doses was rebuilt from 3 events and swapped in\n"


async def test_where_a_projection_has_halted_is_said(db: Database, bus: LocalBus, capsys: Output) -> None:
    dose = Dose()
    first, _, third = dose.given(), dose.corrected(), dose.corrected()
    await given(db, bus, first, third)
    assert await run(db, bus, "parked", "doses") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"0 parked in doses\ndoses is halted: {dose.stream} is at version 1, and version 3 arrived")

    assert await run(db, bus, "resume", "doses") == 0
    capsys.readouterr()
    assert await run(db, bus, "parked", "doses") == 0
    assert capsys.readouterr().out == "0 parked in doses\n"


async def test_parked_events_are_listed_and_replayed(db: Database, bus: LocalBus, capsys: Output) -> None:
    dose = Dose()
    await given(db, bus, dose.given(note="poison"), dose.corrected())
    assert await run(db, bus, "parked", "doses") == 0
    listed = capsys.readouterr().out
    assert f"CU-001                                {dose.stream}@1  ValueError at support.py" in listed
    assert listed.endswith("2 parked in doses\n")

    assert await run(db, bus, "replay-parked", "doses") == 1
    assert "CU-001: 0 taken in, 2 left: ValueError" in capsys.readouterr().out
    assert await run(db, bus, "replay-parked", "doses", "CU-002") == 0
    assert capsys.readouterr().out == "nothing is parked in doses for CU-002\n"


async def test_resume_says_whether_it_woke_anybody(db: Database, bus: LocalBus, capsys: Output) -> None:
    dose = Dose()
    dose.given()
    await given(db, bus, dose.corrected())
    for said in ("doses reads its topics again\n", "doses was not halted\n"):
        assert await run(db, bus, "resume", "doses") == 0
        assert capsys.readouterr().out == said
