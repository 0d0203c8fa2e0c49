"""The worker of one service: its relay, its projections, its tasks. Each runs under a lease, so a second worker waits.

A bug in one of them ends the process, loudly: the supervisor starts it again, and nothing is lost, since all
positions live in the database. So does a topic that is missing. A database or a broker that is away is waited out.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from typing import Any

from shared.db import Database
from shared.http import health
from shared.http.parts import Tools
from shared.messaging import Bus, Hint, Lease, Relay
from shared.process import running, wiring
from shared.process.api import database_check, root_app
from shared.process.declared_topics import DeclaredTopics
from shared.process.service import Service, Task
from shared.projection import Runner
from shared.settings import Settings
from shared.telemetry import metrics

log = logging.getLogger("trial.process")


class Worker:
    """Everything of one service that runs behind its API."""

    def __init__(
        self, service: Service, tools: Tools, bus: Bus, hint: Hint, *, topics: DeclaredTopics | None = None
    ) -> None:
        """`topics`: None where the bus makes them itself."""
        self.service = service
        self._db = tools.db
        self._relay = Relay(tools.db, bus, service.topic, hint) if service.topic else None
        self._runner = Runner(tools.db, bus, service.projections) if service.projections else None
        self._topics = topics
        self._counted = 0  # of what the relay published, in the metrics
        self._tasks: Sequence[Task] = service.tasks(tools)

    def jobs(self, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        jobs: list[Coroutine[Any, Any, None]] = []
        if self._topics is not None:
            jobs.append(self._topics.verify(stop))
        if self._relay is not None:
            jobs.append(self._relay.run(stop))
        if self._runner is not None:
            runner = self._runner
            jobs.append(Lease(self._db, "projections").keep(lambda: runner.run(stop), stop))
        jobs += [self._leased(task, stop) for task in self._tasks]
        return jobs

    async def _leased(self, task: Task, stop: asyncio.Event) -> None:
        await Lease(self._db, task.name).keep(lambda: task.run(stop), stop)

    async def check(self) -> health.Finding:
        """Not ready where a projection has halted: somebody must look. The rest is shown: lag, parked events, and
        whether the broker has shown its topics yet, which may be away."""
        projections = self._runner.health() if self._runner is not None else []
        detail: dict[str, Any] = {"projections": {each.name: _shown(asdict(each)) for each in projections}}
        if self._relay is not None:
            detail["relay"] = _shown(asdict(self._relay.progress))
        if self._topics is not None:
            detail["topics"] = "verified" if self._topics.verified else "not-verified"
        return health.Finding(not any(each.halted for each in projections), detail)

    def before_scrape(self) -> None:
        if self._relay is None:
            return
        progress, name = self._relay.progress, self.service.name
        metrics.OUTBOX_DEPTH.labels(name).set(progress.depth)
        metrics.OUTBOX_AGE.labels(name).set(progress.oldest_age_seconds)
        metrics.PUBLISHED.labels(name).inc(progress.published - self._counted)
        self._counted = progress.published
        metrics.RELAY_ACTIVE.labels(name).set(int(progress.active))


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, int | float | bool) or value is None else str(value)
        for name, value in fields.items()
    }


async def run_together(jobs: Sequence[Coroutine[Any, Any, None]], stop: asyncio.Event) -> None:
    """Run jobs until all end; the first to fail stops the others and is raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, Exception)]
    if failures:
        raise failures[0]


def run_worker(service: Service, settings: Settings) -> None:
    """`python -m services.<name> worker`."""

    async def main(stop: asyncio.Event) -> None:
        db: Database = wiring.open_service_database(service, settings)
        hint = wiring.open_hint(db, settings, service)
        bus = wiring.open_bus(settings, f"{service.name}-worker")
        try:
            topics = DeclaredTopics(service, settings) if settings.kafka_bootstrap is not None else None
            worker = Worker(service, wiring.worker_parts(db, settings, hint), bus, hint, topics=topics)
            checks = {"database": database_check(db, service.migrations), "worker": worker.check}
            app = root_app({}, checks, worker.before_scrape)
            await run_together([running.serve(app, settings, stop), *worker.jobs(stop)], stop)
        finally:
            await bus.close()
            await hint.close()
            await db.dispose()

    running.run(main, settings)
