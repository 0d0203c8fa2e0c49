"""Commands and deciders: the shape of every aggregate.

A decider is four values: the category of its streams, the state before anything happened, how a state takes
in what happened (`evolve`, which never fails) and what a command leads to (`decide`, which is pure: it gets
time and all other facts as arguments, returns events, often none, or raises a `TrialError`).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from hashlib import sha256
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict

from shared.kernel.actor import Actor
from shared.kernel.events import Event


class Command(BaseModel):
    """What somebody asks for. It is the request body itself, so it refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def stated_reason(self) -> str | None:
        """The `reason` of a kind of command that asks for one; it stands beside the events."""
        reason: str | None = getattr(self, "reason", None)
        return reason

    def fingerprint(self) -> str:
        """The same content gives the same text, whatever the order or spelling of its JSON."""
        content = json.dumps(self.model_dump(), default=_canonical, sort_keys=True)
        return sha256(f"{type(self).__name__}:{content}".encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return str(value)


C = TypeVar("C", bound=Command)
S = TypeVar("S")
F = TypeVar("F")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S, F, E]):
    """One kind of aggregate. Its streams are named `<category>:<id>`."""

    category: str
    initial: S
    evolve: Callable[[S, E], S]
    decide: Callable[[C, S, F], list[E]]

    def stream(self, id: object) -> str:  # noqa: A002 - the aggregate's id
        return f"{self.category}:{id}"

    def fold(self, history: Iterable[E]) -> S:
        return reduce(self.evolve, history, self.initial)


def changed(state: S, **facts: Any) -> S:
    """A state with some facts replaced: `dataclasses.replace` in an eighth of the time, which a fold takes per event.

    For dataclasses with neither slots nor `__post_init__`.
    """
    copy: S = object.__new__(type(state))
    now = copy.__dict__
    now |= state.__dict__
    if not facts.keys() <= now.keys():
        raise TypeError(f"{type(state).__name__} has no {', '.join(sorted(facts.keys() - now.keys()))}")
    now |= facts
    return copy


@dataclass(frozen=True, slots=True)
class Recording:
    """Who records, when, about whom and why: stands beside every event of one command."""

    by: Actor
    at: datetime
    subject: str
    command_id: UUID = field(default_factory=uuid4)
    reason: str | None = None
    correlation_id: UUID = field(default_factory=uuid4)
    traceparent: str | None = None
