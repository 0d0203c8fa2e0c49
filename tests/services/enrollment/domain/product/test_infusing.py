"""An infusion beside its product: the dose, what is refused, what is told, and what the chain takes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.infusion import RecordInfusion
from services.enrollment.domain.life import Infusion, Participant, part_of
from services.enrollment.domain.participant import DECIDER as PARTICIPANT
from services.enrollment.domain.product.chain import Chain, step_of
from services.enrollment.domain.product.commands import (
    CorrectProductStep,
    EndManufacture,
    ProductCommand,
    RecordReleaseTests,
    RetractProductStep,
    ThawBag,
    VerifyIdentity,
)
from services.enrollment.domain.product.dose import dose_check
from services.enrollment.domain.product.facts import ProductRefused, ProductStepCannotBeRetracted
from services.enrollment.domain.product.infusing import (
    APPRAISALS,
    Appraise,
    Asked,
    CorrectGivenInfusion,
    GiveInfusion,
    MoreThanTheBagHeld,
    appraise,
    appraised_anew,
    diversion_id,
    on_product,
    plain,
    taken_back,
)
from services.enrollment.domain.product.product import decide
from shared.contracts.enrollment_product import (
    InfusionAppraised,
    ProductDiverted,
    ProductInfused,
    ProductStepCorrected,
    ProductStepRetracted,
)
from shared.contracts.enrollment_product_terms import BagGiven, ProductFinding
from tests.services.enrollment import builders, product_steps
from tests.services.enrollment.domain.product.usual import (
    FACTS,
    OTHERS,
    PROTOCOL,
    USUAL,
    chain,
    facts,
    rejection,
    spec,
    told,
    until,
    with_product,
)
from tests.specs import Spec


def child() -> Participant:
    state = PARTICIPANT.fold(builders.told(*builders.ENROLLED))
    assert isinstance(state, Participant)
    return state


READY = chain(*until(VerifyIdentity))
CHILD = child()
GIVEN = builders.infusion()
WHY = {"reason": "Misread"}
GROWN = product_steps.tests(product_steps.result("sterility", finding="positive"))
WHOLE = (BagGiven(bag=product_steps.BAG),)


def asked(product: Chain | None = READY, number: int = 1, **given: Any) -> Asked:
    usual = {"bags": (), "given_despite": None, "participant": CHILD}
    return Asked(GIVEN, number, product=product, **(usual | given))


def second(days: int) -> Asked:
    """A second infusion, so many days after the first."""
    start = GIVEN.started_at + timedelta(days=days)
    later = builders.infusion(start.isoformat(), lot="CMD03-0008")
    infused = replace(CHILD, infusions=(part_of(Infusion, GIVEN),))
    return Asked(later, 2, (), None, infused, None)


def test_the_usual_infusion_gives_the_planned_dose() -> None:
    appraisal = appraise(asked(), FACTS)
    assert appraisal.findings == ()
    assert appraisal.bags == WHOLE
    assert appraisal.dose is not None
    assert appraisal.dose.viable_car_positive_cells == Decimal(9_500_000)
    assert appraisal.dose.percent_of_planned == Decimal("102.7")
    assert on_product(READY, appraisal, asked())[0].event_type == ProductInfused.event_type


@pytest.mark.parametrize(
    ("product", "bags", "found"),
    [
        (replace(READY, participant_id=OTHERS.participant_id), WHOLE, ("lot-of-another-participant",)),
        (chain(*until(EndManufacture)), WHOLE, ("not-released", "bag-not-thawed", "identity-not-verified")),
        (READY, (BagGiven(bag="CMD03-0007-B9"),), ("bag-unknown",)),
    ],
)
def test_what_must_not_be_given_is_refused_unless_it_was(product: Chain, bags: Any, found: Any) -> None:
    with pytest.raises(ProductRefused) as refused:
        appraise(asked(product, bags=bags), FACTS)
    forbidding = tuple(each for each in found if each not in ("bag-not-thawed", "identity-not-verified"))
    assert refused.value.findings == forbidding
    assert appraise(asked(product, bags=bags, given_despite="It was given"), FACTS).findings == found


def test_a_lot_that_is_no_product_says_nothing() -> None:
    appraisal = appraise(asked(None), FACTS)
    assert (appraisal.product_id, appraisal.dose, appraisal.findings) == (None, None, ())
    Spec(APPRAISALS).given().when(Appraise(appraisal=appraisal)).then_nothing()


def test_what_is_put_right_or_taken_back_stands_last() -> None:
    appraisal, gone = appraise(asked(), FACTS), taken_back(asked(), FACTS)
    of = Spec(APPRAISALS)
    of.given().when(Appraise(appraisal=appraisal)).then(appraisal)
    of.given(appraisal).when(Appraise(appraisal=appraisal)).then_nothing()
    of.given(appraisal).when(Appraise(appraisal=gone)).then(gone)
    of.given(appraisal, gone).when(Appraise(appraisal=gone)).then_nothing()


def test_an_infusion_without_a_bag_or_a_scan_is_told_and_recorded() -> None:
    released = chain(*told(*USUAL[:6]))
    appraisal = appraise(asked(released), FACTS)
    assert appraisal.findings == ("bag-not-thawed", "identity-not-verified")
    assert appraisal.dose is not None
    assert (appraisal.dose.missing, appraisal.dose.within) == ("no-bag-named", None)


def test_a_scan_of_an_earlier_infusion_is_none_of_this_one() -> None:
    infused = replace(CHILD, infusions=(part_of(Infusion, GIVEN),))
    later = builders.infusion("2026-04-16T10:00:00+07:00")
    appraisal = appraise(Asked(later, 2, WHOLE, None, infused, READY), FACTS)
    assert appraisal.findings == ("identity-not-verified",)


def test_a_bag_of_another_infusion_is_used() -> None:
    taken = on_product(READY, appraise(asked(), FACTS), asked())
    product = chain(*until(VerifyIdentity), *taken)
    again = asked(product, number=2, bags=WHOLE, participant=replace(CHILD, infusions=(part_of(Infusion, GIVEN),)))
    with pytest.raises(ProductRefused) as refused:
        appraise(again, FACTS)
    assert "bag-used" in refused.value.findings
    assert appraise(asked(product), FACTS).findings == ()  # its own
    with pytest.raises(ProductRefused) as none_is_left:
        appraise(replace(again, bags=()), FACTS)
    assert none_is_left.value.findings == ("bag-used",)
    assert appraise(replace(again, bags=(), given_despite="It was"), FACTS).bags == ()


@pytest.mark.parametrize(
    ("decided_at", "found"),
    [
        ("2026-03-16T09:59:59+07:00", ("rejected",)),
        ("2026-03-16T10:00:00+07:00", ("rejected",)),  # GIVEN began
        ("2026-03-16T10:00:01+07:00", ()),
        ("2026-05-02T09:00:00+07:00", ()),
    ],
)
def test_a_lot_that_is_recalled_was_good_until_then(decided_at: str, found: Any) -> None:
    recalled = chain(*told(*USUAL, rejection(decided_at=decided_at)))
    assert appraise(asked(recalled, given_despite="It was given"), FACTS).findings == found


@pytest.mark.parametrize(
    ("reported_at", "found"),
    [
        ("2026-03-02T10:00:00+07:00", ("release-test-failed",)),
        ("2026-03-16T10:00:00+07:00", ("release-test-failed",)),  # GIVEN began
        ("2026-03-16T10:00:01+07:00", ()),
    ],
)
def test_a_culture_that_fails_after_the_release_stops_what_is_given_from_then_on(reported_at: str, found: Any) -> None:
    late = cultured("positive", reported_at)
    failed = chain(*told(*USUAL, late))
    assert appraise(asked(failed, given_despite="It was given"), FACTS).findings == found
    if found:
        with pytest.raises(ProductRefused, match="failed after its release"):
            appraise(asked(failed), FACTS)
    again = chain(*told(*USUAL, late, cultured("negative", "2026-03-16T10:00:00+07:00")))
    assert appraise(asked(again), FACTS).findings == ()


def cultured(finding: str, reported_at: str) -> RecordReleaseTests:
    told_late = product_steps.tests(product_steps.result("sterility", finding=finding))
    return RecordReleaseTests.model_validate(told_late | {"reported_at": reported_at})


def test_a_lot_that_was_released_afterwards_was_not_released() -> None:
    before = builders.infusion("2026-02-21T09:59:00+07:00")
    appraisal = appraise(replace(asked(given_despite="It was given"), details=before), FACTS)
    assert "not-released" in appraisal.findings


@pytest.mark.parametrize(
    ("settings", "days", "found"),
    [
        ({}, 10, ()),
        ({"second_infusion_allowed": True}, 10, ()),
        ({"second_infusion_allowed": False}, 10, ("second-infusion-not-allowed",)),
        ({"second_infusion_minimum_days": 28}, 28, ()),
        ({"second_infusion_minimum_days": 28}, 27, ("second-infusion-too-early",)),
    ],
)
def test_a_further_infusion_by_protocol(settings: dict[str, Any], days: int, found: Any) -> None:
    at = facts(protocol=with_product(**settings))
    if found:
        with pytest.raises(ProductRefused) as refused:
            appraise(second(days), at)
        assert refused.value.findings == found
    assert appraise(replace(second(days), given_despite="It was given"), at).findings == found


def test_a_trial_without_a_product_asks_nothing() -> None:
    nothing = PROTOCOL.model_copy(update={"product": None})
    assert appraise(second(1), facts(protocol=nothing)).findings == ()


def test_no_more_is_given_of_a_bag_than_was_in_it() -> None:
    more = (BagGiven(bag=product_steps.BAG, volume_ml=Decimal("20.1")),)
    with pytest.raises(MoreThanTheBagHeld):
        appraise(asked(bags=more), FACTS)


# The dose


def product_with(bag: dict[str, Any] | None = None, thaw: dict[str, Any] | None = None) -> Chain:
    bags = [product_steps.bag(**(bag or {}))]
    commands = [
        *USUAL[:3],
        EndManufacture.model_validate(product_steps.end(bags=bags)),
        *USUAL[4:8],
        ThawBag.model_validate(product_steps.thaw(**(thaw or {}))),
    ]
    return chain(*told(*commands))


@pytest.mark.parametrize(
    ("bag", "thaw", "cells", "basis"),
    [
        ({}, {}, 9_500_000, "as-frozen"),
        ({}, {"viability_percent": "76"}, 7_600_000, "viability-after-thaw"),
        ({"viability_percent": None}, {"viability_percent": "76"}, 9_500_000, "as-frozen"),
        ({"viability_percent": "0"}, {"viability_percent": "76"}, 9_500_000, "as-frozen"),
        ({}, {"viability_percent": "76", "viable_cells": "10000000"}, 3_800_000, "counted-after-thaw"),
    ],
)
def test_the_cells_of_a_bag(bag: Any, thaw: Any, cells: int, basis: str) -> None:
    check = dose_check(WHOLE, product_with(bag, thaw), Decimal("18.5"), "DL1", PROTOCOL)
    assert check.viable_car_positive_cells == cells
    assert check.bags[0].basis == basis


@pytest.mark.parametrize(
    ("percent", "within"),
    [("80", True), ("79.9", False), ("120", True), ("120.1", False)],
)
def test_the_tolerance_holds_at_its_limits(percent: str, within: bool) -> None:
    car = {"viable_cells": "10000000", "car_positive_percent": percent, "viability_percent": None}
    wide = (
        product_with(car)
        if Decimal(percent) <= 100
        else product_with({**car, "viable_cells": "20000000", "car_positive_percent": str(Decimal(percent) / 2)})
    )
    check = dose_check(WHOLE, wide, Decimal(20), "DL1", PROTOCOL)  # planned: 20 x 500 000
    assert (check.percent_of_planned, check.within) == (Decimal(percent), within)


@pytest.mark.parametrize(
    ("bags", "weight", "level", "missing"),
    [
        ((), Decimal(20), "DL1", "no-bag-named"),
        ((BagGiven(bag="CMD03-0007-B9"),), Decimal(20), "DL1", "bag-unknown"),
        (WHOLE, None, "DL1", "weight-missing"),
        (WHOLE, Decimal(20), None, "no-dose-level"),
        (WHOLE, Decimal(20), "DL9", "no-dose-level"),
    ],
)
def test_a_dose_that_cannot_be_told_says_why(bags: Any, weight: Any, level: Any, missing: str) -> None:
    check = dose_check(bags, READY, weight, level, PROTOCOL)
    assert (check.missing, check.within, check.percent_of_planned) == (missing, None, None)


def test_a_part_of_a_bag_needs_its_volume() -> None:
    half = (BagGiven(bag=product_steps.BAG, volume_ml=Decimal(10)),)
    check = dose_check(half, READY, Decimal("18.5"), "DL1", PROTOCOL)
    assert check.viable_car_positive_cells == 4_750_000
    unknown = dose_check(half, product_with({"volume_ml": None}), Decimal("18.5"), "DL1", PROTOCOL)
    assert (unknown.missing, unknown.viable_car_positive_cells) == ("volume-unknown", None)


def test_no_more_kilograms_count_than_the_protocol_says() -> None:
    capped = dose_check(WHOLE, READY, Decimal(60), "DL1", with_product(dose_weight_cap_kg=Decimal(50)))
    assert (capped.weight_kg, capped.cells_per_kg) == (Decimal(50), Decimal(190_000))


def test_a_trial_without_dosing_plans_no_dose() -> None:
    nothing = PROTOCOL.model_copy(update={"dosing": None, "product": None})
    check = dose_check(WHOLE, READY, Decimal(20), "DL1", nothing)
    assert (check.missing, check.tolerance_percent, check.within) == ("no-dose-level", None, None)


@given(weight=st.decimals("1", "120", places=1), factor=st.integers(2, 5))
def test_twice_the_weight_is_half_the_dose(weight: Decimal, factor: int) -> None:
    one = dose_check(WHOLE, READY, weight, "DL1", PROTOCOL)
    more = dose_check(WHOLE, READY, weight * factor, "DL1", PROTOCOL)
    assert one.cells_per_kg is not None
    assert more.cells_per_kg is not None
    assert abs(one.cells_per_kg - more.cells_per_kg * factor) <= factor


# What the chain takes


def test_the_chain_follows_the_record_of_the_infusion() -> None:
    appraisal = appraise(asked(), FACTS)
    first = on_product(READY, appraisal, asked())
    infused = chain(*until(VerifyIdentity), *first)
    assert infused.status == "infused"
    assert on_product(infused, appraisal, asked()) == []
    part = appraise(asked(infused, bags=(BagGiven(bag=product_steps.BAG, volume_ml=Decimal(19)),)), FACTS)
    assert isinstance(on_product(infused, part, asked(infused))[0], ProductStepCorrected)
    gone = on_product(infused, None, asked(infused))
    assert isinstance(gone[0], ProductStepRetracted)
    assert on_product(READY, None, asked()) == []
    retract = RetractProductStep(step=infused.steps[-1].number, reason="Entered twice")
    spec.given(*until(VerifyIdentity), *first).when(retract, FACTS).then_rejected(ProductStepCannotBeRetracted)


# What was said of an infusion follows its product's record


TREATED = PARTICIPANT.fold(builders.told(*builders.ENROLLED, GIVEN))
APPRAISED = appraise(asked(), FACTS)
INFUSED = (*until(VerifyIdentity), *on_product(READY, APPRAISED, asked()))


def anew(*later: ProductCommand, appraisal: InfusionAppraised = APPRAISED) -> tuple[list[Any], list[Any]]:
    """What is said otherwise after these commands about the product."""
    assert isinstance(TREATED, Participant)
    product = reduce(lambda history, each: (*history, *decide(each, chain(*history), FACTS)), later, INFUSED)
    return appraised_anew(chain(*product), TREATED, {1: appraisal}, FACTS)


def test_a_dose_follows_what_the_bags_turn_out_to_have_held() -> None:
    fewer = product_steps.end(bags=[product_steps.bag(car_positive_percent="19")])
    right = CorrectProductStep.model_validate({"step": 4, "end": fewer, "reason": "Misread"})
    [appraisal], [step] = anew(right)
    assert appraisal.dose.viable_car_positive_cells == Decimal(4_750_000)
    assert appraisal.findings == ("dose-out-of-range",)
    assert (step.step, step.details.dose) == (len(INFUSED), appraisal.dose)
    other = CorrectProductStep.model_validate({"step": 1, "collection": product_steps.collection(volume_ml="99")} | WHY)
    assert anew(other) == ([], [])
    assert anew(right, appraisal=APPRAISED.model_copy(update={"product_id": OTHERS.product_id})) == ([], [])


def test_what_is_reported_late_of_the_time_before_is_told_and_refuses_nothing() -> None:
    failing = {**GROWN, "reported_at": "2026-03-15T15:00:00+07:00"}
    [appraisal], taken = anew(RecordReleaseTests.model_validate(failing))
    assert (appraisal.findings, appraisal.given_despite, taken) == (("release-test-failed",), None, [])
    later = {**GROWN, "reported_at": "2026-03-17T15:00:00+07:00"}
    assert anew(RecordReleaseTests.model_validate(later)) == ([], [])
    unverified = APPRAISED.model_copy(update={"findings": (ProductFinding.IDENTITY_NOT_VERIFIED,)})
    [appraisal], _ = anew(appraisal=unverified)
    assert appraisal.findings == ()


def test_more_cannot_have_been_given_than_a_bag_turns_out_to_have_held() -> None:
    part = APPRAISED.model_copy(update={"bags": (BagGiven(bag=product_steps.BAG, volume_ml=Decimal(20)),)})
    less = product_steps.end(bags=[product_steps.bag(volume_ml="19")])
    with pytest.raises(MoreThanTheBagHeld):
        anew(CorrectProductStep.model_validate({"step": 4, "end": less} | WHY), appraisal=part)


def test_anothers_product_is_told_that_it_is_gone_and_not_to_whom() -> None:
    others = replace(READY, participant_id=OTHERS.participant_id)
    wrong = asked(others, bags=WHOLE, given_despite="It was given")
    event = on_product(others, appraise(wrong, FACTS), wrong)[0]
    assert isinstance(event, ProductDiverted)
    assert event.diverted.diversion_id == diversion_id(CHILD.participant_id, 1)
    assert str(CHILD.participant_id) not in event.to_json()
    diverted = replace(others, steps=(*others.steps, step_of(11, event.diverted)))
    again = asked(diverted, bags=WHOLE, given_despite="It was given")
    appraisal = appraise(again, FACTS)
    assert "bag-used" not in appraisal.findings
    assert on_product(diverted, appraisal, again) == []


def test_without_a_word_of_bags_it_is_the_command_that_it_always_was() -> None:
    body = GIVEN.model_dump()
    assert GiveInfusion(**body).fingerprint() == GIVEN.fingerprint()
    assert GiveInfusion(**body, bags=WHOLE).fingerprint() != GIVEN.fingerprint()
    correction = builders.infusion_correction()
    assert CorrectGivenInfusion(**correction.model_dump()).fingerprint() == correction.fingerprint()
    assert plain(GiveInfusion(**body, bags=WHOLE), RecordInfusion) == GIVEN
