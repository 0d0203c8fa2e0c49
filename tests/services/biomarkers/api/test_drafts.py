"""What a message leads to is appended together: all of it or nothing, however much, and once if it comes twice."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.biomarkers.domain.result_source import DECIDER, ResultSource
from services.biomarkers.drafts import Draft
from shared.contracts.biomarkers_intake import ResultSourceRegistered
from shared.eventstore.store import EventStore, Write
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Recording
from shared.kernel.errors import StaleVersion
from tests.services.biomarkers.api.test_fhir import bundle, observation, send
from tests.services.biomarkers.api.trial import INFUSED, Trial
from tests.services.biomarkers.reports import NOW

BY = Actor("lab", frozenset({Role.SYSTEM}), None, Role.SYSTEM)


def writes(numbers: Iterable[int]) -> list[Write]:
    """A registration of a source for each number, which is all the stream has."""
    frame = Recording(by=BY, at=NOW, subject="CU", command_id=uuid4(), correlation_id=uuid4())
    told = [
        ResultSourceRegistered(source_id=f"S{n}@CU", site_id="CU", time_zone="Asia/Bangkok", platform=None)
        for n in numbers
    ]
    return [Write(DECIDER.stream(each.source_id), 0, [each], frame, "x") for each in told]


async def stored(trial: Trial, category: str) -> int:
    query = text("select count(*) from events where stream like :like")
    async with trial.db.connect() as connection:
        return int((await connection.execute(query, {"like": f"{category}:%"})).scalar_one())


@pytest.mark.parametrize("most_at_once", [5, 2])
async def test_all_of_a_draft_is_appended_or_nothing(trial_on_both: Trial, most_at_once: int) -> None:
    many, trial, store = 5, trial_on_both, EventStore(trial_on_both.db)
    late, good = Draft(trial.db, store), Draft(trial.db, store)
    await late.add(*writes(range(many)))
    await store.append(*writes([many - 1]))
    with pytest.raises(StaleVersion):
        await late.append(most_at_once=most_at_once)
    assert await stored(trial, "result-source") == 1
    await good.add(*writes(range(many - 1)))
    await good.append(most_at_once=most_at_once)
    assert await stored(trial, "result-source") == many


async def test_a_draft_reads_what_is_stored_and_what_it_adds(trial: Trial) -> None:
    store = EventStore(trial.db)
    draft, [first, second] = Draft(trial.db, store), writes([1, 2])
    await store.append(first)
    await draft.read_ahead([first.stream, second.stream])
    await draft.add(second)
    for source in ("S1@CU", "S2@CU"):
        state, version = await draft.load(DECIDER, source)
        assert (isinstance(state, ResultSource), version) == (True, 1)
    assert await store.read(second.stream) == []


def samples(many: int, **given: Any) -> list[dict[str, Any]]:
    start = INFUSED - timedelta(days=300)
    times = [(start + timedelta(hours=hour)).isoformat() for hour in range(many)]
    return [observation(effectiveDateTime=datetime.fromisoformat(at).isoformat(), **given) for at in times]


async def test_two_identical_bundles_at_once_are_recorded_once(trial_on_both: Trial) -> None:
    trial = trial_on_both
    answers = await asyncio.gather(*[send(trial, bundle(*samples(30), kind="batch")) for _ in range(3)])
    assert {each.status_code for each in answers} == {200}
    said = [each["response"]["status"] for answer in answers for each in answer.json()["entry"]]
    assert (said.count("201 Created"), said.count("200 OK")) == (30, 60)
    assert await stored(trial, "cytokine-panel") == 30


async def test_a_transaction_with_one_bad_entry_records_nothing(trial: Trial) -> None:
    sent = bundle(*samples(5), observation(code="unheard-of"), kind="transaction")
    assert (await send(trial, sent)).status_code == 422
    assert await stored(trial, "cytokine-panel") == 0
