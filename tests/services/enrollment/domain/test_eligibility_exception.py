"""Somebody is enrolled although a criterion is not met: two people decide, for what they knew and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from services.enrollment.domain.eligibility_exception import (
    ExceptionNeedsTwo,
    NoExceptionRequested,
    NothingToExcept,
    not_met,
)
from services.enrollment.domain.facts import Facts, NotAtThisPoint
from services.enrollment.domain.screening import NotEligible
from shared.contracts.enrollment import EligibilityAssessed, ParticipantEnrolled
from shared.contracts.enrollment_exceptions import EligibilityExceptionDecided, EligibilityExceptionRequested
from shared.contracts.enrollment_terms import Answer
from shared.kernel.actor import Actor, Role
from tests.services.enrollment.builders import (
    CONSENTED,
    ELIGIBLE,
    ENROLLED,
    FACTS,
    WHO,
    assessment,
    consent,
    data_correction,
    enrolment,
    exception_decision,
    exception_request,
    living,
    rescreening,
    screen_failure,
    screening,
    spec,
    told,
)


def by(name: str, role: Role) -> Facts:
    return replace(FACTS, by=Actor(name, frozenset({role}), None, role))


SPONSOR = by("sponsor-02", Role.SPONSOR)
SICK: dict[str, Any] = {"AN_04": {"number": "6", "unit": "{xULN}"}}
NOT_ELIGIBLE = told(*CONSENTED, assessment(**SICK))


def after(history: Any, *steps: tuple[Any, Facts]) -> list[Any]:
    known = list(history)
    for command, facts in steps:
        known += spec.given(*known).when(command, facts).decide()
    return known


ASKED = after(NOT_ELIGIBLE, (exception_request(), FACTS))
GRANTED = after(ASKED, (exception_decision(), SPONSOR))
REFUSED = after(ASKED, (exception_decision(granted=False), SPONSOR))


def test_an_investigator_asks_and_the_sponsor_grants() -> None:
    asked, decided = GRANTED[-2:]
    assert isinstance(asked, EligibilityExceptionRequested)
    assert isinstance(decided, EligibilityExceptionDecided)
    assert [(each.criterion_id, each.answer) for each in asked.answers] == [("AN-04", Answer.NOT_MET)]
    assert decided.answers == asked.answers
    assert (asked.requested_by, decided.requested_by, decided.decided_by) == ("dr-01", "dr-01", "sponsor-02")
    assert decided.granted


def test_who_is_enrolled_by_an_exception_is_known_for_it() -> None:
    (enrolled,) = spec.given(*GRANTED).when(enrolment(), FACTS).decide()
    assert isinstance(enrolled, ParticipantEnrolled)
    assert enrolled.criteria_excepted == ("AN-04",)


@pytest.mark.parametrize("history", [NOT_ELIGIBLE, ASKED, REFUSED], ids=["nothing asked", "asked", "refused"])
def test_without_a_grant_nobody_is_enrolled(history: Any) -> None:
    spec.given(*history).when(enrolment(), FACTS).then_rejected(NotEligible, "exception that the sponsor granted")


def test_it_holds_for_the_evidence_it_was_granted_on_alone() -> None:
    worse = after(GRANTED, (assessment(AN_04={"number": "9", "unit": "{xULN}"}), FACTS))
    spec.given(*worse).when(enrolment(), FACTS).then_rejected(NotEligible)
    again = after(worse, (assessment("2026-03-07", **SICK), FACTS))
    assert spec.given(*again).when(enrolment(), FACTS).decide()


def test_another_criterion_that_is_not_met_still_keeps_out() -> None:
    two = after(GRANTED, (assessment(**SICK, AN_16={"flag": True}), FACTS))
    spec.given(*two).when(enrolment(), FACTS).then_rejected(NotEligible)
    both = after(two, (exception_request("AN-16", "AN-04"), FACTS), (exception_decision(), SPONSOR))
    (enrolled,) = spec.given(*both).when(enrolment(), FACTS).decide()
    assert isinstance(enrolled, ParticipantEnrolled)
    assert enrolled.criteria_excepted == ("AN-04", "AN-16")


def test_what_goes_stale_is_not_excepted() -> None:
    # The pregnancy test of 6 March counts for 7 days; the exception is for another criterion.
    spec.given(*GRANTED).when(enrolment("2026-03-14"), FACTS).then_rejected(NotEligible, "holds for AN-14")


@pytest.mark.parametrize(
    ("history", "criteria"),
    [
        (NOT_ELIGIBLE, ("AN-05",)),  # met
        (NOT_ELIGIBLE, ("AN-04", "AN-05")),
        (NOT_ELIGIBLE, ("XX-99",)),
        (told(*CONSENTED), ("AN-04",)),  # not assessed
        (told(*CONSENTED, assessment(AN_04=None)), ("AN-04",)),  # not known
    ],
)
def test_an_exception_is_for_what_is_not_met(history: Any, criteria: tuple[str, ...]) -> None:
    spec.given(*history).when(exception_request(*criteria), FACTS).then_rejected(NothingToExcept)


def test_for_consent_there_is_no_exception() -> None:
    no_assent = told(screening(), consent(), assessment(**SICK))
    assessed = no_assent[-1]
    assert isinstance(assessed, EligibilityAssessed)
    (of_consent,) = {each.criterion_id for each in not_met(assessed.answers)} - {"AN-04"}
    spec.given(*no_assent).when(exception_request(of_consent), FACTS).then_rejected(NothingToExcept, "AN-04")


def test_who_asked_does_not_grant() -> None:
    both = by("dr-01", Role.SPONSOR)
    spec.given(*ASKED).when(exception_decision(), both).then_rejected(ExceptionNeedsTwo)


@pytest.mark.parametrize("history", [NOT_ELIGIBLE, REFUSED])
def test_what_nobody_asked_is_not_decided(history: Any) -> None:
    spec.given(*history).when(exception_decision(), SPONSOR).then_rejected(NoExceptionRequested)


def test_the_same_twice_decides_to_nothing() -> None:
    spec.given(*ASKED).when(exception_request(), FACTS).then_nothing()
    spec.given(*GRANTED).when(exception_decision(), SPONSOR).then_nothing()


def test_a_new_request_takes_the_place_of_the_one_before() -> None:
    anew = after(GRANTED, (exception_request(), FACTS))
    spec.given(*anew).when(enrolment(), FACTS).then_rejected(NotEligible)


def test_a_new_screening_begins_without_it() -> None:
    anew = after(GRANTED, (screen_failure(), FACTS), (rescreening(), FACTS))
    assert spec.given(*anew).state.exception is None


def test_a_correction_of_the_age_voids_it_with_the_assessment() -> None:
    corrected = after(GRANTED, (data_correction(), FACTS))
    spec.given(*corrected).when(enrolment(), FACTS).then_rejected(NotEligible, "assess the eligibility first")


def test_after_enrolment_nothing_is_excepted() -> None:
    assert living(*ELIGIBLE).participant_id == WHO
    spec.given(*told(*ENROLLED)).when(exception_request(), FACTS).then_rejected(NotAtThisPoint)
