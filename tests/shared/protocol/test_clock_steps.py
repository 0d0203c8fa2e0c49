"""The steps of a reporting clock, as settings."""

import pytest
from pydantic import ValidationError

from shared.protocol import Reminders, load_protocol


@pytest.mark.parametrize("hours", [(), (0,), (-24, 0, 24)])
def test_levels_of_escalation_follow_each_other(hours: tuple[int, ...]) -> None:
    assert Reminders(due_soon_hours=6, escalate_hours=hours).escalate_hours == hours


@pytest.mark.parametrize("hours", [(0, 0), (24, 0)])
def test_levels_out_of_order_are_refused(hours: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="in order of time"):
        Reminders(due_soon_hours=6, escalate_hours=hours)


def test_every_step_of_the_packaged_protocol_bears_a_mark() -> None:
    steps = load_protocol().clock_steps
    assert {each.mark for each in (steps.short_up_to_hours, steps.short, steps.long, steps.effective_from)} == {"D"}
