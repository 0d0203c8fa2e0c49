"""The manifest of a service: everything a process must know to run it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import MetaData

from shared.http.parts import Parts, Tools
from shared.projection import Projection

if TYPE_CHECKING:
    from fastapi import FastAPI


class Task(Protocol):
    """Work beside relay and projections, such as delivering alerts. One process at a time runs it, under a lease."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...


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
