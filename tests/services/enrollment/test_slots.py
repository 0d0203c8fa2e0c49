"""The last slot of a dose level under a race, on both databases: of a hundred who ask at once, one has it."""

import asyncio
from uuid import UUID, uuid4

from services.enrollment.domain.cohorts.escalation import DECIDER, NoFreeSlot, ReserveSlot
from services.enrollment.domain.cohorts.standing import Facts, Person
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.decider import Recording
from shared.protocol.dose_limiting_status import DltStatus
from tests.services.enrollment.domain.cohorts.story import BEGIN, PLAN, somebody

TRIAL = "CMD03"
ASKING = 100
PEOPLE = [UUID(int=number) for number in range(1, ASKING + 3)]
FACTS = Facts(BEGIN, PLAN, somebody(), {who: Person(who, "CU", "DL1", DltStatus.NOT_INFUSED) for who in PEOPLE})


async def reserve(store: EventStore, who: UUID) -> Receipt | NoFreeSlot:
    frame = Recording(FACTS.by, FACTS.now, subject=str(who), command_id=uuid4())
    try:
        return await store.execute(DECIDER, TRIAL, ReserveSlot(participant_id=who), FACTS, frame)
    except NoFreeSlot as refused:
        return refused


async def test_of_a_hundred_who_ask_for_the_last_slot_one_has_it(either: Database) -> None:
    store = EventStore(either)
    for who in PEOPLE[:2]:
        await reserve(store, who)
    answers = await asyncio.gather(*(reserve(store, who) for who in PEOPLE[2:]))
    assert sum(isinstance(each, Receipt) for each in answers) == 1
    assert sum(isinstance(each, NoFreeSlot) for each in answers) == ASKING - 1
    state, version = await store.load(DECIDER, TRIAL)
    assert (len(state.slots), version) == (3, 3)
