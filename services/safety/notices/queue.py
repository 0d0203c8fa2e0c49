"""What somebody is to be told of, and what ends the telling: from safety's own events, for the delivery alone."""

from typing import Any

from services.safety.domain.notices.message import NoticeKind, about_alert, about_clock
from services.safety.tables import clock_ends, notices, resends
from shared.contracts.safety import AlertAcknowledged, AlertResendRequested, SeriousAdverseEventIdentified
from shared.contracts.safety_cases import ClockDueSoon, ClockEscalated, ClockMet, ClockMissed, ClockStopped
from shared.kernel.events import Envelope
from shared.projection import Projection, Rows

PROJECTION = Projection("notices", tables=[notices, clock_ends, resends], topics=["trial.safety"])


@PROJECTION.on(SeriousAdverseEventIdentified)
def _(rows: Rows, event: SeriousAdverseEventIdentified, envelope: Envelope) -> None:
    _raise(rows, event.alert_id, envelope, kind=NoticeKind.ALERT.value, about=about_alert(event))


@PROJECTION.on(AlertResendRequested)
def _(rows: Rows, event: AlertResendRequested, envelope: Envelope) -> None:
    key = {"alert_id": event.alert_id, "level": event.level, "number": event.number}
    rows.upsert(resends, key, asked_at=envelope.recorded_at)


@PROJECTION.on(AlertAcknowledged)
def _(rows: Rows, event: AlertAcknowledged, envelope: Envelope) -> None:
    rows.upsert(notices, {"notice_id": event.alert_id}, acknowledged_at=envelope.recorded_at)


@PROJECTION.on(ClockDueSoon)
def _(rows: Rows, event: ClockDueSoon, envelope: Envelope) -> None:
    _step(rows, event, envelope, NoticeKind.DUE_SOON, f"{event.clock_id}-due-soon")


@PROJECTION.on(ClockEscalated)
def _(rows: Rows, event: ClockEscalated, envelope: Envelope) -> None:
    notice_id = f"{event.clock_id}-escalated-{event.level}"
    _step(rows, event, envelope, NoticeKind.ESCALATED, notice_id, clock_level=event.level)


@PROJECTION.on(ClockMissed)
def _(rows: Rows, event: ClockMissed, envelope: Envelope) -> None:
    _step(rows, event, envelope, NoticeKind.MISSED, f"{event.clock_id}-missed")


@PROJECTION.on(ClockMet, ClockStopped)
def _(rows: Rows, event: ClockMet | ClockStopped, envelope: Envelope) -> None:
    rows.upsert(clock_ends, {"clock_id": event.clock_id}, ended_at=envelope.recorded_at)


def _step(
    rows: Rows,
    event: ClockDueSoon | ClockEscalated | ClockMissed,
    envelope: Envelope,
    kind: NoticeKind,
    notice_id: str,
    **columns: Any,
) -> None:
    told = {"kind": kind.value, "clock_id": event.clock_id, "about": about_clock(event, notice_id)}
    _raise(rows, notice_id, envelope, **told, **columns)


def _raise(rows: Rows, notice_id: str, envelope: Envelope, **columns: Any) -> None:
    at = {"raised_at": envelope.recorded_at, "traceparent": envelope.traceparent}
    rows.upsert(notices, {"notice_id": notice_id}, **at, **columns)
