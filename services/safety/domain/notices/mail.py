"""An alert as people read it in their mail: a subject, and a text that says no more than the webhook."""

from datetime import UTC, datetime

from services.safety.domain.notices.message import AlertMessage, ClockMessage, Message

_CLOCKS = {
    "safety.clock-due-soon": "A duty to report is due soon, and not done.",
    "safety.clock-escalated": "A duty to report is not done.",
    "safety.clock-missed": "A duty to report was not done in time.",
}


def subject(message: Message) -> str:
    """One line: what it is, and its id. Mail servers keep subjects in their logs."""
    if isinstance(message, AlertMessage):
        again = "" if message.data.notification == 1 else ", sent again"
        return f"Safety alert {message.data.alert_id}, level {message.data.level}{again}"
    return f"Reporting clock {message.type.removeprefix('safety.clock-')}: {message.data.notice_id}"


def text(message: Message, safety_url: str) -> str:
    """The mail's text. `safety_url`: where the API of safety is reached."""
    lines = _of_alert(message, safety_url) if isinstance(message, AlertMessage) else _of_clock(message, safety_url)
    return "\n".join([*lines, "", "This mail was sent by a machine; nobody reads answers to it.", ""])


def _of_alert(message: AlertMessage, safety_url: str) -> list[str]:
    data = message.data
    return [
        "An alert of the trial waits until a safety officer acknowledges it.",
        "",
        f"Alert          {data.alert_id}",
        *_subject_of(message),
        f"Grade          {data.grade}",
        f"Raised         {_instant(message.timestamp)}",
        f"Level          {data.level}",
        *_due(message),
        "",
        f"Read it:        GET  {safety_url}/v1/alerts/{data.alert_id}",
        f"Acknowledge it: POST {safety_url}/v1/alerts/{data.alert_id}/acknowledge",
    ]


def _of_clock(message: ClockMessage, safety_url: str) -> list[str]:
    return [
        _CLOCKS[message.type],
        "",
        f"Clock          {message.data.clock_id}",
        f"Duty           {message.data.clock}",
        *_subject_of(message),
        *_due(message),
        "",
        f"Read the case: GET {safety_url}/v1/adverse-events/{message.data.adverse_event_id}/case",
    ]


def _subject_of(message: Message) -> list[str]:
    return [
        f"Adverse event  {message.data.adverse_event_id}",
        f"Participant    {message.data.participant_id}",
        f"Site           {message.data.site_id}",
    ]


def _due(message: Message) -> list[str]:
    return [f"To be told     {due.to} until {_instant(due.due_at)}" for due in message.data.due]


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
