"""From a `POST` until its row can be read, 50 a second: our processes beside the shortest script of the same parts.

Ours: the clock starts when the `POST` is due at the safety service; it ends when the projector has answered a `GET`
of that participant's adverse events, waiting for the position that the `POST` gave, with the new one among them. So
it holds two requests over HTTP, a token each. `answered` is the part after the answer to the `POST`.
Floor (`floor_path`): the clock starts when the append is due and ends when the projector has committed the row; no
HTTP at either end. The load is open: a late answer holds up nobody.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import UUID, uuid4

import psycopg
import uvloop
from sqlalchemy import insert

from bench import floor_path, sample
from bench.harness import Case, Figures, Goal, Result, Servers, compare, cpu_seconds, percentile, rounds
from bench.history import identity
from bench.http import BODY, serving
from bench.load import request
from deploy.native.server import free_port
from deploy.native.stack import inherited
from services.projector.app import SERVICE as PROJECTOR
from services.projector.readmodels.participants import participants as projected
from services.safety.app import SERVICE as SAFETY
from services.safety.tables import participants as known
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.db import open_database
from shared.kernel.actor import Role
from shared.messaging.topics import Topic, create_topics, load_topics

A_SECOND = 50
SECONDS = 6
WARM = 30  # of each round, not counted
IDLE_SECONDS = 2.0  # after five the server closes a connection

PROCESSES = ("services.safety api", "services.safety worker", "services.projector worker", "services.projector api")

Times = list[tuple[float, float, float]]  # due, answered, visible


class Connections:
    """Keep-alive connections to one port, as many as there are requests under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, message: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        reader, writer = await self._connection()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(field(head, b"content-length")))
        self._idle.append((time.monotonic(), reader, writer))
        return int(head[9:12]), head, body

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            since, reader, writer = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, _, writer in self._idle:
            writer.close()


def field(head: bytes, name: bytes) -> bytes:
    start = head.lower().index(b"\r\n" + name + b":") + len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip()


async def answer(connections: Connections, message: bytes, expected: int) -> tuple[bytes, bytes]:
    """Head and body. What is not possible yet (503) is asked again, and the clock goes on."""
    status = 503
    while status == 503:
        status, head, body = await connections.ask(message)
    assert status == expected, (head, body)
    return head, body


def figures(times: Times, cpu: float) -> Figures:
    """Milliseconds; `cpu` is that of all processes on the way, per event."""
    counted = sorted(times)[WARM:]
    seen = [1e3 * (visible - due) for due, _, visible in counted]
    after = [1e3 * (visible - answered) for _, answered, visible in counted]
    each = 1e3 * cpu / len(times)
    return {"p50": percentile(seen, 50), "p99": percentile(seen, 99), "answered": percentile(after, 50), "cpu": each}


def ours(api: int, projector: int, token: str, people: Sequence[UUID], pids: Sequence[int]) -> Case:
    async def one(writing: Connections, reading: Connections, due: float, person: UUID, times: Times) -> None:
        made = str(uuid4())
        body = json.dumps({**BODY, "adverse_event_id": made, "participant_id": str(person)})
        post = request("/safety/v1/adverse-events", body, {"Authorization": token})
        head, _ = await answer(writing, post, 201)
        answered = time.monotonic()
        position = field(head, b"trial-position").decode()
        path = f"/trial/v1/adverse-events?participant_id={person}&wait_for={position}"
        lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: {token}", "", "")
        _, found = await answer(reading, "\r\n".join(lines).encode(), 200)
        visible = time.monotonic()
        assert made in {each["adverse_event_id"] for each in json.loads(found)["items"]}
        times.append((due, answered, visible))

    async def run() -> Figures:
        writing, reading, times = Connections(api), Connections(projector), Times()
        cpu = cpu_seconds(pids)
        async with asyncio.TaskGroup() as group:
            begin = time.monotonic() + 0.1
            for number, person in enumerate(people):
                due = begin + number / A_SECOND
                await asyncio.sleep(due - time.monotonic())
                group.create_task(one(writing, reading, due, person, times))
        writing.close()
        reading.close()
        return figures(times, cpu_seconds(pids) - cpu)

    return lambda: uvloop.run(run())


@contextmanager
def script(*words: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "bench.floor_path", *words]
    process = subprocess.Popen(command, cwd=sample.ROOT, env=inherited(), stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def floor(dsn: str, bootstrap: str) -> Case:
    fields = sample.fields()

    def body(key: str, due: float) -> str:
        return json.dumps({**fields, "adverse_event_id": key, "at": due})

    def warmed(connection: psycopg.Connection) -> None:
        for _ in range(200):
            floor_path.append(connection, (key := str(uuid4())), body(key, 0.0))
            time.sleep(0.05)
            if connection.execute("select 1 from floor_read").fetchone():
                connection.commit()
                return
            connection.commit()
        raise RuntimeError("the floor's path never delivered")

    def run() -> Figures:
        topic = f"floor.{uuid4().hex[:8]}"
        create_topics(
            bootstrap, [Topic(name=topic, about="the floor's", partitions=1, min_insync_replicas=1, config={})]
        )
        with psycopg.connect(dsn) as connection:
            connection.execute("drop table if exists floor_events, floor_outbox, floor_read, floor_offsets")
            connection.execute(floor_path.TABLES)
            connection.commit()
            with script("projector", dsn, bootstrap, topic) as reader:
                with script("relay", dsn, bootstrap, topic) as sender:
                    warmed(connection)
                    pids = (reader.pid, sender.pid, os.getpid())
                    cpu = cpu_seconds(pids)
                    begin = time.monotonic() + 0.1
                    for number in range(A_SECOND * SECONDS):
                        due = begin + number / A_SECOND
                        time.sleep(max(0.0, due - time.monotonic()))
                        floor_path.append(connection, (key := str(uuid4())), body(key, due))
                    time.sleep(0.5)
                    cpu = cpu_seconds(pids) - cpu
                reader.terminate()
                seen = json.loads(reader.communicate(timeout=20)[0])
        times = [(due, due, visible) for due, visible in seen if due]
        assert len(times) == A_SECOND * SECONDS
        return figures(times, cpu)

    return run


async def prepare(url: str, people: Sequence[UUID]) -> None:
    """Both services' tables, with participants as enrollment's events would have left them."""
    safety, projector = open_database(url, "safety"), open_database(url, "projector")
    await migrations.upgrade(safety, SAFETY.migrations)
    await migrations.upgrade(projector, PROJECTOR.migrations)
    common = {"site_id": "CU", "status": "infused", "sex": "F", "birth_month": "2017-03"}
    async with safety.begin() as connection:
        rows = [{"participant_id": str(each), "time_zone": "Asia/Bangkok", **common} for each in people]
        await connection.execute(insert(known), rows)
    async with projector.begin() as connection:
        numbered = [{"participant_id": each, "subject_number": f"CU-{n:03}", **common} for n, each in enumerate(people)]
        await connection.execute(insert(projected), numbered)
    await safety.dispose()
    await projector.dispose()


def measure(servers: Servers, count: int) -> list[Result]:
    url, dsn = servers.database("bench_path")
    bootstrap = servers.kafka.bootstrap
    create_topics(bootstrap, load_topics())
    people = [identity("participant", number) for number in range(A_SECOND * SECONDS)]
    uvloop.run(prepare(url, people))
    issuer = LocalIssuer(servers.folder / "issuer", issuer="urn:cmd03:local", audience="cmd03").prepare()
    token = f"Bearer {issuer.token(subject='bench', roles=[Role.INVESTIGATOR], sites=['CU'])}"
    told = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP": bootstrap, "OIDC_JWKS_FILE": str(issuer.jwks_file)}
    ports: dict[str, int] = {}
    pids: list[int] = []
    with ExitStack() as stack:
        for words in PROCESSES:
            ports[words] = port = free_port()
            environment = {**told, "PORT": str(port), "LOG_LEVEL": "warning"}
            pids.append(stack.enter_context(serving(words.split(), port, environment)).pid)
        case = ours(ports[PROCESSES[0]], ports[PROCESSES[-1]], token, people, pids)
        found = rounds({"ours": case, "script": floor(dsn, bootstrap)}, count)
    what, simplest = "POST to visible in a GET, 50/s", "append, NOTIFY, Kafka, upsert"
    return [
        compare(Goal(f"{what}, p50", simplest, 2, 1.4, "less"), found, "ours", "script", "p50", "ms"),
        compare(Goal(f"{what}, p99", simplest, 3, 2, "less"), found, "ours", "script", "p99", "ms"),
    ]
