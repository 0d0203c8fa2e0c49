"""Screening: taken in, corrected, failed, begun again, and ended by enrolment."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from services.enrollment.domain.consent import ConsentNotValid
from services.enrollment.domain.facts import BeforeBirth, Facts, InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.screening import AlreadyScreened, DosingHalted, NotEligible, UnknownDoseLevel
from services.enrollment.domain.site import NoSuchSite
from shared.contracts.enrollment import ParticipantEnrolled, ParticipantRescreened, ParticipantScreened
from shared.contracts.enrollment_terms import Diagnosis, ParticipantStatus, Sex
from tests.services.enrollment.builders import (
    CONSENTED,
    ELIGIBLE,
    ENROLLED,
    FACTS,
    INFUSED,
    NOW,
    PROTOCOL,
    WHO,
    assessment,
    consent,
    data_correction,
    enrolment,
    facts,
    living,
    rescreening,
    screen_failure,
    screening,
    spec,
    told,
    withdrawal,
)

SCREENED = ParticipantScreened(
    participant_id=WHO,
    site_id="CU",
    time_zone="Asia/Bangkok",
    subject_number="CU-001",
    screening_number="CU-001-S1",
    subject_label=None,
    birth_month="2017-03",
    sex=Sex.FEMALE,
    diagnosis=Diagnosis.NEUROBLASTOMA,
    diagnosis_text=None,
    screened_on=date(2026, 3, 2),
    status=ParticipantStatus.SCREENING,
)


def test_a_person_is_taken_into_screening_under_the_sites_number() -> None:
    spec.given().when(screening(), FACTS).then(SCREENED)


def test_nobody_is_screened_where_no_site_gives_a_number() -> None:
    spec.given().when(screening(), Facts(NOW, PROTOCOL)).then_rejected(NoSuchSite)


def test_the_same_screening_twice_decides_to_nothing() -> None:
    spec.given(SCREENED).when(screening(), FACTS).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        {"site_id": "KKU"},
        {"subject_label": "01-701-1015"},
        {"birth_month": "2017-04"},
        {"sex": "M"},
        {"screened_on": "2026-03-03"},
    ],
)
def test_an_id_is_one_person(other: dict[str, str]) -> None:
    spec.given(SCREENED).when(screening(**other), FACTS).then_rejected(AlreadyScreened)


def test_another_tumour_is_told_in_words_that_name_nobody() -> None:
    with pytest.raises(ValidationError, match="diagnosis_text"):
        screening(diagnosis="other")
    with pytest.raises(ValidationError, match="a title and a name"):
        screening(diagnosis="other", diagnosis_text="as Mr Somchai's brother had")
    told_in_words = screening(diagnosis="other", diagnosis_text="pleuropulmonary blastoma")
    assert spec.given().when(told_in_words, FACTS).decide()


@pytest.mark.parametrize("month", ["2017-03-14", "2017-13", "2017", "14-03-2017"])
def test_of_a_birth_the_month_alone_is_taken(month: str) -> None:
    with pytest.raises(ValidationError):
        screening(birth_month=month)


@pytest.mark.parametrize(
    ("born", "on", "error"),
    [("2026-04", "2026-03-31", BeforeBirth), ("2026-04", "2026-04-01", None), ("2017-03", "2027-06-02", InTheFuture)],
)
def test_a_screening_lies_between_birth_and_today(born: str, on: str, error: Any) -> None:
    taken_in = spec.given().when(screening(birth_month=born, screened_on=on), FACTS)
    if error is None:
        assert taken_in.decide()
    else:
        taken_in.then_rejected(error)


def test_today_is_the_sites_today() -> None:
    evening_in_utc = facts(datetime(2026, 3, 14, 18, tzinfo=UTC))
    assert spec.given().when(screening(screened_on="2026-03-15"), evening_in_utc).decide()


def test_a_person_screened_again_keeps_one_number_and_gets_another_screening() -> None:
    spec.given(*told(*ELIGIBLE, screen_failure())).when(rescreening(), FACTS).then(
        ParticipantRescreened(
            participant_id=WHO,
            screening_number="CU-001-S2",
            screened_on=date(2026, 5, 4),
            status=ParticipantStatus.SCREENING,
        )
    )


def test_a_new_screening_begins_without_consent_and_assessment() -> None:
    again = living(*ELIGIBLE, screen_failure(), rescreening())
    assert (again.consents, again.assessment, again.endings) == ((), None, ())
    assert (again.subject_number, again.screening_number, again.status) == ("CU-001", "CU-001-S2", "screening")


def test_the_same_rescreening_twice_decides_to_nothing() -> None:
    spec.given(*told(*CONSENTED, screen_failure(), rescreening())).when(rescreening(), FACTS).then_nothing()


def test_a_second_failure_allows_a_third_screening_on_the_same_day() -> None:
    failed_twice = (*CONSENTED, screen_failure(), rescreening(), screen_failure("2026-05-04"))
    assert living(*failed_twice, rescreening()).screening_number == "CU-001-S3"


def test_a_family_that_withdrew_before_enrolment_may_come_again() -> None:
    assert living(*CONSENTED, withdrawal("2026-03-09"), rescreening()).status == "screening"


def test_a_participant_who_was_enrolled_is_not_screened_again() -> None:
    spec.given(*told(*INFUSED, withdrawal())).when(rescreening("2026-06-01"), FACTS).then_rejected(NotAtThisPoint)


@pytest.mark.parametrize(("on", "error"), [("2026-03-08", OutOfOrder), ("2027-06-02", InTheFuture)])
def test_a_rescreening_lies_between_the_end_of_the_first_and_today(on: str, error: Any) -> None:
    failed = told(*CONSENTED, screen_failure("2026-03-09"))
    spec.given(*failed).when(rescreening(on), FACTS).then_rejected(error)
    assert spec.given(*failed).when(rescreening("2026-03-09"), FACTS).decide()


@pytest.mark.parametrize(("on", "taken"), [("2026-03-08", False), ("2026-03-09", True)])
def test_a_rescreening_is_put_right_to_a_day_after_the_first_ended(on: str, taken: bool) -> None:
    again = told(*CONSENTED, screen_failure("2026-03-09"), rescreening())
    when = spec.given(*again).when(data_correction(screened_on=on), FACTS)
    if taken:
        assert when.decide()
    else:
        when.then_rejected(OutOfOrder, "earlier screening")


def test_screening_data_are_corrected_with_a_reason() -> None:
    corrected = living(screening(), data_correction(diagnosis="other", diagnosis_text="pleuropulmonary blastoma"))
    assert (corrected.data.birth_month, corrected.data.diagnosis_text) == ("2017-04", "pleuropulmonary blastoma")


def test_a_correction_that_corrects_nothing_decides_to_nothing() -> None:
    spec.given(SCREENED).when(data_correction(birth_month="2017-03"), FACTS).then_nothing()


@pytest.mark.parametrize("reason", ["", "ok", "see Mrs Somsri", "HN 1234567", "x" * 501])
def test_a_reason_says_why_and_names_nobody(reason: str) -> None:
    with pytest.raises(ValidationError):
        data_correction(reason=reason)


@pytest.mark.parametrize(
    ("correction", "error"),
    [
        ({"screened_on": "2026-03-10"}, OutOfOrder),  # after the enrolment
        ({"screened_on": "2016-03-02"}, BeforeBirth),
        ({"birth_month": "2027-06"}, BeforeBirth),
        ({"screened_on": "2027-06-02"}, InTheFuture),
    ],
)
def test_a_correction_is_checked_like_a_screening(correction: dict[str, str], error: Any) -> None:
    spec.given(*told(*ENROLLED)).when(data_correction(**correction), FACTS).then_rejected(error)


def test_an_eligible_child_with_consent_is_enrolled() -> None:
    spec.given(*told(*ELIGIBLE)).when(enrolment(), FACTS).then(
        ParticipantEnrolled(
            participant_id=WHO,
            site_id="CU",
            subject_number="CU-001",
            enrolled_on=date(2026, 3, 9),
            dose_level="DL1",
            criteria_excepted=(),
            status=ParticipantStatus.ENROLLED,
            protocol="CMD03@1.0.0",
        )
    )


@pytest.mark.parametrize("level", [None, "DL-1", "DL1", "DL2", "DL3"])
def test_a_dose_level_is_one_of_the_protocols_or_not_known_yet(level: str | None) -> None:
    assert living(*ELIGIBLE, enrolment(dose_level=level)).status == "enrolled"


def test_an_unknown_dose_level_is_refused() -> None:
    spec.given(*told(*ELIGIBLE)).when(enrolment(dose_level="DL9"), FACTS).then_rejected(UnknownDoseLevel, "DL2")


def test_where_the_protocol_has_no_dosing_no_dose_level_is_taken() -> None:
    without = facts(protocol=PROTOCOL.model_copy(update={"dosing": None}))
    spec.given(*told(*ELIGIBLE)).when(enrolment(), without).then_rejected(UnknownDoseLevel, "none")


@pytest.mark.parametrize(
    ("course", "error", "match"),
    [
        ((screening(), consent("assent"), assessment()), ConsentNotValid, "guardian-consent-missing"),
        ((screening(), consent(), assessment()), ConsentNotValid, "assent-missing"),
        (CONSENTED, NotEligible, "assess the eligibility first"),
        ((*CONSENTED, assessment(AN_16={"flag": True})), NotEligible, "does not say eligible"),
        ((*CONSENTED, assessment(AN_04=None)), NotEligible, "does not say eligible"),
        ((*CONSENTED, assessment("2026-03-10")), NotEligible, "later day"),
        ((*ELIGIBLE, data_correction()), NotEligible, "assess the eligibility first"),
    ],
)
def test_enrolment_needs_consent_and_eligibility(course: Any, error: Any, match: str) -> None:
    spec.given(*told(*course)).when(enrolment(), FACTS).then_rejected(error, match)


def test_nobody_is_enrolled_while_dosing_is_halted() -> None:
    halted = replace(FACTS, halting_rules=("treatment-related-death",))
    spec.given(*told(*ELIGIBLE)).when(enrolment(), halted).then_rejected(DosingHalted, "treatment-related-death")


def test_a_consent_given_after_enrolment_does_not_count() -> None:
    late = (screening(), consent(), consent("assent", obtained_on="2026-03-10"), assessment("2026-03-06"))
    spec.given(*told(*late)).when(enrolment(), FACTS).then_rejected(ConsentNotValid)


@pytest.mark.parametrize(("on", "holds"), [("2026-03-13", True), ("2026-03-14", False)])
def test_results_must_not_have_gone_stale_by_the_day_of_enrolment(on: str, holds: bool) -> None:
    # The pregnancy test of 6 March counts for 7 days.
    enrolling = spec.given(*told(*ELIGIBLE)).when(enrolment(on), FACTS)
    if holds:
        assert enrolling.decide()
    else:
        enrolling.then_rejected(NotEligible, "AN-14")


def test_an_amended_protocol_asks_again_on_the_day_of_enrolment() -> None:
    stricter = tuple(
        each.model_copy(update={"threshold": Decimal(1)}) if each.id == "AN-04" else each
        for each in PROTOCOL.eligibility
    )
    amended = facts(protocol=PROTOCOL.model_copy(update={"eligibility": stricter}))
    spec.given(*told(*ELIGIBLE)).when(enrolment(), amended).then_rejected(NotEligible, "AN-04")


@pytest.mark.parametrize(("on", "error"), [("2026-03-01", OutOfOrder), ("2027-06-02", InTheFuture)])
def test_an_enrolment_lies_between_screening_and_today(on: str, error: Any) -> None:
    spec.given(*told(*ELIGIBLE)).when(enrolment(on), FACTS).then_rejected(error)


def test_the_same_enrolment_twice_decides_to_nothing_and_another_is_refused() -> None:
    enrolled = spec.given(*told(*INFUSED))
    enrolled.when(enrolment(), FACTS).then_nothing()
    enrolled.when(enrolment(dose_level="DL2"), FACTS).then_rejected(NotAtThisPoint)
