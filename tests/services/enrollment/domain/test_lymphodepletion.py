"""Lymphodepletion: what may be recorded of it, in which order with infusions, and how it is put right."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.infusion import InfusionBeforeLymphodepletion
from services.enrollment.domain.life import Lymphodepletion
from services.enrollment.domain.lymphodepletion import (
    DrugGivenTwice,
    FirstDoseDisagrees,
    LymphodepletionAlreadyRecorded,
    LymphodepletionBeforeEnrolment,
    LymphodepletionOutOfOrder,
    NoSuchLymphodepletion,
    UnknownDoseUnit,
    UnknownDrug,
)
from shared.contracts.enrollment_lymphodepletion import (
    DrugGiven,
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.contracts.enrollment_terms import ConsentGap, Route
from shared.kernel.errors import TrialError
from tests.services.enrollment.builders import (
    COURSE,
    COURSES,
    ENROLLED,
    FACTS,
    INFUSED,
    NOW,
    PROTOCOL,
    WHO,
    data_correction,
    death,
    drug_given,
    facts,
    infusion,
    infusion_correction,
    infusion_retraction,
    living,
    lymphodepletion,
    lymphodepletion_correction,
    lymphodepletion_retraction,
    off_treatment,
    screening,
    spec,
    told,
)

SECOND = infusion("2026-04-13T09:00:00+07:00")
PREPARED = (*ENROLLED, lymphodepletion())


def on(*days: str, **fields: Any) -> Any:
    return lymphodepletion(drugs=[drug_given("fludarabine", *days)], **fields)


def test_a_course_is_recorded_with_its_first_day() -> None:
    spec.given(*told(*ENROLLED)).when(on("2026-03-12", "2026-03-11"), FACTS).then(
        LymphodepletionRecorded(
            participant_id=WHO,
            site_id="CU",
            lymphodepletion_id=COURSE,
            prepares_infusion=1,
            began_on=date(2026, 3, 11),
            first_dose_at=None,
            drugs=(
                DrugGiven(
                    drug="fludarabine",
                    dose=Decimal(30),
                    unit="mg/m2",
                    route=Route.INTRAVENOUS,
                    days=(date(2026, 3, 11), date(2026, 3, 12)),
                ),
            ),
            consent_gaps=(),
            protocol="CMD03@1.0.0",
        )
    )


def test_it_is_known_after_the_infusion_too_and_moves_nobody() -> None:
    infused = living(*INFUSED, lymphodepletion())
    assert (infused.status, list(infused.lymphodepletions)) == ("infused", [COURSE])


def test_what_the_consent_lacked_on_its_first_day_is_told() -> None:
    """By the corrected month of birth she was of age that day, and had not consented in person."""
    adult = told(*ENROLLED, data_correction(birth_month="2006-03"), lymphodepletion())[-1]
    assert isinstance(adult, LymphodepletionRecorded)
    assert ConsentGap.OWN_CONSENT_MISSING in adult.consent_gaps


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"drugs": [drug_given("melphalan")]}, UnknownDrug, "lists fludarabine, cyclophosphamide"),
        ({"drugs": [drug_given(unit="g/m2")]}, UnknownDoseUnit, "in mg/m2, mg/kg, mg"),
        ({"drugs": [drug_given(), drug_given()]}, DrugGivenTwice, "fludarabine would be on record twice"),
        ({"drugs": [drug_given("fludarabine", "2026-03-11", "2026-03-11")]}, DrugGivenTwice, "twice for one day"),
        ({"first_dose_at": "2026-03-12T09:00:00+07:00"}, FirstDoseDisagrees, "first of the days"),
        ({"first_dose_at": "2026-03-11T23:30:00+00:00"}, FirstDoseDisagrees, None),  # the 12th in Bangkok
        ({"prepares_infusion": 2}, LymphodepletionOutOfOrder, "the next infusion is number 1"),
        ({"drugs": [drug_given("fludarabine", "2026-03-08")]}, LymphodepletionBeforeEnrolment, None),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], error: type[TrialError], says: str | None) -> None:
    spec.given(*told(*ENROLLED)).when(lymphodepletion(**changed), FACTS).then_rejected(error, says)


def test_a_protocol_without_lymphodepletion_knows_no_drug() -> None:
    other = facts(protocol=PROTOCOL.model_copy(update={"lymphodepletion": None}))
    spec.given(*told(*ENROLLED)).when(lymphodepletion(), other).then_rejected(UnknownDrug, "lists no drug")


@pytest.mark.parametrize(
    "changed",
    [
        {"drugs": []},
        {"drugs": [drug_given() | {"days": []}]},
        {"drugs": [drug_given(dose="0")]},
        {"drugs": [drug_given(dose="-1")]},
        {"drugs": [drug_given(unit="milligrams per square metre")]},
        {"drugs": [drug_given(route="somehow")]},
        {"drugs": [drug_given(brand="x")]},
        {"prepares_infusion": 0},
        {"first_dose_at": "2026-03-11T09:00:00"},
    ],
)
def test_what_nobody_can_read_is_no_command(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lymphodepletion(**changed)


@pytest.mark.parametrize(
    ("days", "first_dose_at", "refused"),
    [  # the infusion is on the 16th at 10:00 in Bangkok
        (["2026-03-16"], None, False),
        (["2026-03-16"], "2026-03-16T09:59:59+07:00", False),
        (["2026-03-16"], "2026-03-16T10:00:00+07:00", True),
        (["2026-03-15", "2026-03-17"], None, True),
        (["2026-03-17"], None, True),
        (["2026-03-09"], None, False),  # the day of enrolment
    ],
)
def test_it_lies_before_the_infusion_that_it_prepares(
    days: list[str], first_dose_at: str | None, refused: bool
) -> None:
    command = on(*days, first_dose_at=first_dose_at)
    recording = spec.given(*told(*INFUSED)).when(command, FACTS)
    infusing = spec.given(*told(*ENROLLED, command)).when(infusion(), FACTS)
    if refused:
        recording.then_rejected(LymphodepletionOutOfOrder)
        infusing.then_rejected(InfusionBeforeLymphodepletion, "infusion 1, which it prepares")
    else:
        assert recording.decide()
        assert infusing.decide()


@pytest.mark.parametrize(
    ("day", "refused"), [("2026-03-15", True), ("2026-03-16", False), ("2026-04-13", False), ("2026-04-14", True)]
)
def test_a_course_for_the_second_infusion_lies_between_the_two(day: str, refused: bool) -> None:
    recording = spec.given(*told(*INFUSED, SECOND)).when(on(day, prepares_infusion=2), FACTS)
    if refused:
        recording.then_rejected(LymphodepletionOutOfOrder)
    else:
        assert recording.decide()


def test_an_infusion_is_not_moved_behind_the_course_for_the_next() -> None:
    history = told(*INFUSED, on("2026-04-08", prepares_infusion=2))
    moved = infusion_correction(start="2026-04-09T10:00:00+07:00")
    spec.given(*history).when(moved, FACTS).then_rejected(InfusionBeforeLymphodepletion, "before infusion 1")


def test_an_infusion_may_be_taken_back_and_its_course_prepares_the_next_one() -> None:
    left = living(*PREPARED, infusion(), infusion_retraction())
    assert list(left.lymphodepletions) == [COURSE]
    assert living(*PREPARED, infusion(), infusion_retraction(), infusion()).status == "infused"


def test_only_what_has_been_given_is_recorded() -> None:
    today = NOW.date().isoformat()
    tomorrow = (NOW + timedelta(days=1)).date().isoformat()
    enrolled = spec.given(*told(*ENROLLED))
    assert enrolled.when(on(today), FACTS).decide()
    enrolled.when(on(today, tomorrow), FACTS).then_rejected(InTheFuture)
    soon = (NOW + timedelta(minutes=6)).isoformat()
    enrolled.when(on(today, first_dose_at=soon), FACTS).then_rejected(InTheFuture)


def test_nobody_is_prepared_before_enrolment_or_after_the_end() -> None:
    spec.given(*told(*COURSES["screening"])).when(lymphodepletion(), FACTS).then_rejected(NotAtThisPoint)
    never_enrolled = told(*COURSES["screening"], death("2026-03-08"))
    spec.given(*never_enrolled).when(lymphodepletion(), FACTS).then_rejected(NotAtThisPoint, "who is enrolled")
    left = told(*ENROLLED, off_treatment("2026-03-12"))
    spec.given(*left).when(lymphodepletion(), FACTS).then_rejected(OutOfOrder, "after the end of treatment")
    spec.given(*told(*PREPARED)).when(off_treatment("2026-03-12"), FACTS).then_rejected(OutOfOrder, "lymphodepletion")
    assert living(*PREPARED, off_treatment("2026-03-13")).status == "off-treatment"


def test_another_course_has_an_id_of_its_own() -> None:
    prepared = spec.given(*told(*PREPARED))
    prepared.when(on("2026-03-14"), FACTS).then_rejected(LymphodepletionAlreadyRecorded)
    other = on("2026-03-14", lymphodepletion_id=uuid4())
    assert len(living(*PREPARED, other).lymphodepletions) == 2
    same_days = lymphodepletion(lymphodepletion_id=uuid4())
    prepared.when(same_days, FACTS).then_rejected(DrugGivenTwice)


def test_a_correction_replaces_the_whole_course() -> None:
    right = lymphodepletion_correction(first_dose_at="2026-03-11T02:00:00+00:00")
    [event] = spec.given(*told(*PREPARED)).when(right, FACTS).decide()
    assert isinstance(event, LymphodepletionCorrected)
    assert (event.began_on, event.reason) == (date(2026, 3, 11), "Cyclophosphamide was not given")
    known = living(*PREPARED, right).lymphodepletions[COURSE]
    assert known == Lymphodepletion(1, datetime(2026, 3, 11, 2, tzinfo=UTC), right.drugs)
    spec.given(*told(*PREPARED, right)).when(right, FACTS).then_nothing()


def test_a_correction_is_held_to_the_same_rules_and_may_keep_its_own_days() -> None:
    prepared = spec.given(*told(*PREPARED, infusion()))
    late = lymphodepletion_correction(drugs=[drug_given("fludarabine", "2026-03-17")])
    prepared.when(late, FACTS).then_rejected(LymphodepletionOutOfOrder)
    assert prepared.when(lymphodepletion_correction(), FACTS).decide()
    unknown = lymphodepletion_correction(lymphodepletion_id=uuid4())
    prepared.when(unknown, FACTS).then_rejected(NoSuchLymphodepletion)


def test_what_was_entered_in_error_is_taken_back_once_and_its_id_is_spent() -> None:
    retracted = told(*PREPARED, lymphodepletion_retraction())
    assert retracted[-1] == LymphodepletionRetracted(
        participant_id=WHO,
        lymphodepletion_id=COURSE,
        reason="Entered for the wrong participant",
        protocol="CMD03@1.0.0",
    )
    assert living(*PREPARED, lymphodepletion_retraction()).lymphodepletions == {}
    spec.given(*retracted).when(lymphodepletion_retraction(), FACTS).then_nothing()
    spec.given(*retracted).when(lymphodepletion(), FACTS).then_rejected(LymphodepletionAlreadyRecorded)
    spec.given(*retracted).when(lymphodepletion_correction(), FACTS).then_rejected(NoSuchLymphodepletion)
    spec.given(*told(*ENROLLED)).when(lymphodepletion_retraction(), FACTS).then_rejected(NoSuchLymphodepletion)
    assert living(*PREPARED, lymphodepletion_retraction(), lymphodepletion(lymphodepletion_id=uuid4()))


@pytest.mark.parametrize("status", [status for status in COURSES if status not in {"screening", "screen-failed"}])
def test_a_course_is_put_right_wherever_the_participant_stands(status: str) -> None:
    course = COURSES[status]
    history = told(*course[:6], lymphodepletion(), *course[6:])
    for command in (lymphodepletion_correction(), lymphodepletion_retraction()):
        assert len(spec.given(*history).when(command, FACTS).decide()) == 1


def test_the_same_course_again_decides_to_nothing_even_after_the_end() -> None:
    spec.given(*told(*COURSES["withdrawn"][:6], lymphodepletion(), *COURSES["withdrawn"][6:])).when(
        lymphodepletion(), FACTS
    ).then_nothing()


def test_nobody_was_prepared_who_was_never_screened() -> None:
    assert living(screening()).lymphodepletions == {}


DAYS = st.dates(date(2026, 3, 1), date(2026, 3, 25)).map(date.isoformat)


@settings(max_examples=100, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=4, unique=True), DAYS, st.booleans())
def test_whatever_the_order_of_entry_treatment_on_record_is_in_order(
    days: list[str], infused_on: str, infusion_first: bool
) -> None:
    """What is refused in one order of entry is refused in the other; what stands lies before the infusion."""
    commands = [on(*days), infusion(f"{infused_on}T10:00:00+07:00")]
    history = told(*ENROLLED)
    refused = False
    for command in reversed(commands) if infusion_first else commands:
        try:
            history += spec.given(*history).when(command, FACTS).decide()  # type: ignore[arg-type]
        except TrialError:
            refused = True
    assert refused == (min(*days, infused_on) < "2026-03-09" or max(days) > infused_on)
