"""Infusions: the dose agrees with itself, the order in time holds, and day 0 follows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.facts import InTheFuture, NotAtThisPoint, OutOfOrder
from services.enrollment.domain.infusion import (
    DoseDisagrees,
    DoseIncomplete,
    InfusionBeforeEnrolment,
    InfusionOutOfOrder,
    NoSuchInfusion,
    NotTheLastInfusion,
    RecordInfusion,
    day_zero,
)
from shared.contracts.enrollment import CellsInfused, InfusionCorrected, InfusionRetracted
from shared.contracts.enrollment_terms import ParticipantStatus, Route
from shared.protocol import Anchor, Protocol
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
    death,
    enrolment,
    facts,
    infusion,
    infusion_correction,
    infusion_retraction,
    living,
    loss,
    off_treatment,
    screening,
    spec,
    told,
    withdrawal,
)

SECOND = infusion("2026-04-13T09:00:00+07:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def with_schedule(**values: Any) -> Protocol:
    schedule = PROTOCOL.schedule
    settings = {name: getattr(schedule, name).model_copy(update={"value": value}) for name, value in values.items()}
    return PROTOCOL.model_copy(update={"schedule": schedule.model_copy(update=settings)})


def test_the_first_infusion_is_day_zero() -> None:
    spec.given(*told(*ENROLLED)).when(infusion(), FACTS).then(
        CellsInfused(
            participant_id=WHO,
            site_id="CU",
            infusion_number=1,
            started_at=at("2026-03-16T10:00:00+07:00"),
            ended_at=at("2026-03-16T10:20:00+07:00"),
            route=Route.INTRAVENOUS,
            lot="CMD03-0007",
            weight_kg=Decimal("18.5"),
            cells_per_kg=Decimal(500000),
            total_car_positive_cells=Decimal(9250000),
            day_zero=at("2026-03-16T10:00:00+07:00"),
            consent_gaps=(),
            status=ParticipantStatus.INFUSED,
            protocol="CMD03@1.0.0",
        )
    )


@pytest.mark.parametrize(
    ("anchor", "again", "zero"),
    [
        (Anchor.INFUSION_START, False, "2026-03-16T10:00:00+07:00"),
        (Anchor.INFUSION_END, False, "2026-03-16T10:20:00+07:00"),
        (Anchor.INFUSION_START, True, "2026-04-13T09:00:00+07:00"),
        (Anchor.INFUSION_END, True, "2026-04-13T09:20:00+07:00"),
    ],
)
def test_the_protocol_says_what_the_schedule_counts_from(anchor: Anchor, again: bool, zero: str) -> None:
    under = facts(protocol=with_schedule(anchor=anchor, second_infusion_reanchors=again))
    event = told(*INFUSED, SECOND, under=under)[-1]
    assert isinstance(event, CellsInfused)
    assert (event.infusion_number, event.day_zero) == (2, at(zero))


def test_without_an_infusion_there_is_no_day_zero() -> None:
    assert day_zero((), PROTOCOL) is None


@pytest.mark.parametrize(
    ("total", "agrees"),
    [
        ("9250000", True),
        ("9712500", True),  # 5 % more, the limit itself
        ("9712501", False),
        ("8787500", True),  # 5 % less
        ("8787499", False),
        ("92500000", False),  # a power of ten
        ("500000", False),  # per kg entered as the total
        ("20392636", False),  # weight in pounds
    ],
)
def test_the_total_is_cells_per_kg_times_weight(total: str, agrees: bool) -> None:
    given_ = spec.given(*told(*ENROLLED)).when(infusion(total_car_positive_cells=total), FACTS)
    if agrees:
        assert given_.decide()
    else:
        given_.then_rejected(DoseDisagrees, "within 5 %")


@given(
    weight=st.decimals("2", "120", places=1),
    per_kg=st.decimals("100000", "10000000", places=0),
)
def test_a_dose_that_is_exact_always_agrees(weight: Decimal, per_kg: Decimal) -> None:
    exact = infusion(weight_kg=weight, cells_per_kg=per_kg, total_car_positive_cells=weight * per_kg)
    assert spec.given(*told(*ENROLLED)).when(exact, FACTS).decide()


@pytest.mark.parametrize("part", ["lot", "weight_kg", "cells_per_kg", "total_car_positive_cells"])
def test_no_part_of_the_dose_may_be_missing(part: str) -> None:
    incomplete = RecordInfusion.model_validate(infusion().model_dump() | {part: None})
    spec.given(*told(*ENROLLED)).when(incomplete, FACTS).then_rejected(DoseIncomplete)


@pytest.mark.parametrize("part", ["weight_kg", "cells_per_kg", "total_car_positive_cells"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN"])
def test_a_part_of_the_dose_is_more_than_nothing(part: str, value: str) -> None:
    with pytest.raises(ValidationError):
        RecordInfusion.model_validate(infusion().model_dump() | {part: value})


def test_where_the_product_is_not_counted_in_cells_no_dose_is_asked_for() -> None:
    other_product = facts(protocol=PROTOCOL.model_copy(update={"dosing": None}))
    course = (*ELIGIBLE, enrolment(dose_level=None))
    bare = infusion(lot=None, weight_kg=None, cells_per_kg=None, total_car_positive_cells=None, route="transdermal")
    assert living(*course, bare, under=other_product).status == "infused"
    exact, wrong = infusion(), infusion(total_car_positive_cells="9250001")
    enrolled = spec.given(*told(*course, under=other_product))
    assert enrolled.when(exact, other_product).decide()
    enrolled.when(wrong, other_product).then_rejected(DoseDisagrees)


def test_an_infusion_does_not_end_before_it_starts() -> None:
    with pytest.raises(ValidationError):
        infusion(ended_at="2026-03-16T09:59:59+07:00")


def test_instants_carry_their_offset() -> None:
    with pytest.raises(ValidationError):
        infusion(ended_at="2026-03-16T10:20:00")


@pytest.mark.parametrize(("minutes", "refused"), [(0, False), (5, False), (6, True)])
def test_an_infusion_may_be_ahead_by_what_two_clocks_differ(minutes: int, refused: bool) -> None:
    ends = NOW + timedelta(minutes=minutes)
    recording = spec.given(*told(*ENROLLED)).when(infusion(ended_at=ends), FACTS)
    if refused:
        recording.then_rejected(InTheFuture)
    else:
        assert recording.decide()


@pytest.mark.parametrize(
    ("start", "refused"),
    [
        ("2026-03-08T23:59:00+07:00", True),
        ("2026-03-09T00:00:00+07:00", False),  # the day of enrolment, in Bangkok
        ("2026-03-08T17:00:00+00:00", False),  # the same instant
        ("2026-03-08T16:59:00+00:00", True),
    ],
)
def test_an_infusion_before_enrolment_is_refused(start: str, refused: bool) -> None:
    recording = spec.given(*told(*ENROLLED)).when(infusion(start), FACTS)
    if refused:
        recording.then_rejected(InfusionBeforeEnrolment)
    else:
        assert recording.decide()


def test_nobody_is_infused_while_in_screening() -> None:
    spec.given(*told(*ELIGIBLE)).when(infusion(), FACTS).then_rejected(NotAtThisPoint)


def test_several_infusions_are_numbered_in_order() -> None:
    assert [event.infusion_number for event in told(*INFUSED, SECOND) if isinstance(event, CellsInfused)] == [1, 2]


def test_infusions_do_not_overlap() -> None:
    infused = spec.given(*told(*INFUSED))
    infused.when(infusion("2026-03-16T10:19:59+07:00"), FACTS).then_rejected(InfusionOutOfOrder)
    assert infused.when(infusion("2026-03-16T10:20:00+07:00"), FACTS).decide()


def test_the_same_infusion_twice_decides_to_nothing() -> None:
    spec.given(*told(*INFUSED, SECOND)).when(infusion(), FACTS).then_nothing()


def test_an_infusion_says_what_the_consent_lacked_on_its_day() -> None:
    minor = screening(birth_month="2006-04")  # comes of age in April
    enrolled = (minor, consent(), consent("assent"), assessment(), enrolment())
    late = told(*enrolled, infusion("2026-05-04T10:00:00+07:00"))[-1]
    assert isinstance(late, CellsInfused)
    assert [gap.value for gap in late.consent_gaps] == ["own-consent-missing"]
    own = consent("own", obtained_on="2026-05-02")
    in_time = told(*enrolled, own, infusion("2026-05-04T10:00:00+07:00"))[-1]
    assert isinstance(in_time, CellsInfused)
    assert in_time.consent_gaps == ()


def test_a_correction_moves_day_zero() -> None:
    event = told(*INFUSED, infusion_correction())[-1]
    assert isinstance(event, InfusionCorrected)
    assert (event.day_zero, event.reason) == (at("2026-03-16T10:05:00+07:00"), "Read off the pump log")
    assert living(*INFUSED, infusion_correction()).infusions[0].started_at == at("2026-03-16T10:05:00+07:00")


def test_correcting_the_second_infusion_leaves_day_zero() -> None:
    event = told(*INFUSED, SECOND, infusion_correction(2, start="2026-04-13T09:30:00+07:00"))[-1]
    assert isinstance(event, InfusionCorrected)
    assert (event.infusion_number, event.day_zero) == (2, at("2026-03-16T10:00:00+07:00"))


def test_the_same_correction_twice_decides_to_nothing() -> None:
    spec.given(*told(*INFUSED, infusion_correction())).when(infusion_correction(), FACTS).then_nothing()


@pytest.mark.parametrize(
    ("correction", "error"),
    [
        ({"number": 3}, NoSuchInfusion),
        ({"total_car_positive_cells": "1"}, DoseDisagrees),
        ({"lot": None}, DoseIncomplete),
        ({"start": "2026-03-08T10:00:00+07:00"}, InfusionBeforeEnrolment),
        ({"start": "2028-03-08T10:00:00+07:00"}, InTheFuture),
        ({"start": "2026-04-13T08:50:00+07:00"}, InfusionOutOfOrder),  # would run into the second
        ({"number": 2, "start": "2026-03-16T10:10:00+07:00"}, InfusionOutOfOrder),  # would begin within the first
    ],
)
def test_a_correction_is_checked_like_an_infusion(correction: dict[str, Any], error: Any) -> None:
    spec.given(*told(*INFUSED, SECOND)).when(infusion_correction(**correction), FACTS).then_rejected(error)


def test_a_corrected_infusion_may_fill_the_time_up_to_the_next() -> None:
    up_to_the_next = infusion_correction(start="2026-04-13T08:40:00+07:00")
    assert spec.given(*told(*INFUSED, SECOND)).when(up_to_the_next, FACTS).decide()


@pytest.mark.parametrize(
    ("start", "refused"), [("2026-08-31T10:00:00+07:00", False), ("2026-09-01T00:00:00+07:00", True)]
)
def test_no_infusion_is_corrected_to_after_a_death(start: str, refused: bool) -> None:
    correcting = spec.given(*told(*INFUSED, death("2026-08"))).when(infusion_correction(start=start), FACTS)
    if refused:
        correcting.then_rejected(OutOfOrder)
    else:
        assert correcting.decide()


def test_an_infusion_that_never_took_place_is_retracted() -> None:
    spec.given(*told(*INFUSED)).when(infusion_retraction(), FACTS).then(
        InfusionRetracted(
            participant_id=WHO,
            infusion_number=1,
            day_zero=None,
            reason="Entered for the wrong participant",
            status=ParticipantStatus.ENROLLED,
            protocol="CMD03@1.0.0",
        )
    )


def test_after_a_retraction_the_number_is_free_again() -> None:
    again = living(*INFUSED, infusion_retraction(), infusion("2026-03-17T10:00:00+07:00"))
    assert [each.started_at.day for each in again.infusions] == [17]
    assert living(*INFUSED, infusion_retraction(), infusion(), infusion_retraction()).infusions == ()


def test_the_last_infusion_is_retracted_first() -> None:
    infused_twice = spec.given(*told(*INFUSED, SECOND))
    infused_twice.when(infusion_retraction(1), FACTS).then_rejected(NotTheLastInfusion)
    [event] = infused_twice.when(infusion_retraction(2), FACTS).decide()
    assert isinstance(event, InfusionRetracted)
    assert (event.status, event.day_zero) == ("infused", at("2026-03-16T10:00:00+07:00"))


def test_the_same_retraction_twice_decides_to_nothing() -> None:
    spec.given(*told(*INFUSED, infusion_retraction())).when(infusion_retraction(), FACTS).then_nothing()


def test_an_infusion_that_is_not_on_record_cannot_be_retracted() -> None:
    spec.given(*told(*INFUSED)).when(infusion_retraction(2), FACTS).then_rejected(NoSuchInfusion)


@pytest.mark.parametrize("ending", [off_treatment(), loss(), withdrawal(), death()])
def test_after_treatment_has_ended_no_infusion_is_recorded(ending: Any) -> None:
    spec.given(*told(*INFUSED, ending)).when(SECOND, FACTS).then_rejected(NotAtThisPoint)


def test_correcting_the_month_of_birth_leaves_infusions_alone() -> None:
    assert len(living(*INFUSED, data_correction()).infusions) == 1


def test_an_infusion_without_enrolment_on_record_cannot_be_corrected() -> None:
    stray = told(*INFUSED)[-1]
    spec.given(*told(*CONSENTED), stray).when(infusion_correction(), FACTS).then_rejected(NotAtThisPoint)


def test_instants_are_recorded_with_the_offset_they_came_with() -> None:
    event = told(*ENROLLED, infusion("2026-03-16T03:00:00+00:00"))[-1]
    assert isinstance(event, CellsInfused)
    assert event.started_at == datetime(2026, 3, 16, 3, tzinfo=UTC)
