"""The course of a load: a bar on a terminal, lines otherwise, and at the end what was taken and what was refused."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.loading.client import Answer

LINE_EVERY = 500


@dataclass
class Tally:
    """What became of the rows so far."""

    recorded: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)
    last_positions: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, row: str, answer: Answer) -> None:
        """Take in one answer; `row` names the row without what it says."""
        if not answer.accepted:
            self.refuse(kind, row, answer.reason)
            return
        (self.unchanged if answer.replayed else self.recorded)[kind] += 1
        if answer.position:
            self.last_positions[kind] = answer.position

    def refuse(self, kind: str, row: str, why: str) -> None:
        self.refused[kind] += 1
        self.reasons.append(f"{row}: {why}")

    def summary(self) -> list[str]:
        kinds = sorted({*self.recorded, *self.unchanged, *self.refused})
        return [
            f"{kind}: {self.recorded[kind]} recorded, {self.unchanged[kind]} unchanged, {self.refused[kind]} refused"
            for kind in kinds
        ]


class Course:
    """Shows how far a load is."""

    def __init__(self, total: int, shown: Progress | None, title: str) -> None:
        self._total, self._shown, self._title, self._done = total, shown, title, 0
        self._task = shown.add_task(title, total=total) if shown is not None else None

    def step(self) -> None:
        self._done += 1
        if self._shown is not None and self._task is not None:
            self._shown.advance(self._task)
        elif self._done % LINE_EVERY == 0 or self._done == self._total:
            sys.stderr.write(f"{self._title}: {self._done} of {self._total}\n")

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        if self._shown is not None:
            self._shown.console.print(line, markup=False, highlight=False)
        else:
            sys.stderr.write(line + "\n")


@contextmanager
def course(title: str, total: int) -> Iterator[Course]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Course(total, None, title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as shown:
        yield Course(total, shown, title)
