"""Who counts for the dose, read from a participant's own record and from what safety decided."""

from datetime import datetime, timedelta

import pytest

from services.enrollment.domain.cohorts.people import person_of
from services.enrollment.domain.participant import ParticipantCommand
from shared.escalation.standing import Halt, Person, halts_of
from shared.escalation.toxicity import Toxicity
from shared.protocol.dose_limiting_status import DltStatus
from tests.services.enrollment.builders import (
    ELIGIBLE,
    ENROLLED,
    INFUSED,
    NOW,
    PROTOCOL,
    enrolment,
    infusion,
    living,
    loss,
    off_treatment,
)

ENDS = datetime.fromisoformat("2026-04-13T10:20:00+07:00")  # 28 x 24 h after the end of the usual infusion
SECOND = timedelta(seconds=1)
WITHOUT_A_LEVEL = (*ELIGIBLE, enrolment(dose_level=None), infusion())


def person(
    *commands: ParticipantCommand, slot: str | None = None, now: datetime = NOW, toxicity: Toxicity | None = None
) -> Person:
    return person_of(living(*commands), slot, toxicity or Toxicity(), PROTOCOL, now)


@pytest.mark.parametrize(
    ("commands", "slot", "now", "status"),
    [
        (ENROLLED, None, NOW, DltStatus.NOT_INFUSED),
        (INFUSED, None, ENDS, DltStatus.IN_WINDOW),
        (INFUSED, None, ENDS + SECOND, DltStatus.EVALUABLE),
        ((*INFUSED, loss("2026-04-12")), None, NOW, DltStatus.NOT_EVALUABLE),
        ((*INFUSED, loss("2026-04-13")), None, NOW, DltStatus.EVALUABLE),
        ((*INFUSED, off_treatment("2026-04-01")), None, NOW, DltStatus.EVALUABLE),  # watched on
        (INFUSED, "DL2", NOW, DltStatus.NOT_EVALUABLE),  # half of what the level of the slot plans
        (WITHOUT_A_LEVEL, None, NOW, DltStatus.NOT_EVALUABLE),
        (WITHOUT_A_LEVEL, "DL1", NOW, DltStatus.EVALUABLE),
    ],
)
def test_how_somebody_stands(
    commands: tuple[ParticipantCommand, ...], slot: str | None, now: datetime, status: DltStatus
) -> None:
    assert person(*commands, slot=slot, now=now).status is status


def test_what_is_known_of_somebody_infused() -> None:
    seen = person(*INFUSED, toxicity=Toxicity(has_dlt=True, undecided=True))
    assert (seen.status, seen.undecided, seen.dose_level, seen.left) == (DltStatus.DLT, True, "DL1", False)
    assert seen.window_ends == ENDS
    assert seen.counts


def test_who_left_before_the_infusion_fills_no_slot() -> None:
    seen = person(*ENROLLED, off_treatment("2026-03-12"))
    assert (seen.left, seen.started_at, seen.window_ends, seen.counts) == (True, None, None, False)


def test_before_the_enrolment_there_is_no_level() -> None:
    assert person(*ELIGIBLE).dose_level is None


def test_a_halt_lasts_from_the_first_firing_to_the_review() -> None:
    steps = [("a", True, NOW), ("a", True, NOW + SECOND), ("b", False, NOW), ("a", False, NOW + 2 * SECOND)]
    (halt,) = halts_of(steps)
    assert halt == Halt("a", NOW, NOW + 2 * SECOND)
    assert [halt.held(NOW + each * SECOND) for each in (-1, 0, 1, 2)] == [False, True, True, False]
    assert halts_of([*steps, ("a", True, NOW + 3 * SECOND)])[1] == Halt("a", NOW + 3 * SECOND)
