"""What a bus promises, whichever one it is.

    BusUnavailable      the broker cannot be reached in time: try again
    ├── PublishFailed   not every message was acknowledged: publish the whole batch again
    └── UnknownTopic    the topic is not there: create it first

Messages of one subject (a participant) keep their order. Every message is delivered at least once, so that a
reader may see one again, also an older one after a newer one; the stream and version in its envelope tell.
What is never seen is a stream's event before one that precedes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.kernel.errors import Unavailable
from shared.kernel.events import Envelope

Position = tuple[str, int]  # topic and partition


class BusUnavailable(Unavailable):
    """The broker does not answer. Nothing is lost; try again."""


class PublishFailed(BusUnavailable):
    """At least one message was not acknowledged: the whole batch is to be published again."""


class UnknownTopic(BusUnavailable):
    """There is no such topic: `python -m shared.messaging topics create` makes those that are declared."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A message that is not one of ours: what is known of it, for whoever has to look into it.

    It may hold anything, so its content belongs in the parking table and never in a log.
    """

    why: str
    key: str | None
    headers: tuple[tuple[str, str], ...]
    data: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message and where it stands. Offsets of a partition rise, and may leave numbers out."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope | Undecodable


class Subscription(Protocol):
    """One reader's way through the topics. Not for two tasks at a time."""

    async def poll(self, timeout: float, limit: int) -> list[Delivery]:  # noqa: ASYNC109 - a wait, not an abort
        """Up to `limit` messages, at once if there are any, else none after `timeout` seconds.

        It may be cancelled: what was read by then comes with the next poll.

        Raises:
            BusUnavailable: the broker cannot be reached; poll again.
        """

    async def close(self) -> None: ...


class Bus(Protocol):
    """Topics of partitions, in which the messages of one subject stay in order."""

    async def publish(self, topic: str, envelopes: Sequence[Envelope]) -> None:
        """Return when every message is acknowledged and safe. Order is kept from call to call.

        Raises:
            PublishFailed: some messages may be there and some not. Publish the same batch again, before any other.
        """

    def subscribe(self, topics: Sequence[str], start: Mapping[Position, int]) -> Subscription:
        """Read every partition of the topics, each from the offset in `start`, or else from its beginning."""

    async def partitions(self, topic: str) -> Sequence[int]:
        """The partitions of a topic, in order."""

    async def end_offsets(self, topics: Sequence[str]) -> Mapping[Position, int]:
        """The offset that the next message of each partition will get."""

    async def close(self) -> None: ...
