"""Hints: within one process, and over NOTIFY of a real PostgreSQL."""

import asyncio
from collections.abc import Callable

import asyncpg

from deploy.native.postgres import PostgresServer
from shared.messaging import LocalHint, PostgresHint
from tests.shared.messaging.support import does_not_happen, eventually


async def test_a_local_hint_wakes_whoever_waits_and_is_remembered_for_whoever_does_not() -> None:
    hint = LocalHint()
    waiting = asyncio.create_task(hint.wait(30))
    await asyncio.sleep(0)
    hint.ring()
    assert await asyncio.wait_for(waiting, 5)
    hint.ring()
    hint.ring()
    assert await hint.wait(0)
    assert not await hint.wait(0)
    await hint.close()


async def test_a_process_is_woken_by_another_ones_commit(postgres_url: str) -> None:
    api, worker = PostgresHint(postgres_url, "safety"), PostgresHint(postgres_url, "safety")
    await worker.wait(0)
    await listening(postgres_url, "outbox_safety")
    await worker.wait(0)
    waiting = asyncio.create_task(worker.wait(30))
    api.ring()
    assert await asyncio.wait_for(waiting, 5)
    assert not await worker.wait(0)
    await api.close()
    await worker.close()


async def test_services_in_one_database_do_not_wake_each_other(postgres_url: str) -> None:
    safety, efficacy = PostgresHint(postgres_url, "safety"), PostgresHint(postgres_url, "efficacy")
    await efficacy.wait(0)
    await listening(postgres_url, "outbox_efficacy")
    while await efficacy.wait(0.2):  # it rings once when it has begun to listen
        pass
    safety.ring()
    assert not await efficacy.wait(0.1)
    await safety.close()
    await efficacy.close()


async def test_many_commits_are_few_notifications_and_the_last_is_heard(postgres_url: str) -> None:
    hint = PostgresHint(postgres_url, "safety")
    heard, more = 0, asyncio.Event()

    def count(*_: object) -> None:
        nonlocal heard
        heard += 1
        more.set()

    listener = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    await listener.add_listener("outbox_safety", count)
    for _ in range(1000):
        hint.ring()
    await eventually(lambda: heard > 0)
    before = heard
    hint.ring()
    await eventually(lambda: heard > before)
    more.clear()
    assert await does_not_happen(more, within=0.2)
    assert heard < 10
    await listener.close()
    await hint.close()


async def test_a_hint_outlives_a_restart_of_the_database(new_postgres_server: Callable[[], PostgresServer]) -> None:
    server = new_postgres_server()
    api, worker = PostgresHint(server.url(), "safety"), PostgresHint(server.url(), "safety")
    api.ring()
    assert await worker.wait(5)
    await asyncio.to_thread(server.stop)
    api.ring()
    await worker.wait(0)
    await asyncio.to_thread(server.start)
    await listening(server.url(), "outbox_safety", within=10)
    await worker.wait(0)

    async def heard() -> bool:
        api.ring()
        return await worker.wait(0.1)

    await eventually(heard)
    await api.close()
    await worker.close()


async def test_ringing_without_a_database_never_fails() -> None:
    hint = PostgresHint("postgresql+asyncpg://nobody@127.0.0.1:9/none", "safety")
    hint.ring()
    hint.ring()
    assert not await hint.wait(0.05)
    await hint.close()


async def listening(url: str, channel: str, *, within: float = 5) -> None:
    """Wait until somebody listens, so that a hint that is rung now is heard."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))

    async def somebody_listens() -> bool:
        query = "select count(*) from pg_stat_activity where datname = current_database() and query ilike $1"
        return bool(await connection.fetchval(query, f'LISTEN "{channel}"%'))

    await eventually(somebody_listens, within=within)
    await connection.close()
