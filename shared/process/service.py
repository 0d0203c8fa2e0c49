"""The manifest of a service: everything a process must know to run it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import MetaData

from shared.db import Database
from shared.http.parts import Parts, Tools
from shared.projection import Projection

if TYPE_CHECKING:
    from fastapi import FastAPI


class Task(Protocol):
    """Work beside relay and projections, such as delivering alerts. One process at a time runs it, under a lease."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """What an operator can ask of one service beside what every service does: `python -m services.<name> NAME ...`.

    `run` gets the service's database and the words after the name, and answers what it did.
    """

    help: str
    run: Callable[[Database, Sequence[str]], Awaitable[str]]


def _no_tasks(_tools: Tools) -> Sequence[Task]:
    return ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service as data. `path` is where the gateway and the embedded process put it."""

    name: str
    title: str
    path: str
    metadata: MetaData
    migrations: Path
    create_app: Callable[[Parts], "FastAPI"]
    topic: str | None = None
    projections: Sequence[Projection] = ()
    tasks: Callable[[Tools], Sequence[Task]] = field(default=_no_tasks)
    commands: Mapping[str, OwnCommand] = field(default_factory=dict)
