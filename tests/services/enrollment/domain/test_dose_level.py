"""The dose level of somebody enrolled follows the slot that they have."""

import pytest

from services.enrollment.domain.cohorts.escalation import AlreadyInfused
from services.enrollment.domain.dose_level import reassigned
from services.enrollment.domain.life import Participant, evolve
from shared.contracts.enrollment import DoseLevelReassigned
from tests.services.enrollment.builders import ELIGIBLE, WHO, enrolment, infusion, living

AT_DL2 = (*ELIGIBLE, enrolment(dose_level="DL2"))
REF = "CMD03@1.0.0"


def test_a_slot_at_another_level_reassigns_who_is_enrolled() -> None:
    enrolled = living(*AT_DL2)
    told = reassigned(enrolled, "DL1", REF)
    assert told == [DoseLevelReassigned(participant_id=WHO, from_level="DL2", dose_level="DL1", protocol=REF)]
    after = evolve(enrolled, told[0])
    assert isinstance(after, Participant)
    assert after.enrolment is not None
    assert enrolled.enrolment is not None
    assert (after.enrolment.dose_level, after.enrolment.enrolled_on) == ("DL1", enrolled.enrolment.enrolled_on)
    assert (after.status, reassigned(after, "DL1", REF)) == (enrolled.status, [])


def test_a_slot_before_the_enrolment_reassigns_nobody() -> None:
    assert reassigned(living(*ELIGIBLE), "DL1", REF) == []


def test_a_slot_at_another_level_is_refused_once_the_dose_was_given() -> None:
    infused = living(*AT_DL2, infusion())
    assert reassigned(infused, "DL2", REF) == []
    with pytest.raises(AlreadyInfused, match="another dose level"):
        reassigned(infused, "DL1", REF)
