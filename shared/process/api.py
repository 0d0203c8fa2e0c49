"""The HTTP process of one service, or of all of them in the embedded mode."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.db import Database
from shared.http import health, problem_body
from shared.http.middleware import Surroundings
from shared.process import running, wiring
from shared.process.service import Service
from shared.revisions import is_current
from shared.settings import Settings

log = logging.getLogger("trial.process")


def root_app(
    apps: Mapping[str, ASGIApp], checks: Mapping[str, health.Check], before_scrape: Callable[[], None] = lambda: None
) -> Surroundings:
    """Services at their paths, with the process's health and metrics beside them."""
    beside = Starlette(routes=health.routes(checks, before_scrape), exception_handlers={HTTPException: _no_such_path})
    return Surroundings(Paths(apps, beside))


async def _no_such_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    return problem_body.answer(problem_body.of_http(error), error.headers, request.scope)


class Paths:
    """Hands a request to the service below whose path it lies. One comparison each, where a router costs as much
    as the service's own."""

    def __init__(self, apps: Mapping[str, ASGIApp], otherwise: ASGIApp) -> None:
        self._apps = [(f"{path}/", path, app) for path, app in apps.items()]
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for prefix, path, app in self._apps:
                if scope["path"].startswith(prefix):
                    scope["root_path"] = path
                    await app(scope, receive, send)
                    return
        await self._otherwise(scope, receive, send)


def database_check(db: Database, migrations: Path) -> health.Check:
    """Ready means: the database answers, and its tables are those this code was written for."""

    async def check() -> health.Finding:
        current = await is_current(db, migrations)
        return health.Finding(current, {} if current else {"error": "run the migrate command of this version"})

    return check


def run_api(service: Service, settings: Settings) -> None:
    """`python -m services.<name> api`."""

    async def main(stop: asyncio.Event) -> None:
        db = wiring.open_service_database(service, settings)
        hint = wiring.open_hint(db, settings, service)
        try:
            verifier, protocol = wiring.open_verifier(settings), wiring.open_protocol(settings)
            parts = wiring.assemble(db, settings, verifier=verifier, hint=hint, protocol=protocol)
            app = root_app(
                {service.path: service.create_app(parts)}, {"database": database_check(db, service.migrations)}
            )
            await running.serve(app, settings, stop)
        finally:
            await hint.close()
            await db.dispose()

    running.run(main, settings)


def checks_of(services: Sequence[tuple[Service, Database]]) -> dict[str, health.Check]:
    return {f"{service.name}-database": database_check(db, service.migrations) for service, db in services}
