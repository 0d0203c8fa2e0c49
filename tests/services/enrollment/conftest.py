"""Enrollment's app over a database of its own, and callers of every role."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.enrollment.app import SERVICE
from shared import migrations
from shared.auth.local_issuer import LocalIssuer
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.db import Database, open_database
from shared.eventstore.store import EventStore
from shared.http.parts import Parts
from shared.kernel.actor import Role
from shared.kernel.clock import Clock
from shared.protocol import Protocol
from shared.settings import Settings
from tests.services.enrollment.builders import NOW, PROTOCOL

ISSUER, AUDIENCE = "urn:test", "cmd03"
CU = {"site_id": "CU", "name": "Chulalongkorn", "country": "TH", "time_zone": "Asia/Bangkok"}
KKU = {"site_id": "KKU", "name": "Khon Kaen", "country": "TH", "time_zone": "Asia/Bangkok"}

Caller = Callable[..., httpx.AsyncClient]


async def a_migrated_database(url: str) -> Database:
    db = open_database(url, SERVICE.name, pool_size=20)
    await migrations.upgrade(db, SERVICE.migrations)
    return db


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of this service. Copying it is faster than migrating one per test."""
    file = tmp_path_factory.mktemp("enrollment") / "migrated.sqlite3"

    async def migrate() -> None:
        await (await a_migrated_database(f"sqlite+aiosqlite:///{file}")).dispose()

    asyncio.run(migrate())
    return file


@pytest.fixture
async def sqlite(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    file = shutil.copy(migrated_file, tmp_path / "enrollment.sqlite3")
    db = open_database(f"sqlite+aiosqlite:///{file}", SERVICE.name)
    yield db
    await db.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """The service's database on SQLite, then on PostgreSQL."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    db = await a_migrated_database(url)
    yield db
    await db.dispose()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> LocalIssuer:
    folder: Path = tmp_path_factory.mktemp("issuer")
    return LocalIssuer(folder, issuer=ISSUER, audience=AUDIENCE).prepare()


def app_over(
    db: Database,
    issuer: LocalIssuer,
    store: EventStore | None = None,
    *,
    protocol: Protocol = PROTOCOL,
    clock: Clock = lambda: NOW,
) -> FastAPI:
    verifier = TokenVerifier(FileKeys(issuer.jwks_file), issuer=ISSUER, audience=AUDIENCE)
    parts = Parts(db, store or EventStore(db), protocol, clock, Settings(), verifier)
    return SERVICE.create_app(parts)


def callers_of(app: FastAPI, issuer: LocalIssuer) -> Caller:
    def caller(role: Role = Role.COORDINATOR, *sites: str) -> httpx.AsyncClient:
        token = issuer.token(subject=f"{role.value}-1", roles=[role], sites=sites or ["CU"])
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app, root_path="/enrollment"),
            base_url="http://trial",
            headers={"Authorization": f"Bearer {token}"},
        )

    return caller


@pytest.fixture
def app(sqlite: Database, issuer: LocalIssuer) -> FastAPI:
    return app_over(sqlite, issuer)


@pytest.fixture
async def caller(app: FastAPI, issuer: LocalIssuer) -> Caller:
    """`caller(Role.MONITOR, "CU")` is a client with that token. Sites CU and KKU are open."""
    made = callers_of(app, issuer)
    for site in (CU, KKU):
        assert (await made(Role.SPONSOR).post("/v1/sites", json=site)).status_code == 201
    return made


@pytest.fixture
def coordinator(caller: Caller) -> httpx.AsyncClient:
    return caller()


@pytest.fixture
def sponsor(caller: Caller) -> httpx.AsyncClient:
    return caller(Role.SPONSOR)


async def do(client: httpx.AsyncClient, participant: Any, verb: str, body: Any) -> httpx.Response:
    """Change a participant as of its present version."""
    path = f"/v1/participants/{participant}"
    seen = await client.get(path)
    return await client.post(f"{path}/{verb}", json=body, headers={"If-Match": seen.headers["ETag"]})
