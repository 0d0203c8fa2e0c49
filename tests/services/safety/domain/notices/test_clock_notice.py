"""The notice of a clock's step: recorded once for each that was told, and telling ids and due instants alone."""

from typing import Any

import pytest

from services.safety.domain.notices.clock_notice import DECIDER, Facts, RecordNoticeDelivery
from services.safety.domain.notices.mail import subject, text
from services.safety.domain.notices.message import ClockMessage, NoticeKind, about_clock, message_of
from shared.contracts.safety import AlertChannel
from shared.contracts.safety_cases import ClockDueSoon, ClockEscalated, ClockMissed
from shared.contracts.safety_clock_notices import ClockNoticeDelivered
from tests.services.safety.builders import CHILD, EVENT, NOW
from tests.specs import Spec

given = Spec(DECIDER).given
CLOCK = f"{EVENT}-clock-1"
THESE: dict[str, Any] = {"notice_id": f"{CLOCK}-missed", "clock_id": CLOCK, "adverse_event_id": EVENT}
FACTS = Facts(**THESE, participant_id=CHILD)
STEP: dict[str, Any] = {
    "clock_id": CLOCK,
    "adverse_event_id": EVENT,
    "participant_id": CHILD,
    "site_id": "CU",
    "clock": "investigator-to-sponsor",
    "to": "sponsor",
    "due_at": NOW,
}


def told(**changed: Any) -> dict[str, Any]:
    return {"level": 3, "channel": AlertChannel.MAIL, "recipient": "sponsor", "delivered_at": NOW, **changed}


def delivered(**changed: Any) -> ClockNoticeDelivered:
    return ClockNoticeDelivered(**THESE, participant_id=CHILD, **told(**changed))


def test_a_delivery_is_recorded_once_for_each_recipient() -> None:
    given().when(RecordNoticeDelivery(**told()), FACTS).then(delivered())
    given(delivered()).when(RecordNoticeDelivery(**told()), FACTS).then_nothing()
    given(delivered()).when(RecordNoticeDelivery(**told(recipient="safety-officer")), FACTS).then(
        delivered(recipient="safety-officer")
    )


@pytest.mark.parametrize(
    ("step", "kind", "suffix"),
    [
        (ClockDueSoon(**STEP, at=NOW), NoticeKind.DUE_SOON, "due-soon"),
        (ClockEscalated(**STEP, at=NOW, level=2), NoticeKind.ESCALATED, "escalated-2"),
        (ClockMissed(**STEP), NoticeKind.MISSED, "missed"),
    ],
)
def test_a_step_tells_which_duty_it_is_and_until_when(step: Any, kind: NoticeKind, suffix: str) -> None:
    notice_id = f"{CLOCK}-{suffix}"
    message = message_of(kind, about_clock(step, notice_id), NOW, 2, 1)
    assert isinstance(message, ClockMessage)
    assert message.type == f"safety.clock-{kind}"
    ids = {"notice_id", "clock_id", "adverse_event_id", "participant_id", "site_id"}
    assert set(message.model_dump()["data"]) == {*ids, "clock", "due", "level"}
    assert message.body() == message_of(kind, about_clock(step, notice_id), NOW, 2, 1).body()
    assert subject(message) == f"Reporting clock {kind}: {notice_id}"
    read = text(message, "https://trial.example.org/safety")
    assert f"{CLOCK}\n" in read
    assert "sponsor until 2026-03-16 03:00 UTC" in read
    assert f"https://trial.example.org/safety/v1/adverse-events/{EVENT}/case" in read
