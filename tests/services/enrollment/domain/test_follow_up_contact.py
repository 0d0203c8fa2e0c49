"""Contacts of long-term follow-up: after the infusion and before the death, by the consent of their day."""

from uuid import uuid4

import pytest

from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.follow_up_contact import FollowUpContactAlreadyRecorded, NoSuchFollowUpContact
from services.enrollment.domain.participant import ParticipantCommand
from shared.consent.coverage import ConsentDoesNotCover
from shared.contracts.enrollment_follow_up import (
    ContactWay,
    FollowUpContactRecorded,
    FollowUpContactRetracted,
    LateEvents,
    Said,
)
from shared.kernel.errors import TrialError
from tests.services.enrollment.builders import (
    CONTACT,
    COURSES,
    FACTS,
    INFUSED,
    PROTOCOL,
    WHO,
    contact,
    contact_retraction,
    death,
    facts,
    infusion_retraction,
    living,
    off_treatment,
    part_withdrawal,
    spec,
    told,
)
from tests.shared.protocol.documents import protocol_with

REACHED = (*INFUSED, contact())
OPEN, CLOSED = (facts(protocol=protocol_with(consent__gates__value=gates)) for gates in ([], ["follow-up"]))


def test_a_contact_is_recorded_with_what_was_asked_and_no_more() -> None:
    spec.given(*told(*INFUSED)).when(contact(), FACTS).then(
        FollowUpContactRecorded(
            participant_id=WHO,
            site_id="CU",
            contact_id=CONTACT,
            contacted_on=contact().contacted_on,
            way=ContactWay.QUESTIONNAIRE,
            late_events=LateEvents(new_malignancy=Said.NO),
            protocol=PROTOCOL.ref,
        )
    )


@pytest.mark.parametrize(
    ("commands", "contacted_on", "refused"),
    [
        (INFUSED, "2026-03-16", None),  # the day of the infusion
        (INFUSED, "2026-03-15", OutOfOrder),
        (INFUSED, "2029-01-01", InTheFuture),
        ((*INFUSED, off_treatment(), infusion_retraction()), "2026-05-11", NotAtThisPoint),
        ((*INFUSED, death("2026-05")), "2026-05-31", None),
        ((*INFUSED, death("2026-05")), "2026-06-01", OutOfOrder),
        (COURSES["completed"], "2026-05-11", None),
    ],
)
def test_when_a_contact_may_have_been(
    commands: tuple[ParticipantCommand, ...], contacted_on: str, refused: type[TrialError] | None
) -> None:
    when = spec.given(*told(*commands)).when(contact(contacted_on), FACTS)
    if refused is None:
        assert len(when.decide()) == 1
    else:
        when.then_rejected(refused)


@pytest.mark.parametrize(("contacted_on", "covered"), [("2026-05-10", True), ("2026-05-12", False)])
def test_the_consent_of_the_day_covers_it_or_not(contacted_on: str, covered: bool) -> None:
    left = told(*INFUSED, part_withdrawal("follow-up", on="2026-05-11"))
    for at, passes in ((OPEN, True), (CLOSED, covered)):
        when = spec.given(*left).when(contact(contacted_on), at)
        if passes:
            assert len(when.decide()) == 1
        else:
            when.then_rejected(ConsentDoesNotCover)


def test_the_same_contact_twice_is_one_and_an_id_is_used_once() -> None:
    spec.given(*told(*REACHED)).when(contact(), FACTS).then_nothing()
    spec.given(*told(*REACHED)).when(contact(way="examination"), FACTS).then_rejected(FollowUpContactAlreadyRecorded)
    assert set(living(*REACHED, contact(contact_id=uuid4())).follow_up_contacts) > {CONTACT}


def test_a_contact_entered_in_error_is_taken_back_once() -> None:
    gone = FollowUpContactRetracted(
        participant_id=WHO, contact_id=CONTACT, reason=contact_retraction().reason, protocol=PROTOCOL.ref
    )
    spec.given(*told(*REACHED)).when(contact_retraction(), FACTS).then(gone)
    spec.given(*told(*REACHED), gone).when(contact_retraction(), FACTS).then_nothing()
    spec.given(*told(*REACHED), gone).when(contact(), FACTS).then_rejected(FollowUpContactAlreadyRecorded)
    assert living(*REACHED, contact_retraction()).follow_up_contacts == {}
    spec.given(*told(*INFUSED)).when(contact_retraction(), FACTS).then_rejected(NoSuchFollowUpContact)
