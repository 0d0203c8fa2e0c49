"""What the trial is told of rows that nobody can read: that they wait, why and since when, and no word of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.safety.tables import METADATA, lab_quarantine
from shared.contracts.safety_laboratory import LaboratoryRowQuarantined
from shared.eventstore.store import EventStore
from shared.kernel.actor import Role
from tests.services.safety.api.laboratory.test_results import (
    LABORATORY,
    QUARANTINE,
    any_lab,
    lab,
    mapped,
    outcomes,
    posted,
    read,
    row,
    sent,
)
from tests.services.safety.api.test_adverse_events import problem
from tests.services.safety.house import House

__all__ = ["any_lab", "lab"]
SOMEBODY = "Somchai Jaidee 5-1037"


async def told(house: House) -> list[tuple[str, Any]]:
    """Every event about rows in quarantine: its kind, and the row of `events`."""
    events = METADATA.tables["events"]
    query = select(events.c.stream, events.c.type, events.c.subject, events.c.data).order_by(events.c.position)
    query = query.where(events.c.stream.like("quarantined-row:%"))
    async with house.db.connect() as connection:
        found = (await connection.execute(query)).all()
    assert {each.subject for each in found} <= {"CU"}
    return [(each.type.removeprefix("safety.laboratory-row-"), each) for each in found]


async def kinds(house: House) -> list[str]:
    return [kind for kind, _ in await told(house)]


async def outbox(house: House) -> int:
    async with house.db.connect() as connection:
        return len((await connection.execute(select(METADATA.tables["outbox"]))).all())


async def test_a_row_that_cannot_be_read_is_told_of_without_its_content(any_lab: House) -> None:
    before = await outbox(any_lab)
    bad = row(1, value=SOMEBODY, row_id=SOMEBODY, specimen_id=SOMEBODY, unit=SOMEBODY)
    [kept] = (await sent(any_lab, bad))["rows"]
    [(kind, event)] = await told(any_lab)
    assert kind == "quarantined"
    assert event.stream == f"quarantined-row:{kept['quarantine_id']}"
    [shown] = (await read(any_lab, QUARANTINE))["items"]
    names = ("quarantine_id", "laboratory_id", "site_id", "problem", "received_at")
    assert json.loads(event.data).keys() == set(names)
    kept_as = {name: str(getattr(LaboratoryRowQuarantined.model_validate_json(event.data), name)) for name in names[:4]}
    assert kept_as == {name: shown[name] for name in names[:4]}
    assert "Somchai" not in event.data
    assert "Jaidee" not in event.data
    assert await outbox(any_lab) == before + 1


async def test_each_change_of_a_row_is_told_once(any_lab: House) -> None:
    bad = [row(number, analyte=None, local_code="GPT") for number in (1, 2)]
    for _ in range(2):
        assert outcomes(await sent(any_lab, *bad, row(3, value="?"))) == ["quarantined"] * 3
    assert await kinds(any_lab) == ["quarantined"] * 3
    await mapped(any_lab, GPT="ALT")
    for _ in range(2):
        await posted(any_lab, f"{QUARANTINE}/release", {"laboratory_id": LABORATORY})
    assert (await kinds(any_lab))[3:] == ["released"] * 2
    await sent(any_lab, row(3))
    (*_, (_, last)) = await told(any_lab)
    assert '"sent-again"' in last.data
    assert await kinds(any_lab) == ["quarantined"] * 3 + ["released"] * 3


async def test_a_row_is_discarded_once_with_its_reason(any_lab: House) -> None:
    [kept] = (await sent(any_lab, row(1, value="CONTROL")))["rows"]
    path, reason = f"{QUARANTINE}/{kept['quarantine_id']}/discard", {"reason": "A control of the analyser"}
    async with any_lab.client(Role.LABORATORY) as client:
        key = {"Idempotency-Key": "once"}
        answers = [await client.post(path, json=reason, headers=key) for _ in range(2)]
        answers.append(await client.post(path, json=reason))
        other = await client.post(path, json={"reason": "Another reason"}, headers=key)
    assert [(each.status_code, each.json()["version"]) for each in answers] == [(200, 2)] * 3
    assert answers[0].headers["Trial-Position"] == f"quarantined-row:{kept['quarantine_id']}@2"
    assert problem(other) == (409, "other-content-on-record")
    assert await kinds(any_lab) == ["quarantined", "discarded"]


async def test_a_batch_that_is_only_tried_tells_nothing(lab: House) -> None:
    assert outcomes(await sent(lab, row(1, value="?"), dry_run=True)) == ["quarantined"]
    assert await told(lab) == []


async def test_a_large_batch_is_told_of_row_by_row(any_lab: House) -> None:
    await sent(any_lab, *(row(number, value="?") for number in range(900)))
    assert await kinds(any_lab) == ["quarantined"] * 900


async def test_the_same_rows_sent_by_two_at_once_are_told_of_once(any_lab: House) -> None:
    rows = [row(number, value="?") for number in range(20)]
    await asyncio.gather(*(sent(any_lab, *rows) for _ in range(4)))
    assert await kinds(any_lab) == ["quarantined"] * 20


class Killed(BaseException):
    """The process died here."""


@pytest.mark.parametrize("act", ["keep", "release", "discard"])
async def test_a_row_and_its_event_change_together_or_not_at_all(
    any_lab: House, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = row(1, analyte=None, local_code="GPT")
    [kept] = (await sent(any_lab, bad))["rows"]
    await mapped(any_lab, GPT="ALT")
    place = f"{QUARANTINE}/{kept['quarantine_id']}"
    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        "keep": lambda: sent(any_lab, row(2, value="?")),
        "release": lambda: posted(any_lab, f"{place}/release", {}),
        "discard": lambda: posted(any_lab, f"{place}/discard", {"reason": "A control"}),
    }
    before = await stored(any_lab), await kinds(any_lab)
    appended = EventStore.append_within

    async def die(*given: Any) -> None:
        await appended(*given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EventStore, "append_within", die)
        with pytest.raises(BaseException):  # noqa: B017, PT011 - what a killed task leaves behind differs by database
            await steps[act]()
    assert (await stored(any_lab), await kinds(any_lab)) == before
    await steps[act]()
    after = {"keep": ["quarantined", "quarantined"], "release": ["quarantined", "released"]}
    assert await kinds(any_lab) == after.get(act, ["quarantined", "discarded"])


async def stored(house: House) -> list[tuple[UUID, str]]:
    async with house.db.connect() as connection:
        query = select(lab_quarantine.c.quarantine_id, lab_quarantine.c.state).order_by(lab_quarantine.c.quarantine_id)
        return [tuple(each) for each in (await connection.execute(query)).all()]  # type: ignore[misc]
