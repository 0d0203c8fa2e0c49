"""The life of an alert after it was raised: delivered to the configured receiver, taken in hand by a safety officer.

It is a stream of its own beside the event's, so that acknowledging an alert never makes a change of the event stale.
An alert is raised in the event's stream, which is where it is read from; its id names both the event and its number.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from pydantic import ConfigDict

from services.safety.domain.record import OnRecord, Retracted, State
from shared.contracts.safety import AlertAcknowledged, AlertDelivered, AlertEvent, SeriousAdverseEventIdentified
from shared.contracts.terms import ShortText
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound


class AcknowledgeAlert(Command):
    """Take an alert in hand. It leaves the list of open ones; nothing else changes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "Called the site; sponsor informed"}]})

    note: ShortText | None = None


class RecordDelivery(Command):
    """The receiver accepted the alert. Said by the delivery itself, never by people."""

    delivered_at: datetime


AlertCommand = AcknowledgeAlert | RecordDelivery


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an alert has come."""

    delivered: bool = False
    acknowledged: AlertAcknowledged | None = None


class NoSuchAlert(NotFound):
    """No alert has this id, or none at the caller's sites."""


class AlertAlreadyAcknowledged(Conflict):
    """Somebody has the alert in hand already; its history says who."""


def event_of(alert_id: str) -> UUID:
    """The adverse event that an alert's id names."""
    return UUID(alert_id.rpartition("-")[0])


def raised_in(event: State, alert_id: str) -> SeriousAdverseEventIdentified:
    """The alert as its adverse event raised it.

    Raises:
        NoSuchAlert: it raised none of this id.
    """
    record = event.was if isinstance(event, Retracted) else event
    alerts = record.alerts if isinstance(record, OnRecord) else ()
    for alert in alerts:
        if alert.alert_id == alert_id:
            return alert
    raise NoSuchAlert("no alert has this id")


def evolve(state: Progress, event: AlertEvent) -> Progress:
    match event:
        case AlertDelivered():
            return replace(state, delivered=True)
        case AlertAcknowledged():
            return replace(state, acknowledged=event)
        case _:
            assert_never(event)


def decide(command: AlertCommand, state: Progress, raised: SeriousAdverseEventIdentified) -> list[AlertEvent]:
    match command:
        case RecordDelivery():
            return [] if state.delivered else [_delivered(command, raised)]
        case AcknowledgeAlert():
            return _acknowledged(command, state, raised)
        case _:
            assert_never(command)


def _delivered(command: RecordDelivery, raised: SeriousAdverseEventIdentified) -> AlertDelivered:
    return AlertDelivered(
        alert_id=raised.alert_id,
        adverse_event_id=raised.adverse_event_id,
        participant_id=raised.participant_id,
        channel="webhook",
        delivered_at=command.delivered_at,
    )


def _acknowledged(
    command: AcknowledgeAlert, state: Progress, raised: SeriousAdverseEventIdentified
) -> list[AlertEvent]:
    acknowledgement = AlertAcknowledged(
        alert_id=raised.alert_id,
        adverse_event_id=raised.adverse_event_id,
        participant_id=raised.participant_id,
        note=command.note,
    )
    if state.acknowledged is None:
        return [acknowledgement]
    if state.acknowledged == acknowledgement:
        return []
    raise AlertAlreadyAcknowledged("this alert is acknowledged already; its history says by whom")


DECIDER: Decider[AlertCommand, Progress, SeriousAdverseEventIdentified, AlertEvent] = Decider(
    category="alert", initial=Progress(), evolve=evolve, decide=decide
)
