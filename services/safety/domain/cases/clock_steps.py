"""The steps that time alone brings a clock that runs: due soon, missed, escalated. The same for every kind of clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple, Protocol

from shared.protocol import ClockSteps

JUST_AFTER = timedelta(microseconds=1)  # the instant due is still in time


class Begun(Protocol):
    """What a clock fixed when it started."""

    @property
    def due_soon_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def escalate_at(self) -> tuple[datetime, ...]: ...


class Progress(Protocol):
    """How far a clock has come. `level` 0: not escalated."""

    @property
    def due_soon(self) -> bool: ...
    @property
    def level(self) -> int: ...
    @property
    def missed(self) -> bool: ...


class StepKind(IntEnum):
    """In the order in which steps of one instant are taken."""

    DUE_SOON = 0
    MISSED = 1
    ESCALATED = 2


class Step(NamedTuple):
    """Ordered by instant, then by kind. `level` 0: no escalation."""

    at: datetime
    kind: StepKind
    level: int


class Steps(NamedTuple):
    """When a clock takes its steps, in UTC."""

    due_soon_at: datetime
    escalate_at: tuple[datetime, ...]


def fixed(since: datetime, due_at: datetime, steps: ClockSteps) -> Steps:
    """The steps of a clock that starts now, as the protocol has them for one that runs so long."""
    is_short = due_at - since <= timedelta(hours=steps.short_up_to_hours.value)
    reminders = (steps.short if is_short else steps.long).value
    escalations = (_hours_after(due_at, hours) for hours in reminders.escalate_hours)
    return Steps(_hours_after(due_at, -reminders.due_soon_hours), tuple(escalations))


def _hours_after(at: datetime, hours: int) -> datetime:
    return at.astimezone(UTC) + timedelta(hours=hours)


def taken(begun: Begun, progress: Progress, now: datetime) -> Iterator[Step]:
    """The steps whose instant has passed and that are not on record."""
    if not progress.due_soon and begun.due_soon_at <= now:
        yield Step(begun.due_soon_at, StepKind.DUE_SOON, 0)
    if not progress.missed and begun.due_at < now:
        yield Step(begun.due_at, StepKind.MISSED, 0)
    for level, at in enumerate(begun.escalate_at, start=1):
        if level > progress.level and at <= now:
            yield Step(at, StepKind.ESCALATED, level)


def next_at(begun: Begun, progress: Progress) -> datetime | None:
    """The instant of the next step; None: there is none."""
    waiting = [*begun.escalate_at[progress.level :]]
    if not progress.due_soon:
        waiting.append(begun.due_soon_at)
    if not progress.missed:
        waiting.append(begun.due_at + JUST_AFTER)
    return min(waiting, default=None)
