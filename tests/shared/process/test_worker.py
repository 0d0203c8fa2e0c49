"""What a worker tells of itself."""

import asyncio
from pathlib import Path

from prometheus_client import REGISTRY

from services.embedded import SERVICES
from shared.db import open_database
from shared.messaging import LocalBus, LocalHint
from shared.process import wiring
from shared.process.worker import Worker
from shared.settings import Settings


async def test_published_events_are_counted_once_however_often_they_are_asked_for(tmp_path: Path) -> None:
    service = next(service for service in SERVICES if service.name == "efficacy")
    db, bus, hint = open_database("sqlite+aiosqlite:///:memory:", "efficacy"), LocalBus(tmp_path / "bus"), LocalHint()
    worker = Worker(service, wiring.worker_parts(db, Settings(), hint), bus, hint)
    before = published()
    assert worker._relay is not None
    for reached in (3, 3, 5):
        worker._relay.progress.published = reached
        worker.before_scrape()
    assert published() == before + 5
    await asyncio.gather(bus.close(), db.dispose())


def published() -> float:
    return REGISTRY.get_sample_value("trial_relay_published_total", {"service": "efficacy"}) or 0.0
