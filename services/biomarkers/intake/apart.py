"""Instruments' files are read by a process each: what a library does with a foreign file ends with that process.

It has a bounded time and a bounded memory, and the API never loads the libraries. So the API answers others meanwhile.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.kernel.errors import NotInstalled, Unacceptable, Unavailable

READING = str(Path(__file__).with_name("reading.py"))
REFUSED, NOT_INSTALLED, TOO_MUCH = 3, 4, 5  # exit codes of `reading.py`
AT_ONCE = 2


class FileUnreadable(Unacceptable):
    """The file is not what it was sent as, is truncated or damaged: send it as the instrument wrote it."""


class FileTakesTooMuch(Unacceptable):
    """Reading the file takes more time or memory than this deployment gives it."""


class InstrumentsNotInstalled(NotInstalled):
    """This installation has no readers of instruments' files; its operator installs the extra `instruments`."""


class FilesAreBeingRead(Unavailable):
    """Other files are being read: send this one again in a moment."""


class Readers:
    """Where files are read apart. At most two at a time; who waits too long is told to come again."""

    def __init__(self, *, seconds: float, memory_mib: int, reading: str = READING) -> None:
        self._seconds, self._memory_mib, self._reading = seconds, memory_mib, reading
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, kind: str, *words: str) -> Any:
        """What a reader finds, as JSON.

        Raises:
            FileUnreadable, FileTakesTooMuch, InstrumentsNotInstalled, FilesAreBeingRead.
        """
        try:
            await asyncio.wait_for(self._places.acquire(), self._seconds)
        except TimeoutError as error:
            raise FilesAreBeingRead("other files are being read; send this one again") from error
        try:
            return await self._read([kind, *words])
        finally:
            self._places.release()

    async def _read(self, words: Sequence[str]) -> Any:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-I", self._reading, str(self._memory_mib), *words]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
        try:
            out, complaint = await asyncio.wait_for(process.communicate(), self._seconds)
        except TimeoutError as error:
            raise FileTakesTooMuch(
                f"the file was not read within {self._seconds:g} s; send a smaller one, or ask for more time"
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        match process.returncode:
            case 0:
                return json.loads(out)
            case 3:
                raise FileUnreadable(json.loads(out)["says"])
            case 4:
                raise InstrumentsNotInstalled(
                    "the readers of instruments' files are not installed here: ask its operator for the extra "
                    "`instruments` (uv sync --extra instruments), or send the results as a table"
                )
            case 5 | -9 | -11 | -6:  # its own word, or stopped by the system while it took memory
                raise FileTakesTooMuch(f"reading the file takes more than {self._memory_mib} MiB; send a smaller one")
            case _:
                raise RuntimeError(f"a reader failed: {complaint.decode(errors='replace')[-500:]}")
