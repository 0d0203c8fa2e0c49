"""The chain of an alert: levels at their minutes, whom each tells, and how far a clock's steps go up it."""

from datetime import timedelta

import pytest

from services.safety.domain.notices.escalation import (
    Notification,
    begins_at,
    level_of_step,
    notifications,
    present_level,
)
from services.safety.domain.notices.message import NoticeKind
from shared.contracts.safety import AlertChannel
from shared.protocol import AlertLevel
from tests.services.safety.builders import NOW

LEVELS = (
    AlertLevel(after_minutes=0, webhook=True, mail_to=("safety-officer",)),
    AlertLevel(after_minutes=30, webhook=False, mail_to=("safety-officer", "sponsor")),
    AlertLevel(after_minutes=120, webhook=True, mail_to=()),
)


@pytest.mark.parametrize(
    ("seconds", "level"), [(-5, 1), (0, 1), (1799, 1), (1800, 2), (7199, 2), (7200, 3), (86400 * 30, 3)]
)
def test_a_level_is_reached_at_its_minute_and_the_last_one_stays(seconds: int, level: int) -> None:
    assert present_level(LEVELS, NOW, NOW + timedelta(seconds=seconds)) == level


@pytest.mark.parametrize(("level", "minutes"), [(1, 0), (2, 30), (3, 120), (4, None)])
def test_each_level_begins_once(level: int, minutes: int | None) -> None:
    assert begins_at(LEVELS, NOW, level) == (None if minutes is None else NOW + timedelta(minutes=minutes))


HOOK = (AlertChannel.WEBHOOK, "webhook")
OFFICER = (AlertChannel.MAIL, "safety-officer")
SPONSOR = (AlertChannel.MAIL, "sponsor")


@pytest.mark.parametrize(("level", "told"), [(1, [HOOK, OFFICER]), (2, [OFFICER, SPONSOR]), (3, [HOOK]), (7, [HOOK])])
def test_a_level_tells_those_the_protocol_names(level: int, told: list[tuple[AlertChannel, str]]) -> None:
    assert list(notifications(LEVELS, level, 2)) == [Notification(level, 2, *each) for each in told]


@pytest.mark.parametrize(
    ("kind", "escalation", "level"),
    [
        (NoticeKind.DUE_SOON, 0, 1),
        (NoticeKind.ESCALATED, 1, 2),
        (NoticeKind.ESCALATED, 2, 3),
        (NoticeKind.ESCALATED, 3, 3),
        (NoticeKind.MISSED, 0, 3),
    ],
)
def test_each_escalation_of_a_clock_goes_one_level_up_as_far_as_the_chain_goes(
    kind: NoticeKind, escalation: int, level: int
) -> None:
    assert level_of_step(LEVELS, kind, escalation) == level


@pytest.mark.parametrize(
    ("kind", "escalation"), [(NoticeKind.DUE_SOON, 0), (NoticeKind.ESCALATED, 1), (NoticeKind.MISSED, 0)]
)
def test_a_chain_of_one_level_tells_it_every_step(kind: NoticeKind, escalation: int) -> None:
    assert level_of_step(LEVELS[:1], kind, escalation) == 1
