"""The life of an alert after it was raised: told up a chain, and again at somebody's wish, until it is acknowledged.

It is a stream of its own beside the event's, so that acknowledging an alert never makes a change of the event stale.
An alert is raised in the event's stream, which is where it is read from; its id names both the event and its number.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from pydantic import ConfigDict, Field

from services.safety.domain.notices.escalation import Notification
from shared.contracts.safety import (
    AlertAcknowledged,
    AlertChannel,
    AlertDelivered,
    AlertEvent,
    AlertResendRequested,
)
from shared.contracts.terms import ShortText
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound


class AcknowledgeAlert(Command):
    """Take an alert in hand. It leaves the list of open ones, and nobody is told of it any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Called the site; sponsor informed"}]})

    note: ShortText | None = None


class ResendAlert(Command):
    """Tell everybody of the alert's present level once more. The caller mints the id, so a retry is harmless."""

    resend_id: UUID | None = Field(None, description="Of this wish; the same id sent again changes nothing")


class RecordDelivery(Command):
    """A receiver took the alert. Said by the delivery itself, never by people."""

    level: int
    number: int
    channel: AlertChannel
    recipient: str
    delivered_at: datetime


AlertCommand = AcknowledgeAlert | ResendAlert | RecordDelivery


@dataclass(frozen=True, slots=True)
class Facts:
    """Which alert it is, and the level of the chain that it has reached."""

    alert_id: str
    adverse_event_id: UUID
    participant_id: UUID
    present_level: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an alert has come. `resends` are the ids of the wishes, each with its level."""

    delivered: frozenset[Notification] = frozenset()
    resends: tuple[tuple[UUID, int], ...] = ()
    acknowledged: AlertAcknowledged | None = None


class NoSuchAlert(NotFound):
    """No alert has this id, or none at the caller's sites."""


class AlertAlreadyAcknowledged(Conflict):
    """Somebody has the alert in hand already; its history says who."""


def event_of(alert_id: str) -> UUID:
    """The adverse event that an alert's id names."""
    return UUID(alert_id.rpartition("-")[0])


def evolve(state: Progress, event: AlertEvent) -> Progress:
    match event:
        case AlertDelivered():
            told = Notification(event.level, event.number, event.channel, event.recipient)
            return replace(state, delivered=state.delivered | {told})
        case AlertResendRequested():
            return replace(state, resends=(*state.resends, (event.resend_id, event.level)))
        case AlertAcknowledged():
            return replace(state, acknowledged=event)
        case _:
            assert_never(event)


def decide(command: AlertCommand, state: Progress, facts: Facts) -> list[AlertEvent]:
    match command:
        case RecordDelivery():
            told = Notification(command.level, command.number, command.channel, command.recipient)
            return [] if told in state.delivered else [AlertDelivered(**_about(facts), **dict(command))]
        case ResendAlert():
            return _resend(command, state, facts)
        case AcknowledgeAlert():
            return _acknowledged(command, state, facts)
        case _:
            assert_never(command)


def _resend(command: ResendAlert, state: Progress, facts: Facts) -> list[AlertEvent]:
    if any(known == command.resend_id for known, _ in state.resends):
        return []
    _refuse_acknowledged(state)
    level = facts.present_level
    earlier = sum(of == level for _, of in state.resends)
    return [AlertResendRequested(**_about(facts), resend_id=command.resend_id, level=level, number=earlier + 2)]


def _acknowledged(command: AcknowledgeAlert, state: Progress, facts: Facts) -> list[AlertEvent]:
    acknowledgement = AlertAcknowledged(**_about(facts), note=command.note)
    if state.acknowledged == acknowledgement:
        return []
    _refuse_acknowledged(state)
    return [acknowledgement]


def _refuse_acknowledged(state: Progress) -> None:
    if state.acknowledged is not None:
        raise AlertAlreadyAcknowledged("this alert is acknowledged already; its history says by whom")


def _about(facts: Facts) -> dict[str, Any]:
    return {
        "alert_id": facts.alert_id,
        "adverse_event_id": facts.adverse_event_id,
        "participant_id": facts.participant_id,
    }


DECIDER: Decider[AlertCommand, Progress, Facts, AlertEvent] = Decider(
    category="alert", initial=Progress(), evolve=evolve, decide=decide
)
