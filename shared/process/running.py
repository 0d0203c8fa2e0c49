"""How a process runs: one stop signal for everything in it, uvicorn without its own signals, a frozen start."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp

from shared.settings import BadSettings, Settings
from shared.telemetry import logs

log = logging.getLogger("trial.process")


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]], settings: Settings) -> None:
    """Run until the work ends or SIGTERM or SIGINT asks for it; a second signal ends it at once."""
    logs.configure(settings.log_level)
    uvloop.run(_until_signalled(main))


async def _until_signalled(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _ask_to_stop, stop, number)
    await main(stop)


def _ask_to_stop(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    stop.set()


class _Server(uvicorn.Server):
    """uvicorn, stopped by our event alone, that says when it answers."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Any:
        yield

    async def startup(self, sockets: Any = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as refused:  # its way to say that it cannot listen; the log has the reason
            where = f"HOST {self.config.host}, PORT {self.config.port}"
            raise BadSettings(
                f"cannot listen on {where}: choose an address of this machine and a free port"
            ) from refused
        if self.started:
            freeze()
            log.info("serving", extra={"host": self.config.host, "port": self.config.port})
            self._on_started()


async def serve(
    app: ASGIApp, settings: Settings, stop: asyncio.Event, *, on_started: Callable[[], None] = lambda: None
) -> None:
    """Answer HTTP until `stop`; then finish what has begun, within the grace time."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        loop="uvloop",
        http="httptools",
        timeout_graceful_shutdown=settings.graceful_seconds,
    )
    server = _Server(config, on_started)
    serving = asyncio.create_task(server.serve(), name="http")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def freeze() -> None:
    """Take the start-up's objects out of the collector's sight: a full collection would stop the loop for 40 ms.

    Nor is one made now: it would take a tenth of a second to find a thousand objects of garbage among 200,000. In a
    process that `start` has begun, the collector begins its work here.
    """
    gc.freeze()
    gc.enable()
