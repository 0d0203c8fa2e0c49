"""An alert after it was raised: told once per notification, told again at a wish, acknowledged once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from services.safety.domain.notices.alert import (
    DECIDER,
    AcknowledgeAlert,
    AlertAlreadyAcknowledged,
    Facts,
    Progress,
    RecordDelivery,
    ResendAlert,
    event_of,
)
from services.safety.domain.notices.escalation import Notification
from services.safety.domain.notices.mail import subject, text
from services.safety.domain.notices.message import AlertMessage, NoticeKind, about_alert, message_of
from shared.contracts.safety import AlertAcknowledged, AlertChannel, AlertDelivered, AlertResendRequested
from tests.services.safety.builders import CHILD, EVENT, NOW, raised
from tests.specs import Spec

given = Spec(DECIDER).given
ALERT = raised()
THESE: dict[str, Any] = {"alert_id": f"{EVENT}-1", "adverse_event_id": EVENT, "participant_id": CHILD}
TO_OFFICER = {"channel": AlertChannel.MAIL, "recipient": "safety-officer"}
ACKNOWLEDGED = AlertAcknowledged(**THESE, note="Called the site")
TAKE = AcknowledgeAlert(note="Called the site")
WISH, SECOND_WISH = UUID(int=1), UUID(int=2)


def facts(present_level: int = 1) -> Facts:
    return Facts(**THESE, present_level=present_level)


def told(level: int = 1, number: int = 1, **changed: Any) -> AlertDelivered:
    return AlertDelivered(**{**THESE, **TO_OFFICER, "level": level, "number": number, "delivered_at": NOW, **changed})


def record(level: int = 1, number: int = 1, **changed: Any) -> RecordDelivery:
    stated = {**TO_OFFICER, "level": level, "number": number, "delivered_at": NOW, **changed}
    return RecordDelivery.model_validate(stated)


def resend(resend_id: UUID, level: int, number: int) -> AlertResendRequested:
    return AlertResendRequested(**THESE, resend_id=resend_id, level=level, number=number)


def test_a_delivery_is_recorded_once() -> None:
    given().when(record(), facts()).then(told())
    given(told()).when(record(delivered_at=NOW + timedelta(hours=1)), facts()).then_nothing()


@pytest.mark.parametrize(
    "other", [{"level": 2}, {"number": 2}, {"recipient": "sponsor"}, {"channel": AlertChannel.WEBHOOK}]
)
def test_each_notification_is_recorded_by_itself(other: dict[str, Any]) -> None:
    given(told()).when(record(**other), facts()).then(told(**other))


def test_an_alert_is_acknowledged_whether_or_not_anybody_was_told() -> None:
    given().when(TAKE, facts()).then(ACKNOWLEDGED)
    given(told()).when(TAKE, facts()).then(ACKNOWLEDGED)
    given(ACKNOWLEDGED).when(record(), facts()).then(told())  # it was on its way


def test_an_alert_is_acknowledged_once() -> None:
    given(ACKNOWLEDGED).when(TAKE, facts()).then_nothing()
    given(ACKNOWLEDGED).when(AcknowledgeAlert(), facts()).then_rejected(AlertAlreadyAcknowledged, "history")


def test_a_wish_is_for_the_present_level_and_numbered_within_it() -> None:
    given().when(ResendAlert(resend_id=WISH), facts(1)).then(resend(WISH, 1, 2))
    given(resend(WISH, 1, 2)).when(ResendAlert(resend_id=SECOND_WISH), facts(1)).then(resend(SECOND_WISH, 1, 3))
    given(resend(WISH, 1, 2)).when(ResendAlert(resend_id=SECOND_WISH), facts(2)).then(resend(SECOND_WISH, 2, 2))


def test_the_same_wish_twice_is_one_even_at_a_later_level() -> None:
    given(resend(WISH, 1, 2)).when(ResendAlert(resend_id=WISH), facts(3)).then_nothing()
    given(resend(WISH, 1, 2), ACKNOWLEDGED).when(ResendAlert(resend_id=WISH), facts(3)).then_nothing()


def test_nobody_is_told_again_of_an_alert_in_hand() -> None:
    given(ACKNOWLEDGED).when(ResendAlert(resend_id=WISH), facts()).then_rejected(AlertAlreadyAcknowledged)


COMMANDS = st.one_of(
    st.builds(lambda note: AcknowledgeAlert(note=note), st.sampled_from([None, "Called the site"])),
    st.builds(lambda number: ResendAlert(resend_id=UUID(int=number)), st.integers(1, 3)),
    st.builds(record, level=st.integers(1, 2), number=st.integers(1, 2)),
)


@given_any(st.lists(st.tuples(COMMANDS, st.integers(1, 3)), max_size=8))
def test_a_command_that_was_carried_out_decides_to_nothing(commands: list[tuple[Any, int]]) -> None:
    state = Progress()
    for command, level in commands:
        try:
            decided = DECIDER.decide(command, state, facts(level))
        except AlertAlreadyAcknowledged:
            continue
        for event in decided:
            state = DECIDER.evolve(state, event)
        assert DECIDER.decide(command, state, facts(level)) == []


def test_an_alerts_id_leads_to_its_event() -> None:
    assert event_of(ALERT.alert_id) == EVENT


def message(level: int = 1, number: int = 1) -> AlertMessage:
    made = message_of(NoticeKind.ALERT, about_alert(ALERT), NOW, level, number)
    assert isinstance(made, AlertMessage)
    return made


def test_a_message_carries_ids_site_grade_and_due_instants_alone() -> None:
    data = message().model_dump(mode="json")["data"]
    ids = {"alert_id", "number", "adverse_event_id", "participant_id", "site_id", "level", "notification"}
    assert set(data) == {*ids, "grade", "due"}
    assert [set(due) for due in data["due"]] == [{"to", "due_at"}, {"to", "due_at"}]
    assert message().body() == message().body()


def test_a_mail_says_what_the_webhook_says_and_no_more() -> None:
    read = text(message(2), "https://trial.example.org/safety")
    for known in (ALERT.alert_id, str(EVENT), str(CHILD), "Grade          2", "Level          2", "CU"):
        assert known in read
    assert "sponsor until 2026-03-17 02:00 UTC" in read
    assert f"https://trial.example.org/safety/v1/alerts/{ALERT.alert_id}/acknowledge" in read


@pytest.mark.parametrize("secret", ["hospital", "Cytokine", "release", "seizure", "2026-03-15", "dr-mali"])
def test_no_health_data_leave_with_a_message(secret: str) -> None:
    assert secret not in message().body() + subject(message()) + text(message(), "https://trial.example.org/safety")


def test_a_subject_names_the_alert_its_level_and_whether_it_was_sent_again() -> None:
    assert subject(message()) == f"Safety alert {EVENT}-1, level 1"
    assert subject(message(2, 3)) == f"Safety alert {EVENT}-1, level 2, sent again"


def test_who_was_told_is_known_by_level_number_channel_and_label() -> None:
    state = DECIDER.fold([told(2, 3)])
    assert state.delivered == {Notification(2, 3, AlertChannel.MAIL, "safety-officer")}
