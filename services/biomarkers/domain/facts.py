"""What a decision about a laboratory result needs besides its stream."""

from dataclasses import dataclass
from datetime import datetime

from shared.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Facts:
    """The present instant, and the protocol in force."""

    now: datetime
    protocol: Protocol
