"""The chain of an alert: which level it has reached, when the next one begins, and who is told at each.

A level begins a fixed time after the alert was raised. The first is reached at once. The steps of a reporting clock
go up the same chain, each told once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.safety.domain.notices.message import NoticeKind
from shared.contracts.safety import AlertChannel
from shared.protocol import AlertLevel

WEBHOOK = "webhook"  # the one receiver of the channel of this name


@dataclass(frozen=True, slots=True)
class Notification:
    """One of the times that somebody is told. `number` 1: by the chain; later ones: at somebody's wish."""

    level: int
    number: int
    channel: AlertChannel
    recipient: str


def begins_at(levels: Sequence[AlertLevel], raised_at: datetime, level: int) -> datetime | None:
    """When a level of the chain begins, 1 being the first; None: the chain has no such level."""
    if level > len(levels):
        return None
    return raised_at + timedelta(minutes=levels[level - 1].after_minutes)


def present_level(levels: Sequence[AlertLevel], raised_at: datetime, now: datetime) -> int:
    """The level that an alert has reached, from 1 on."""
    begun = sum(raised_at + timedelta(minutes=level.after_minutes) <= now for level in levels)
    return max(begun, 1)  # another process's clock may be ahead of ours


def level_of_step(levels: Sequence[AlertLevel], kind: NoticeKind, escalation: int) -> int:
    """Whom a clock's step tells: due soon the first level, each escalation the next one up, missed the last.

    `escalation` counts from 1; 0: the step is none. A clock may escalate more often than the chain has levels: then
    the last one is told again, by a notice of its own.
    """
    last = len(levels)
    match kind:
        case NoticeKind.DUE_SOON:
            return 1
        case NoticeKind.ESCALATED:
            return min(escalation + 1, last)
        case _:
            return last


def notifications(levels: Sequence[AlertLevel], level: int, number: int) -> Iterator[Notification]:
    """Whom a level tells. A level that the chain has no longer, by another protocol, tells those of the last one."""
    chain = levels[min(level, len(levels)) - 1]
    if chain.webhook:
        yield Notification(level, number, AlertChannel.WEBHOOK, WEBHOOK)
    for label in chain.mail_to:
        yield Notification(level, number, AlertChannel.MAIL, label)
