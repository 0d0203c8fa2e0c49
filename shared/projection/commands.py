"""What operators ask of projections: `python -m services.<name> rebuild | resume | parked | replay-parked`."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from shared.db import Database
from shared.messaging.bus import Bus
from shared.projection.parking import halted_at, parked, replay_parked, resume
from shared.projection.projection import Projection
from shared.projection.rebuild import rebuild

if TYPE_CHECKING:
    from rich.progress import Progress

NAMES = ("rebuild", "resume", "parked", "replay-parked")
_USAGE = "usage: rebuild NAME | resume NAME | parked NAME | replay-parked NAME [SUBJECT]"


async def run(db: Database, bus: Bus, projections: Sequence[Projection], words: Sequence[str]) -> int:
    """Run one command and print what came of it. The answer is the exit code: 0 done, 1 not all, 2 misused."""
    match words:
        case [command, name, *rest] if command in NAMES and len(rest) <= (command == "replay-parked"):
            chosen = next((projection for projection in projections if projection.name == name), None)
            if chosen is None:
                names = ", ".join(projection.name for projection in projections) or "none"
                return _misused(f"there is no projection {name!r} here; there are: {names}")
            return await _run(db, bus, chosen, command, rest[0] if rest else None)
        case _:
            return _misused(_USAGE)


async def _run(db: Database, bus: Bus, projection: Projection, command: str, subject: str | None) -> int:
    match command:
        case "rebuild":
            with ConsoleReport(f"rebuild {projection.name}") as report:
                events = await rebuild(db, bus, projection, report)
            _say(f"{projection.name} was rebuilt from {events} events and swapped in")
            return 0
        case "resume":
            woken = await resume(db, projection.name)
            _say(f"{projection.name} {'reads its topics again' if woken else 'was not halted'}")
            return 0
        case "parked":
            return await _list(db, projection)
        case _:
            return await _replay(db, projection, subject)


async def _list(db: Database, projection: Projection) -> int:
    waiting = await parked(db, projection.name)
    for one in waiting:
        where = f"{one.stream}@{one.version}"
        _say(f"{one.parked_at:%Y-%m-%dT%H:%M:%SZ}  {one.subject or 'not ours':36}  {where}  {one.error}")
    _say(f"{len(waiting)} parked in {projection.name}")
    if reason := await halted_at(db, projection.name):
        _say(f"{projection.name} is halted: {reason}")
    return 0


async def _replay(db: Database, projection: Projection, subject: str | None) -> int:
    replayed = await replay_parked(db, projection, subject)
    for one in replayed:
        _say(f"{one.subject}: {one.applied} taken in, {one.left} left" + (f": {one.error}" if one.error else ""))
    if not replayed:
        _say(f"nothing is parked in {projection.name}" + (f" for {subject}" if subject else ""))
    return 1 if any(one.left for one in replayed) else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _misused(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 2


class ConsoleReport:
    """A progress bar on a terminal; elsewhere a line for each tenth of the work."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tenth = -1
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(self._title, total=None)
            self._bar.start()
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=min(done, total), total=total)
            return
        tenth = 10 * done // total if total else 10
        if tenth > self._tenth:
            self._tenth = tenth
            sys.stderr.write(f"{self._title}: {min(done, total)} of {total}\n")

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> "Progress":
    # Workers and APIs know these commands too, and are spared the library.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
