"""The whole trial in one process: the services' own manifests, with SQLite files and a SQLite bus.

Composition, not a second implementation. The only module that imports every service.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from services.biomarkers.app import SERVICE as BIOMARKERS
from services.efficacy.app import SERVICE as EFFICACY
from services.enrollment.app import SERVICE as ENROLLMENT
from services.projector.app import SERVICE as PROJECTOR
from services.safety.app import SERVICE as SAFETY
from shared import migrations
from shared.auth.local_issuer import local_issuer
from shared.db import Database
from shared.messaging import Hint
from shared.process import running, wiring
from shared.process.api import checks_of, root_app
from shared.process.worker import Worker, run_together
from shared.settings import Settings

SERVICES = (ENROLLMENT, SAFETY, EFFICACY, BIOMARKERS, PROJECTOR)


def embedded_settings(folder: Path, settings: Settings) -> Settings:
    """The same settings, with every database, the bus and the issuer in one folder."""
    changed = {
        "database_url": f"sqlite+aiosqlite:///{folder}/{{service}}.sqlite3",
        "bus_file": folder / "bus.sqlite3",
        "kafka_bootstrap": None,
    }
    if not settings.auth_disabled and settings.oidc_jwks_url is None and settings.oidc_jwks_file is None:
        changed["oidc_jwks_file"] = local_issuer(folder, settings).jwks_file
    return settings.model_copy(update=changed)


async def serve_trial(
    folder: Path, settings: Settings, stop: asyncio.Event, *, on_started: Callable[[], None] = lambda: None
) -> None:
    """Migrate, then serve all services and run all workers until `stop`. Data live in `folder`."""
    settings = embedded_settings(folder, settings)
    protocol = wiring.open_protocol(settings)
    verifier = wiring.open_verifier(settings)
    bus = wiring.open_bus(settings, "embedded")
    opened: list[tuple[Database, Hint]] = []
    apps: dict[str, FastAPI] = {}
    workers: list[Worker] = []
    try:
        for service in SERVICES:
            db = wiring.open_service_database(service, settings)
            hint = wiring.open_hint(db, settings, service)
            opened.append((db, hint))
            await migrations.upgrade(db, service.migrations)
            parts = wiring.assemble(db, settings, verifier=verifier, hint=hint, protocol=protocol)
            apps[service.path] = service.create_app(parts)
            workers.append(Worker(service, parts, bus, hint))
        checks = checks_of([(service, db) for service, (db, _) in zip(SERVICES, opened, strict=True)])
        checks |= {f"{worker.service.name}-worker": worker.check for worker in workers}

        def before_scrape() -> None:
            for worker in workers:
                worker.before_scrape()

        app = root_app(apps, checks, before_scrape)
        serving = running.serve(app, settings, stop, on_started=on_started)
        await run_together([serving, *(job for worker in workers for job in worker.jobs(stop))], stop)
    finally:
        await bus.close()
        for db, hint in opened:
            await hint.close()
            await db.dispose()
