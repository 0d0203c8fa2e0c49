"""How a period of the trial ends, with its term of the codelist, and how an ending is taken back."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.enrollment.domain.ending import FailScreening, FollowUpNotOver, NoSuchEnding, ScreenFailureUnexplained
from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from shared.contracts.enrollment import (
    ConsentWithdrawn,
    DiscontinuationRetracted,
    FollowUpCompleted,
    ParticipantDied,
    ParticipantLostToFollowUp,
    ScreeningFailed,
    TreatmentDiscontinued,
)
from shared.contracts.enrollment_terms import Disposition, ParticipantStatus
from tests.services.enrollment.builders import (
    CONSENTED,
    COURSES,
    ELIGIBLE,
    ENROLLED,
    FACTS,
    INFUSED,
    WHO,
    assessment,
    completion,
    death,
    infusion_retraction,
    living,
    loss,
    off_treatment,
    retraction,
    screen_failure,
    spec,
    told,
    withdrawal,
)


def test_a_screen_failure_names_the_criteria_not_met() -> None:
    failing = assessment(AN_16={"flag": True}, AN_04=None)
    failed = FailScreening(failed_on=date(2026, 3, 9))
    spec.given(*told(*CONSENTED, failing)).when(failed, FACTS).then(
        ScreeningFailed(
            participant_id=WHO,
            screening_number="CU-001-S1",
            failed_on=date(2026, 3, 9),
            unmet=("AN-16",),
            disposition=Disposition.SCREEN_FAILURE,
            status=ParticipantStatus.SCREEN_FAILED,
        )
    )


def test_a_screening_may_fail_before_anybody_was_assessed() -> None:
    event = told(*CONSENTED, screen_failure())[-1]
    assert isinstance(event, ScreeningFailed)
    assert (event.unmet, event.disposition) == ((), Disposition.PHYSICIAN_DECISION)


@pytest.mark.parametrize("before", [CONSENTED, ELIGIBLE, (*CONSENTED, assessment(AN_04=None))])
def test_a_screening_fails_by_criteria_or_says_why_else(before: Any) -> None:
    unexplained = screen_failure(disposition="SCREEN FAILURE")
    spec.given(*told(*before)).when(unexplained, FACTS).then_rejected(ScreenFailureUnexplained)


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (
            off_treatment(),
            TreatmentDiscontinued(
                participant_id=WHO,
                discontinued_on="2026-04-20",
                disposition=Disposition.PROGRESSIVE_DISEASE,
                status=ParticipantStatus.OFF_TREATMENT,
            ),
        ),
        (
            loss(),
            ParticipantLostToFollowUp(
                participant_id=WHO,
                last_contact_on="2026-06",
                disposition=Disposition.LOST_TO_FOLLOW_UP,
                status=ParticipantStatus.LOST_TO_FOLLOW_UP,
            ),
        ),
        (
            withdrawal(),
            ConsentWithdrawn(
                participant_id=WHO,
                withdrawn_on=date(2026, 5, 20),
                disposition=Disposition.WITHDRAWAL_BY_GUARDIAN,
                status=ParticipantStatus.WITHDRAWN,
            ),
        ),
        (
            withdrawal(by="participant"),
            ConsentWithdrawn(
                participant_id=WHO,
                withdrawn_on=date(2026, 5, 20),
                disposition=Disposition.WITHDRAWAL_BY_SUBJECT,
                status=ParticipantStatus.WITHDRAWN,
            ),
        ),
        (
            completion(),
            FollowUpCompleted(
                participant_id=WHO,
                completed_on="2027-03-16",
                disposition=Disposition.COMPLETED,
                status=ParticipantStatus.COMPLETED,
            ),
        ),
        (
            death(),
            ParticipantDied(
                participant_id=WHO,
                died_on="2026-08",
                disposition=Disposition.DEATH,
                status=ParticipantStatus.DIED,
            ),
        ),
    ],
)
def test_an_ending_carries_its_term_of_the_codelist(command: Any, event: Any) -> None:
    spec.given(*told(*INFUSED)).when(command, FACTS).then(event)


@pytest.mark.parametrize("term", ["DEATH", "LOST TO FOLLOW-UP", "SCREEN FAILURE", "TIRED"])
def test_treatment_does_not_end_by_what_has_a_command_of_its_own(term: str) -> None:
    with pytest.raises(ValidationError):
        off_treatment(disposition=term)


# The infusion was on 16 March 2026; it is 1 June 2027.
@pytest.mark.parametrize(
    ("on", "error"),
    [
        ("2026-03-15", OutOfOrder),
        ("2026-03-16", None),
        ("2026-02", OutOfOrder),
        ("2026-03", None),  # may mean the 16th or later
        ("2026", None),
        ("2025", OutOfOrder),
        ("2027", None),  # may mean January
        ("2027-06", None),
        ("2027-06-01", None),
        ("2027-06-02", InTheFuture),
        ("2027-07", InTheFuture),
        ("2028", InTheFuture),
    ],
)
def test_a_partial_date_is_refused_where_nothing_it_can_mean_is_possible(on: str, error: Any) -> None:
    dying = spec.given(*told(*INFUSED)).when(death(on), FACTS)
    if error is None:
        assert dying.decide()
    else:
        dying.then_rejected(error)


@pytest.mark.parametrize(
    ("course", "on"), [(CONSENTED, "2026-03-01"), (ENROLLED, "2026-03-08"), (INFUSED, "2026-03-15")]
)
def test_an_ending_does_not_lie_before_the_last_thing_on_record(course: Any, on: str) -> None:
    spec.given(*told(*course)).when(withdrawal(on), FACTS).then_rejected(OutOfOrder)


# Month 12 is day 365 = 16 March 2027, and its window opens 30 days before: 14 February.
@pytest.mark.parametrize(
    ("on", "over"),
    [("2027-02-13", False), ("2027-02-14", True), ("2027-02", True), ("2027-01", False), ("2027", True)],
)
def test_follow_up_is_complete_once_the_last_window_has_opened(on: str, over: bool) -> None:
    completing = spec.given(*told(*INFUSED)).when(completion(on), FACTS)
    if over:
        assert completing.decide()
    else:
        completing.then_rejected(FollowUpNotOver)


def test_who_left_treatment_before_any_infusion_has_no_visit_to_wait_for() -> None:
    assert living(*ENROLLED, off_treatment("2026-03-20"), completion("2026-04-20")).status == "completed"


def test_follow_up_goes_on_after_treatment() -> None:
    assert living(*INFUSED, off_treatment(), completion()).status == "completed"
    assert living(*INFUSED, off_treatment(), loss()).status == "lost-to-follow-up"


@pytest.mark.parametrize("course", [course for status, course in COURSES.items() if status != "died"], ids=str)
def test_a_death_is_recorded_wherever_the_participant_stands(course: Any) -> None:
    assert living(*course, death("2027-04")).status == "died"


@pytest.mark.parametrize(
    "command",
    [screen_failure(), off_treatment(), loss(), withdrawal(), completion(), death()],
    ids=lambda command: type(command).__name__,
)
def test_the_same_ending_twice_decides_to_nothing(command: Any) -> None:
    course = CONSENTED if command == screen_failure() else INFUSED
    spec.given(*told(*course, command)).when(command, FACTS).then_nothing()


def test_an_ending_with_another_date_is_refused_until_the_first_is_retracted() -> None:
    spec.given(*told(*INFUSED, death())).when(death("2026-09"), FACTS).then_rejected(NotAtThisPoint)
    assert living(*INFUSED, death(), retraction("died"), death("2026-09")).endings[-1].on == "2026-09"


@pytest.mark.parametrize(
    ("course", "status", "back_to"),
    [
        ((*CONSENTED, screen_failure()), "screen-failed", "screening"),
        ((*CONSENTED, withdrawal("2026-03-09")), "withdrawn", "screening"),
        ((*ENROLLED, off_treatment()), "off-treatment", "enrolled"),
        ((*INFUSED, off_treatment()), "off-treatment", "infused"),
        ((*INFUSED, off_treatment(), loss()), "lost-to-follow-up", "off-treatment"),
        ((*INFUSED, loss(), death()), "died", "lost-to-follow-up"),
        ((*INFUSED, completion()), "completed", "infused"),
    ],
)
def test_a_retracted_ending_leads_back_to_where_the_participant_stood(course: Any, status: str, back_to: str) -> None:
    event = told(*course, retraction(status))[-1]
    assert isinstance(event, DiscontinuationRetracted)
    assert (event.retracted, event.status, event.reason) == (status, back_to, "Entered in error")
    assert living(*course, retraction(status)).status == back_to


def test_the_same_retraction_twice_decides_to_nothing() -> None:
    spec.given(*told(*INFUSED, death(), retraction("died"))).when(retraction("died"), FACTS).then_nothing()


@pytest.mark.parametrize(
    ("course", "status"),
    [(INFUSED, "died"), (INFUSED, "infused"), ((*INFUSED, off_treatment(), death()), "off-treatment")],
)
def test_only_the_latest_ending_is_retracted(course: Any, status: str) -> None:
    spec.given(*told(*course)).when(retraction(status), FACTS).then_rejected(NoSuchEnding)


def test_a_retracted_infusion_leaves_the_ending_in_force() -> None:
    assert living(*INFUSED, off_treatment(), infusion_retraction()).status == "off-treatment"
    assert living(*INFUSED, off_treatment(), infusion_retraction(), retraction("off-treatment")).status == "enrolled"
