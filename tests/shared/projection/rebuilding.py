"""A rebuild in a process of its own, which says how far it is and may be killed. Arguments: database URL, bus file."""

import asyncio
import sys
from pathlib import Path

from shared.db import open_database
from shared.messaging import LocalBus
from shared.projection import rebuild
from tests.shared.projection.support import a_projection


async def main(url: str, path: str) -> None:
    db, bus = open_database(url, "readmodels"), LocalBus(Path(path), partitions=3)

    def report(done: int, total: int) -> None:
        sys.stdout.write(f"{done} of {total}\n")
        sys.stdout.flush()
        sys.stdin.readline()

    await rebuild(db, bus, a_projection(strict=True), report)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
