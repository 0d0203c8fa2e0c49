"""The correlation of what belongs together: one request, its events, and what other services do of them.

The context comes from the W3C `traceparent` header, or is made; it travels with each event's envelope.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from uuid import UUID, uuid4

from shared.kernel.actor import Actor
from shared.kernel.decider import Recording

_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")


@dataclass(frozen=True, slots=True)
class Trace:
    """The W3C trace context; its trace id is also the correlation id."""

    traceparent: str

    @property
    def correlation_id(self) -> UUID:
        return UUID(self.traceparent[3:35])


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin(traceparent: str | None) -> Trace:
    """Continue the caller's trace, or begin one where there is none or it is malformed."""
    if traceparent is None or not _TRACEPARENT.match(traceparent):
        traceparent = f"00-{token_hex(16)}-{token_hex(8)}-01"
    trace = Trace(traceparent)
    _CURRENT.set(trace)
    return trace


def current() -> Trace:
    return _CURRENT.get() or begin(None)


def recording(
    by: Actor, *, at: datetime, subject: object, command_id: UUID | None = None, reason: str | None = None
) -> Recording:
    """The frame of a command's events, within the present trace."""
    trace = current()
    return Recording(
        by=by,
        at=at,
        subject=str(subject),
        command_id=command_id or uuid4(),
        reason=reason,
        correlation_id=trace.correlation_id,
        traceparent=trace.traceparent,
    )
