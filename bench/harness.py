"""Cases that take turns in rounds, and the ratios between them.

A B C, C A B, ...: a ratio always comes from the same minute of the same machine. The median of the rounds' ratios is
the figure; the least and the largest beside it say how far to trust it.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from rich.console import Console
from rich.table import Table

from deploy.native.kafka import KafkaServer
from deploy.native.postgres import PostgresServer

Figures = Mapping[str, float]
Case = Callable[[], Figures]


@dataclass(frozen=True)
class Goal:
    """One row of the table of figures: what is measured, against what, and what it must reach."""

    what: str
    floor: str
    reach: float
    aim: float
    better: str  # "more" or "less"


@dataclass(frozen=True)
class Result:
    """What the rounds gave for one goal."""

    goal: Goal
    ours: float
    theirs: float
    ratio: float
    least: float
    most: float
    unit: str

    @property
    def verdict(self) -> str:
        if self._meets(self.goal.aim):
            return "aim"
        return "reach" if self._meets(self.goal.reach) else "MISSED"

    def _meets(self, limit: float) -> bool:
        return self.ratio >= limit if self.goal.better == "more" else self.ratio <= limit


class Servers:
    """One PostgreSQL and one Kafka for all measures, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._folder: Path | None = None
        self._postgres: PostgresServer | None = None
        self._kafka: KafkaServer | None = None

    def __enter__(self) -> Self:
        self._folder = Path(self._running.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def postgres(self) -> PostgresServer:
        if self._postgres is None:
            self._postgres = self._running.enter_context(PostgresServer(self.folder / "postgres"))
        return self._postgres

    @property
    def kafka(self) -> KafkaServer:
        if self._kafka is None:
            self._kafka = self._running.enter_context(KafkaServer(self.folder / "kafka"))
        return self._kafka

    @property
    def folder(self) -> Path:
        assert self._folder is not None, "use it in a with statement"
        return self._folder

    def database(self, name: str) -> tuple[str, str]:
        """An empty database of this name: its URL for `open_database`, and its DSN."""
        self.postgres.execute(f"drop database if exists {name} with (force)")
        self.postgres.execute(f"create database {name}")
        return self.postgres.url(name), self.postgres.dsn(name)


def rounds(cases: Mapping[str, Case], count: int) -> dict[str, list[Figures]]:
    """Run every case once per round, in turn, after one warm-up each."""
    names = list(cases)
    for name in names:
        say(f"  warm-up   {name:16}{_shown(cases[name]())}")
    found: dict[str, list[Figures]] = {name: [] for name in names}
    for number in range(count):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(cases[name]())
            say(f"  round {number + 1}/{count} {name:16}{_shown(found[name][-1])}")
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Look every two milliseconds: what is measured says how far it is, and does not wait for us."""
    while not holds():  # noqa: ASYNC110 - there is no event to wait for, and there shall be none
        await asyncio.sleep(0.002)


def say(line: str) -> None:
    """A line of progress."""
    print(line, flush=True)


def _shown(figures: Figures) -> str:
    return "  ".join(f"{name} {value:,.4g}" for name, value in figures.items())


def compare(
    goal: Goal, found: Mapping[str, Sequence[Figures]], ours: str, theirs: str, figure: str, unit: str
) -> Result:
    """The ratio of one figure between two cases, round by round."""
    mine = [figures[figure] for figures in found[ours]]
    other = [figures[figure] for figures in found[theirs]]
    ratios = [a / b for a, b in zip(mine, other, strict=True)]
    return Result(
        goal,
        statistics.median(mine),
        statistics.median(other),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        unit,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """What processes have used of the processors so far."""
    return float(sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids))


def pss_mib(pid: int) -> float:
    """Memory of a process, pages that several processes share divided between them."""
    return float(psutil.Process(pid).memory_full_info().pss / 2**20)


def show(results: Sequence[Result], count: int) -> None:
    """Print the table that the README carries."""
    table = Table(title=f"each beside its floor in the same rounds, medians of {count}")
    for heading in ("what", "floor or peer", "ours", "floor", "ratio", "min-max", "reach", "aim", "met"):
        table.add_column(heading)
    for result in results:
        sign = ">=" if result.goal.better == "more" else "<="
        table.add_row(
            result.goal.what,
            result.goal.floor,
            f"{result.ours:,.4g} {result.unit}",
            f"{result.theirs:,.4g} {result.unit}",
            f"{result.ratio:.2f}",
            f"{result.least:.2f}-{result.most:.2f}",
            f"{sign} {result.goal.reach:.3g}",
            f"{result.goal.aim:.3g}",
            result.verdict,
        )
    Console(width=170).print(table)
