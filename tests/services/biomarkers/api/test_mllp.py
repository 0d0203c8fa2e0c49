"""MLLP: whole messages are taken in and answered, halves are not, and a stop waits for the answer at hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.biomarkers.intake import mllp
from services.biomarkers.intake.mllp import END, START, Listener
from shared.kernel.errors import Unavailable


@asynccontextmanager
async def listening(take: mllp.Take) -> AsyncIterator[tuple[int, asyncio.Event]]:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(Listener(take).serve("127.0.0.1", 0, stop, port.set_result))
    try:
        yield await port, stop
    finally:
        stop.set()
        await asyncio.wait_for(serving, 5)


async def echo(message: bytes) -> str:
    return f"ACK {message.decode()}"


async def test_messages_are_answered_in_their_order_however_they_are_cut() -> None:
    async with listening(echo) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in (START + b"on", b"e" + END + START, b"two" + END):
            writer.write(part)
            await writer.drain()
        assert await reader.readuntil(END) == START + b"ACK one" + END
        assert await reader.readuntil(END) == START + b"ACK two" + END
        writer.close()


async def test_a_half_message_is_not_taken_in() -> None:
    taken: list[bytes] = []

    async def take(message: bytes) -> str:
        taken.append(message)
        return "ACK"

    async with listening(take) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(START + b"half")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert taken == []


async def test_a_message_that_is_too_long_ends_the_connection() -> None:
    async with listening(echo) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(START + b"x" * (mllp.MOST_BYTES + 10) + END)
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


async def test_a_stop_waits_for_the_answer_at_hand() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(_message: bytes) -> str:
        begun.set()
        await go.wait()
        return "ACK"

    async with listening(slow) as (port, stop):
        idle = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(START + b"one" + END)
        await begun.wait()
        stop.set()
        await asyncio.sleep(0)
        go.set()
        assert await reader.readuntil(END) == START + b"ACK" + END
        writer.close()
        idle[1].close()


async def test_a_message_that_cannot_be_taken_in_now_is_not_answered() -> None:
    async def away(_message: bytes) -> str:
        raise Unavailable("the database is away")

    async with listening(away) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(START + b"one" + END)
        assert await reader.read() == b""
        writer.close()
