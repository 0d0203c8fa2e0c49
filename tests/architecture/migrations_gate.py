"""Every service's migrations run from empty on both databases, and leave no drift: part of `make check`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.native.postgres import PostgresServer
from services.embedded import SERVICES
from shared import migrations
from shared.db import open_database


async def check(urls: dict[str, str]) -> list[str]:
    found = []
    for database, url in urls.items():
        for service in SERVICES:
            db = open_database(url.replace("{service}", service.name), service.name)
            try:
                await migrations.check(db, service.migrations, service.metadata)
            except migrations.Drift as drift:
                found.append(f"{service.name} on {database}: {drift}")
            finally:
                await db.dispose()
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder) / "postgres") as postgres:
        postgres.execute("create database migrations")
        urls = {
            "sqlite": f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3",
            "postgresql": postgres.url("migrations"),
        }
        found = asyncio.run(check(urls))
    for line in found:
        sys.stderr.write(line + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
