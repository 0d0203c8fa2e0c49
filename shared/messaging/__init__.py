"""How events travel: from a service's outbox over a relay to the bus, and from the bus to whoever subscribes.

`bus.py` says what a bus promises; `kafka.py` and `local.py` keep it. `relay.py` empties the outbox under a lease
(`lease.py`), woken by a hint (`hints.py`). `cloudevents.py` is the form of a message, `topics.py` the topics.

`KafkaBus` is loaded when it is first asked for: an API process, which has no bus, is spared its library.
"""

from typing import TYPE_CHECKING, Any

from shared.messaging.bus import (
    Bus,
    BusUnavailable,
    Delivery,
    Position,
    PublishFailed,
    Subscription,
    Undecodable,
    UnknownTopic,
)
from shared.messaging.hints import Hint, LocalHint, PostgresHint
from shared.messaging.lease import Lease, LeaseLost
from shared.messaging.local import LocalBus
from shared.messaging.relay import Progress, Relay

if TYPE_CHECKING:
    from shared.messaging.kafka import KafkaBus

__all__ = [
    "Bus",
    "BusUnavailable",
    "Delivery",
    "Hint",
    "KafkaBus",
    "Lease",
    "LeaseLost",
    "LocalBus",
    "LocalHint",
    "Position",
    "PostgresHint",
    "Progress",
    "PublishFailed",
    "Relay",
    "Subscription",
    "Undecodable",
    "UnknownTopic",
]


def __getattr__(name: str) -> Any:
    if name != "KafkaBus":
        raise AttributeError(name)
    from shared.messaging.kafka import KafkaBus  # noqa: PLC0415 - see above

    return KafkaBus
