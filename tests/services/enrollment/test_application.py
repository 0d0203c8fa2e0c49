"""Numbers and participants under a race, on both databases; and the tables that the migrations make."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.enrollment.app import SERVICE
from services.enrollment.application import Enrollment, SiteBusy
from services.enrollment.domain.screening import ScreenParticipant
from services.enrollment.domain.site import OpenSite
from services.enrollment.tables import METADATA
from shared import migrations
from shared.db import Database
from shared.eventstore.store import EventStore, OtherContentOnRecord, Receipt, Write
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import AlreadyExists, StaleVersion
from tests.services.enrollment.builders import NOW, PROTOCOL, consent, screening
from tests.services.enrollment.conftest import CU, KKU

SOMEBODY = Actor("co-1", frozenset({Role.COORDINATOR}), None, Role.COORDINATOR)


async def with_an_open_site(db: Database, store: EventStore | None = None) -> Enrollment:
    opened = Enrollment(db, EventStore(db), PROTOCOL, lambda: NOW)
    await opened.open_site(OpenSite.model_validate(CU), command_id=uuid4(), by=SOMEBODY)
    return Enrollment(db, store or EventStore(db), PROTOCOL, lambda: NOW)


def a_person(who: UUID, **fields: Any) -> ScreenParticipant:
    return screening(participant_id=who, **fields)


async def screen(enrollment: Enrollment, who: UUID, **fields: Any) -> Receipt:
    return await enrollment.screen(a_person(who, **fields), participant_id=who, by=SOMEBODY)


async def numbers(enrollment: Enrollment) -> list[tuple[str, str]]:
    """Each number that the site gave, with the participant it was given to."""
    history = await enrollment.site_history("CU", by=SOMEBODY)
    given = [json.loads(envelope.data) for envelope in history[1:]]
    return [(each["participant_id"], each["subject_number"]) for each in given]


async def test_people_screened_at_once_get_one_number_each(either: Database) -> None:
    enrollment = await with_an_open_site(either)
    people = [uuid4() for _ in range(16)]
    await asyncio.gather(*(screen(enrollment, who) for who in people))
    given = await numbers(enrollment)
    assert [number for _, number in given] == [f"CU-{sequence:03}" for sequence in range(1, 17)]
    assert {who for who, _ in given} == {str(who) for who in people}
    for who, number in given:
        participant, version = await enrollment.participant(UUID(who), by=SOMEBODY)
        assert (participant.subject_number, version) == (number, 1)


async def test_one_request_sent_many_times_at_once_is_one_person(either: Database) -> None:
    enrollment, who = await with_an_open_site(either), uuid4()
    receipts = await asyncio.gather(*(screen(enrollment, who) for _ in range(8)))
    assert {receipt.position for receipt in receipts} == {f"participant:{who}@1"}
    assert await numbers(enrollment) == [(str(who), "CU-001")]


async def test_two_contents_under_one_id_leave_one_person_and_one_number(either: Database) -> None:
    enrollment, who = await with_an_open_site(either), uuid4()
    answers = await asyncio.gather(
        screen(enrollment, who), screen(enrollment, who, birth_month="2018-01"), return_exceptions=True
    )
    refused = [answer for answer in answers if not isinstance(answer, Receipt)]
    assert [isinstance(answer, AlreadyExists) for answer in refused] == [True]  # by id or by state: 409 either way
    assert await numbers(enrollment) == [(str(who), "CU-001")]


class Killed(Exception):
    """Stands for a process that ends at this place."""


class KilledAtTheAppend(EventStore):
    """Ends before its append reaches the database, or after the database has committed it."""

    def __init__(self, db: Database, *, committed: bool) -> None:
        super().__init__(db)
        self.committed = committed
        self.streams: list[list[str]] = []

    async def append(self, *writes: Write) -> Receipt:
        self.streams.append([write.stream for write in writes])
        if self.committed:
            await super().append(*writes)
        raise Killed


@pytest.mark.parametrize("committed", [False, True])
async def test_a_process_that_is_killed_leaves_number_and_participant_or_neither(
    either: Database, committed: bool
) -> None:
    store, who = KilledAtTheAppend(either, committed=committed), uuid4()
    enrollment = await with_an_open_site(either, store)
    with pytest.raises(Killed):
        await screen(enrollment, who)
    assert store.streams == [["site:CU", f"participant:{who}"]]  # one append for both
    there = await EventStore(either).read(f"participant:{who}")
    assert (len(await numbers(enrollment)), len(there)) == ((1, 1) if committed else (0, 0))


async def test_the_same_request_after_a_kill_finishes_what_was_begun(either: Database) -> None:
    who = uuid4()
    enrollment = await with_an_open_site(either, KilledAtTheAppend(either, committed=True))
    with pytest.raises(Killed):
        await screen(enrollment, who)
    again = Enrollment(either, EventStore(either), PROTOCOL, lambda: NOW)
    assert (await screen(again, who)).replayed
    assert await numbers(again) == [(str(who), "CU-001")]


class AlwaysLate(EventStore):
    """Somebody else writes first, every time."""

    async def append(self, *writes: Write) -> Receipt:
        raise StaleVersion(f"{writes[0].stream} has moved on")


async def test_whoever_loses_every_race_is_told_to_try_again(either: Database) -> None:
    enrollment = await with_an_open_site(either, AlwaysLate(either))
    with pytest.raises(SiteBusy):
        await screen(enrollment, uuid4())


async def test_a_person_screened_again_by_another_client_keeps_the_first_number(either: Database) -> None:
    enrollment, who = await with_an_open_site(either), uuid4()
    await screen(enrollment, who)
    assert (await screen(enrollment, who)).replayed
    with pytest.raises(OtherContentOnRecord):
        await screen(enrollment, who, sex="M")


async def test_two_sites_number_their_own(either: Database) -> None:
    enrollment = await with_an_open_site(either)
    await enrollment.open_site(OpenSite.model_validate(KKU), command_id=uuid4(), by=SOMEBODY)
    here, there = uuid4(), uuid4()
    await asyncio.gather(screen(enrollment, here), screen(enrollment, there, site_id="KKU"))
    first, _ = await enrollment.participant(here, by=SOMEBODY)
    second, _ = await enrollment.participant(there, by=SOMEBODY)
    assert (first.subject_number, second.subject_number) == ("CU-001", "KKU-001")


async def test_changes_of_one_participant_at_once_are_decided_one_by_one(either: Database) -> None:
    enrollment, who = await with_an_open_site(either), uuid4()
    await screen(enrollment, who)

    async def obtain(version: str) -> Receipt:
        command = consent(document_version=version)
        return await enrollment.change(who, command, expected=1, command_id=uuid4(), by=SOMEBODY)

    answers = await asyncio.gather(*(obtain(f"2.{n}") for n in range(6)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Receipt"] + ["StaleVersion"] * 5


async def test_the_migrations_make_the_tables_of_the_code(either: Database) -> None:
    await migrations.check(either, SERVICE.migrations, METADATA)
