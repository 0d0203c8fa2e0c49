"""HL7 v2 over MLLP: messages framed by 0x0B and 0x1C 0x0D on a TCP connection, each answered by its ACK.

Who may connect is for the network to say: MLLP knows no passwords. What is not whole when a connection ends is
dropped; its sender has no ACK and sends it again.

Source: HL7 Transport Specification: MLLP, release 1.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shared.kernel.errors import TrialError

START, END = b"\x0b", b"\x1c\r"
MOST_BYTES = 1024 * 1024  # as of a body over HTTP
IDLE_SECONDS = 600

log = logging.getLogger("trial.biomarkers")

Take = Callable[[bytes], Awaitable[str]]


class Listener:
    """Serves until told to stop; a message that is being taken in is answered first."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._connections: dict[asyncio.Task[None], bool] = {}  # whether it is taking a message in
        self._stopping = False

    async def serve(self, host: str, port: int, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
        server = await asyncio.start_server(self._connected, host, port, limit=MOST_BYTES)
        async with server:
            ready(server.sockets[0].getsockname()[1])
            await stop.wait()
            self._stopping = True
            server.close()
            for task, busy in list(self._connections.items()):
                if not busy:
                    task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is handled in a task of its own
        self._connections[task] = False
        try:
            while not self._stopping and (message := await _next(reader)) is not None:
                self._connections[task] = True
                answer = await self._take(message)
                writer.write(START + answer.encode() + END)
                await writer.drain()
                self._connections[task] = False
        except TrialError:  # the database is away, or others kept writing
            log.warning("a message could not be taken in; without an answer its sender sends it again")
        except (ConnectionError, asyncio.CancelledError):
            return  # the sender left, or we stop: it has no ACK, and sends again
        finally:
            del self._connections[task]
            writer.close()


async def _next(reader: asyncio.StreamReader) -> bytes | None:
    """The next whole message; None where the sender left, was silent too long, or sent more than is taken."""
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            framed = await reader.readuntil(END)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        return None
    _, start, message = framed.removesuffix(END).rpartition(START)
    return message if start else b""  # without its start it is answered AR, as no message
