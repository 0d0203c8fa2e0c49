"""The embedded trial in a thread of the test run: five services on SQLite, with their workers, on a port of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.native.server import free_port
from services import embedded
from shared.auth.local_issuer import local_issuer
from shared.settings import Settings
from tests.flows.trial import Trial


@contextmanager
def embedded_trial(folder: Path) -> Iterator[Trial]:
    """Serve until the block ends; what the server raised is raised there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(port=port, public_url=url)
    started, failed = threading.Event(), list[BaseException]()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def serve() -> None:
        try:
            loop.run_until_complete(embedded.serve_trial(folder, settings, stop, on_started=started.set))
        except BaseException as error:  # noqa: BLE001 - raised in the test below
            failed.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=serve, name="embedded-trial")
    thread.start()
    try:
        assert started.wait(60), "the embedded trial did not start within a minute"
        if failed:
            raise failed[0]
        with Trial(url, local_issuer(folder, settings)) as trial:
            yield trial
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)
    if failed:
        raise failed[0]
