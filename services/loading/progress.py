"""How far a load is: a bar on a terminal, lines otherwise. Goes to standard error, beside what a command prints."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINES = 5  # in all, where there is no terminal


class Shown:
    """Shows how far a load is."""

    def __init__(self, total: int, shown: Progress | None, title: str) -> None:
        self._total, self._shown, self._title, self._done = total, shown, title, 0
        self._every = max(1, -(-total // LINES))
        self._task = shown.add_task(title, total=total) if shown is not None else None

    def step(self) -> None:
        self._done += 1
        if self._shown is not None and self._task is not None:
            self._shown.advance(self._task)
        elif self._done % self._every == 0 or self._done == self._total:
            sys.stderr.write(f"{self._title}: {self._done} of {self._total}\n")

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        if self._shown is not None:
            self._shown.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(line + "\n")


@contextmanager
def progress(title: str, total: int) -> Iterator[Shown]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Shown(total, None, title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as shown:
        yield Shown(total, shown, title)
