"""After the fault: what was accepted is there once, what was not is there wholly or not at all, and readers agree."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from tests.faults.load import Books, Outcome, Sent
from tests.flows import folding, records
from tests.flows.records import Message, Stored
from tests.flows.waiting import NeverHappened, until

DRAIN_SECONDS = 120.0
QUIET_SECONDS = 4.0


class Place(Protocol):
    """Where the events, the messages and the read models of a trial lie."""

    def events(self) -> list[Stored]: ...
    def waiting(self) -> dict[str, int]: ...
    def messages(self) -> list[Message]: ...
    def rows(self) -> dict[str, bytes]: ...
    def folded(self, *tellings: Iterable[Message]) -> dict[str, bytes]:
        """The read models of a new projector that is told these messages."""
        ...


@dataclass(frozen=True)
class OnPostgres:
    """The stack's PostgreSQL and Kafka; new projectors get databases from `create_database`."""

    dsn: str
    bootstrap: str
    create_database: Callable[[], str]

    def events(self) -> list[Stored]:
        return records.events_in_postgres(self.dsn)

    def waiting(self) -> dict[str, int]:
        return records.waiting_in_postgres(self.dsn)

    def messages(self) -> list[Message]:
        return records.messages_in_kafka(self.bootstrap)

    def rows(self) -> dict[str, bytes]:
        return records.rows_in_postgres(self.dsn)

    def folded(self, *tellings: Iterable[Message]) -> dict[str, bytes]:
        url = self.create_database()
        folding.fold(url, *tellings)
        return records.rows_in_postgres(url.replace("+asyncpg", ""))


@dataclass(frozen=True)
class OnSqlite:
    """The embedded trial's files; new projectors get files in `fresh`."""

    folder: Path
    fresh: Path

    def events(self) -> list[Stored]:
        return records.events_in_sqlite(self.folder)

    def waiting(self) -> dict[str, int]:
        return records.waiting_in_sqlite(self.folder)

    def messages(self) -> list[Message]:
        return records.messages_in_file(self.folder / "bus.sqlite3")

    def rows(self) -> dict[str, bytes]:
        return records.rows_in_sqlite(self.folder)

    def folded(self, *tellings: Iterable[Message]) -> dict[str, bytes]:
        self.fresh.mkdir(parents=True, exist_ok=True)
        file = self.fresh / "projector.sqlite3"
        file.unlink(missing_ok=True)
        folding.fold(f"sqlite+aiosqlite:///{file}", *tellings)
        return records.rows_in_sqlite(self.fresh)


def assert_nothing_is_lost_or_half_there(books: Books, place: Place, say: Callable[[str], None]) -> None:
    """The whole of it: stores, topics, read models, against the books of the clients."""
    assert books.refusals == [], "each should have been accepted, or answered as the first time"
    assert books.by(Outcome.ACCEPTED), "there was no load"
    until_settled(place)
    events = place.events()
    records.assert_whole(events)
    assert_streams_follow_the_books(books, events)
    assert_numbers_and_participants_agree(events)
    messages = place.messages()
    repeated = records.assert_published(events, messages)
    assert_read_models_show_every_event_once(place, messages, events)
    say(f"  {books.summary()}; {len(events)} events, {repeated} published again")


def until_settled(place: Place) -> None:
    """Wait until outboxes are empty and no worker has more to say: each looks for its work once a second."""
    seen, since = (dict[str, int](), 0), time.monotonic()

    def settled() -> bool:
        nonlocal seen, since
        now = (place.waiting(), len(place.events()))
        if now != seen or any(now[0].values()):
            seen, since = now, time.monotonic()
        return time.monotonic() - since > QUIET_SECONDS

    try:
        until("outboxes are drained, and nothing more is said", settled, seconds=DRAIN_SECONDS)
    except NeverHappened as never:
        never.add_note(f"waiting in outboxes {seen[0]}, {seen[1]} events on record")
        raise


def assert_read_models_show_every_event_once(place: Place, messages: list[Message], events: list[Stored]) -> None:
    """They come to be, byte for byte, what a new projector makes of the same messages."""
    expected = place.folded(messages)

    def differing() -> list[str]:
        return [name for name, rows in place.rows().items() if rows != expected[name]]

    with suppress(NeverHappened):
        until("read models have caught up", lambda: not differing(), seconds=DRAIN_SECONDS)
    assert differing() == []
    of_participants = [event for event in events if _is_uuid(event.subject) or _is_of_escalation(event)]
    assert len(expected["timeline"].splitlines()) == len(of_participants)


def _is_of_escalation(event: Stored) -> bool:
    """Whether the trial's escalation tells of one participant, as of a slot."""
    return event.stream.startswith("escalation:") and "participant_id" in json.loads(event.data)


def _is_uuid(subject: str) -> bool:
    """Whether an event is about a participant, not about a site, a laboratory or the trial."""
    try:
        UUID(subject)
    except ValueError:
        return False
    return True


def assert_streams_follow_the_books(books: Books, events: Iterable[Stored]) -> None:
    """Each stream holds the events of its accepted commands in order, and those of an unknown one wholly or not."""
    found: dict[str, list[Stored]] = {}
    for event in events:
        found.setdefault(event.stream, []).append(event)
    commands: dict[str, list[Sent]] = {}
    for sent in books.sent:
        commands.setdefault(sent.stream, []).append(sent)
    for stream, sent_to_it in commands.items():
        assert_follows(stream, sent_to_it, found.get(stream, []))


def assert_follows(stream: str, commands: Iterable[Sent], events: list[Stored]) -> None:
    types = tuple(event.type for event in events)
    place = 0
    for sent in commands:
        made = types[place : place + len(sent.events)]
        if sent.outcome is Outcome.ACCEPTED:
            assert made == sent.events, f"{stream}: accepted {sent.events}, found {made}"
            assert sent.position == f"{stream}@{place + len(sent.events)}"
        elif sent.outcome is not Outcome.UNKNOWN:
            continue
        elif made != sent.events:
            assert not made, f"{stream}: half of {sent.events} is there: {made}"
            continue
        assert len({event.command for event in events[place : place + len(made)]}) == 1
        place += len(made)
    assert place == len(types), f"{stream} holds what nobody sent: {types[place:]}"


def assert_numbers_and_participants_agree(events: Iterable[Stored]) -> None:
    """A subject number and its participant come with one command: both are there, or neither."""
    events = list(events)
    numbered = of_type(events, "enrollment.subject-number-allocated")
    screened = of_type(events, "enrollment.participant-screened")
    assert set(numbered) == set(screened)
    numbers: dict[str, list[int]] = {}
    for event in sorted(numbered.values(), key=lambda each: each.position):
        numbers.setdefault(event.subject, []).append(json.loads(event.data)["sequence"])
    for site, given in numbers.items():
        assert given == list(range(1, len(given) + 1)), f"{site} gave the numbers {given}"


def of_type(events: Iterable[Stored], name: str) -> Mapping[str, Stored]:
    found = [event for event in events if event.type == name]
    by_command = {event.command: event for event in found}
    assert len(by_command) == len(found), f"one command made two {name}"
    return by_command
