"""One product: which step may follow which, who may say so, and what a scan must find."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.product import alert, label, product
from services.enrollment.domain.product.alert import (
    AcknowledgeProductAlert,
    NoSuchProductAlert,
    ProductAlertInHand,
    RaiseProductAlert,
)
from services.enrollment.domain.product.chain import FOLLOWS
from services.enrollment.domain.product.commands import (
    ApproveExceptionalRelease,
    CollectLeukapheresis,
    CorrectProductStep,
    EndManufacture,
    ReceiveAtManufacturer,
    ReceiveAtSite,
    RecordReleaseTests,
    ReleaseProduct,
    RetractProductStep,
    ShipProduct,
    StartManufacture,
    ThawBag,
    VerifyIdentity,
)
from services.enrollment.domain.product.facts import (
    ApheresisIdTaken,
    BagInUse,
    LabelOfAnotherLot,
    LotTaken,
    NoProductInProtocol,
    NoSuchProduct,
    NoSuchProductStep,
    NotThisProductStep,
    NotWithinSpecification,
    NotYourStep,
    OneProductStepToCorrect,
    ProductAlreadyRecorded,
    ProductNeverWas,
    ProductRefused,
    ProductStepCannotBeRetracted,
    ProductStepInFuture,
    ProductStepOutOfTime,
    ProductStepWouldNotFollow,
    SameOfficeApproved,
    SamePersonApproved,
    WithinSpecification,
)
from services.enrollment.domain.product.label import AssignLabel, FreeLabel
from services.enrollment.domain.product.product import decide
from services.enrollment.domain.product.roles import WHO_RECORDS
from shared.contracts.enrollment_product import (
    ApheresisIdAssigned,
    ApheresisIdFreed,
    ExceptionalReleaseApproved,
    LotAssigned,
    LotFreed,
    ManufactureStarted,
    ProductAlertAcknowledged,
    ProductAlertRaised,
    ProductIdentityVerified,
    ProductReleased,
    ProductStepCorrected,
    ReleaseTestsRecorded,
)
from shared.contracts.enrollment_product_terms import ManufactureStart, ProductFinding, ProductStatus
from shared.kernel.actor import Role
from shared.kernel.decider import Command
from shared.kernel.errors import TrialError
from tests.services.enrollment import product_steps
from tests.services.enrollment.builders import WHO
from tests.services.enrollment.domain.product.usual import (
    FACTS,
    NOW,
    OTHERS,
    PRODUCT,
    SECOND,
    USUAL,
    chain,
    collect,
    facts,
    rejection,
    spec,
    told,
    until,
    with_product,
)
from tests.specs import Spec

NO_PRODUCT = FACTS.protocol.model_copy(update={"product": None})


def approval(reason: str = "No cells are left", **given: Any) -> ApproveExceptionalRelease:
    return ApproveExceptionalRelease.model_validate(product_steps.release() | {"reason": reason} | given)


def correction(step: int, **parts: Any) -> CorrectProductStep:
    return CorrectProductStep.model_validate({"step": step, "reason": "Misread"} | parts)


def collection(at: str) -> dict[str, Any]:
    return product_steps.collection(collected_at=at)


def retraction(step: int) -> RetractProductStep:
    return RetractProductStep(step=step, reason="Entered for another product")


def test_the_usual_chain_stands_where_its_last_step_leads() -> None:
    now = chain(*until(VerifyIdentity))
    assert (now.status, now.lot, len(now.steps), len(now.verifications)) == ("thawed", product_steps.LOT, 9, 1)
    assert now.version == 10


@pytest.mark.parametrize("number", range(len(USUAL)))
def test_the_same_step_twice_decides_to_nothing(number: int) -> None:
    history = told(*USUAL[: number + 1])
    spec.given(*history).when(USUAL[number], FACTS).then_nothing()


def test_a_lot_is_begun() -> None:
    start = ManufactureStart.model_validate(product_steps.start())
    spec.given(*until(ReceiveAtManufacturer)).when(USUAL[2], FACTS).then(
        ManufactureStarted(product_id=PRODUCT, participant_id=WHO, start=start)
    )


@pytest.mark.parametrize(
    ("history", "command", "error"),
    [
        ([], ReleaseProduct.model_validate(product_steps.release()), NoSuchProduct),
        (told(collect()), collect(volume_ml="90"), ProductAlreadyRecorded),
        (told(collect(), retraction(1)), USUAL[1], ProductNeverWas),
        ([], collect(collected_at=(NOW + timedelta(hours=1)).isoformat()), ProductStepInFuture),
        (told(collect()), ReleaseProduct.model_validate(product_steps.release()), ProductStepWouldNotFollow),
        (
            told(collect()),
            ReceiveAtManufacturer.model_validate(
                product_steps.manufacturer_receipt(received_at="2026-02-01T09:00:00+07:00")
            ),
            ProductStepOutOfTime,
        ),
        (until(EndManufacture), ReleaseProduct.model_validate(product_steps.release()), NotWithinSpecification),
    ],
)
def test_what_cannot_be_recorded(history: Any, command: Command, error: type[TrialError]) -> None:
    spec.given(*history).when(command, FACTS).then_rejected(error)


def test_a_trial_without_a_product_of_its_own_has_no_leukapheresis() -> None:
    spec.given().when(collect(), facts(protocol=NO_PRODUCT)).then_rejected(NoProductInProtocol)


def test_a_failed_manufacture_is_told_and_nothing_but_tests_follows() -> None:
    failed = EndManufacture.model_validate(product_steps.end(failed="contaminated", bags=[]))
    history = told(*USUAL[:3], failed, USUAL[4])
    assert chain(*history).status == "manufacture-failed"
    spec.given(*history).when(USUAL[5], FACTS).then_rejected(ProductStepWouldNotFollow)


@pytest.mark.parametrize(
    "given",
    [{"bags": []}, {"failed": "contaminated"}, {"bags": [product_steps.bag(), product_steps.bag()]}],
)
def test_a_manufacture_ends_in_bags_or_in_a_reason(given: Any) -> None:
    with pytest.raises(ValidationError):
        EndManufacture.model_validate(product_steps.end(**given))


def test_a_label_has_a_digit() -> None:
    with pytest.raises(ValidationError, match="a label has a digit"):
        StartManufacture.model_validate(product_steps.start(lot="Somchai"))


# Tests and release


def failing(*results: dict[str, Any]) -> RecordReleaseTests:
    return RecordReleaseTests.model_validate(product_steps.tests(*results))


LOW = told(*USUAL[:4], failing(product_steps.result("viability", value="65")))
QUALITY, SPONSOR = facts(Role.QUALITY, name="q-1"), facts(Role.SPONSOR, name="s-1")


def test_what_is_not_passed_holds_the_lot_back() -> None:
    spec.given(*LOW).when(USUAL[5], QUALITY).then_rejected(NotWithinSpecification, match="viability")


def test_late_tests_are_told_after_the_release_and_leave_the_product_where_it_is() -> None:
    late = failing(product_steps.result("sterility", finding="positive"))
    history = [*until(ThawBag), *spec.given(*until(ThawBag)).when(late, FACTS).decide()]
    now = chain(*history)  # type: ignore[arg-type]
    assert (now.status, now.verdicts["sterility"].passed) == ("thawed", False)


def approved(at: Any, *history: Any, command: ApproveExceptionalRelease | None = None) -> list[Any]:
    return [*history, *spec.given(*history).when(command or approval(), at).decide()]


def test_two_people_of_two_offices_release_a_lot_despite_its_specification() -> None:
    first = approved(QUALITY, *LOW)
    assert [type(each) for each in first[len(LOW) :]] == [ExceptionalReleaseApproved]
    second = approved(SPONSOR, *first)
    released = second[-1]
    assert isinstance(released, ProductReleased)
    assert (released.by_exception, released.not_passed) == (True, ("viability",))
    assert chain(*second).status == "released"
    assert chain(*second).failed(FACTS.now) == ()  # what was excepted stops nothing
    assert chain(*LOW).failed(FACTS.now) == ("viability",)


@pytest.mark.parametrize(
    ("second", "error"),
    [
        (facts(Role.SPONSOR, name="q-1"), SamePersonApproved),
        (facts(Role.QUALITY, name="q-2"), SameOfficeApproved),
    ],
)
def test_one_person_or_one_office_is_not_two(second: Any, error: type[TrialError]) -> None:
    spec.given(*approved(QUALITY, *LOW)).when(approval("Still so"), second).then_rejected(error)


def test_the_same_approval_twice_decides_to_nothing() -> None:
    spec.given(*approved(QUALITY, *LOW)).when(approval(), QUALITY).then_nothing()


def test_new_tests_void_what_was_approved() -> None:
    history = approved(QUALITY, *LOW)
    again = failing(product_steps.result("viability", value="60"))
    history += spec.given(*history).when(again, FACTS).decide()
    assert chain(*history).approvals == ()


def test_nothing_is_excepted_where_every_test_was_passed() -> None:
    spec.given(*until(RecordReleaseTests)).when(approval(), QUALITY).then_rejected(WithinSpecification)


def test_an_exception_is_no_decision_of_the_future_or_before_the_harvest() -> None:
    first = approved(QUALITY, *LOW)
    late, early = (NOW + timedelta(hours=1)).isoformat(), "2026-02-01T10:00:00+07:00"
    spec.given(*first).when(approval(decided_at=late), SPONSOR).then_rejected(ProductStepInFuture)
    spec.given(*first).when(approval(decided_at=early), SPONSOR).then_rejected(ProductStepOutOfTime)


def test_a_protocol_may_ask_for_more_approvals_than_there_are_offices() -> None:
    at = {"protocol": with_product(exception_approvals=5)}
    first = approved(facts(Role.QUALITY, name="q-1", **at), *LOW)
    assert isinstance(approved(facts(Role.SAFETY_OFFICER, name="m-1", **at), *first)[-1], ProductReleased)


# Chain of identity


@pytest.mark.parametrize(
    ("given", "owner", "found"),
    [
        ({"lot": "CMD03-0008"}, OTHERS, ("lot-of-another-participant",)),
        ({"lot": "CMD03-0008"}, SECOND, ("lot-differs",)),
        ({"lot": "CMD03-0008"}, None, ("lot-unknown",)),
        ({"bag": "CMD03-0007-B9"}, None, ("bag-unknown",)),
        ({"subject_number": "CU-002"}, None, ("participant-differs",)),
        ({"scanned_at": "2027-02-13T17:00:00+00:00"}, None, ("expired",)),  # midnight at the site
        (
            {"lot": "CMD03-0008", "subject_number": "CU-002"},
            OTHERS,
            ("lot-of-another-participant", "participant-differs"),
        ),
    ],
)
def test_a_scan_that_does_not_fit_is_refused_with_all_that_is_wrong(given: Any, owner: Any, found: Any) -> None:
    scan = VerifyIdentity.model_validate(product_steps.verification(**given))
    with pytest.raises(ProductRefused) as refused:
        spec.given(*until(ReceiveAtSite)).when(scan, facts(owner=owner)).decide()
    assert refused.value.findings == found
    assert not {str(OTHERS.participant_id), str(OTHERS.product_id)} & set(str(refused.value).split())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"lot": "cmd03-0007", "subject_number": "cu-001"},
        {"bag": None},
        {"scanned_at": "2027-02-13T16:59:00+00:00"},
    ],
)
def test_a_scan_that_fits_is_on_record(given: Any) -> None:
    scan = VerifyIdentity.model_validate(product_steps.verification(**given))
    event = spec.given(*until(ReceiveAtSite)).when(scan, FACTS).decide()[0]
    assert isinstance(event, ProductIdentityVerified)
    assert "subject_number" not in event.to_json()


@pytest.mark.parametrize(
    ("history", "found"),
    [
        (until(RecordReleaseTests), ("not-released",)),
        (told(*USUAL[:8], rejection()), ("rejected",)),
        (told(*USUAL[:2]), ("lot-differs", "not-released")),
    ],
)
def test_what_is_not_released_is_refused_wherever_it_is_scanned(history: Any, found: Any) -> None:
    for command in (USUAL[7], USUAL[8], USUAL[9]):
        with pytest.raises(ProductRefused) as refused:
            spec.given(*history).when(command, FACTS).decide()
        assert refused.value.findings == found


@pytest.mark.parametrize("command", [USUAL[7], USUAL[8]])
def test_a_scan_of_a_day_that_is_to_come_is_a_slip_and_no_alert(command: Any) -> None:
    [instant] = {"received_at", "thawed_at"} & set(type(command).model_fields)
    later = command.model_copy(update={instant: NOW + timedelta(days=3650)})
    spec.given(*until(type(command))[:-1]).when(later, FACTS).then_rejected(ProductStepInFuture)


MANUFACTURE, TESTS = product_steps.end, product_steps.tests


@pytest.mark.parametrize(
    ("part", "fits", "slip"),
    [
        (lambda day: {"end": MANUFACTURE(transduced_on=day)}, "2026-02-01", "2026-01-31"),  # begun on 2 February
        (lambda day: {"end": MANUFACTURE(transduced_on=day)}, "2026-02-15", "2026-02-16"),  # ended on the 14th
        (lambda day: {"end": MANUFACTURE(expires_on=day)}, "2026-02-13", "2026-02-12"),
        (lambda day: {"testing": TESTS(product_steps.result("viability", tested_on=day))}, "2026-02-01", "2026-01-31"),
        (lambda day: {"testing": TESTS(product_steps.result("viability", tested_on=day))}, "2026-02-21", "2026-02-22"),
    ],
)
def test_the_days_that_a_step_tells_of_lie_within_it(part: Any, fits: str, slip: str) -> None:
    """A day either way is taken: the zone in which they were written down is not known."""
    kinds: dict[str, tuple[int, Any]] = {"end": (4, EndManufacture), "testing": (5, RecordReleaseTests)}
    for day, taken in ((fits, True), (slip, False)):
        [(name, told_of)] = part(day).items()
        number, kind = kinds[name]
        first = spec.given(*until(kind)[:-1]).when(kind.model_validate(told_of), FACTS)
        anew = spec.given(*until(ThawBag)).when(correction(number, **{name: told_of}), FACTS)
        for when in (first, anew):
            if taken:
                assert when.decide()
            else:
                when.then_rejected(ProductStepOutOfTime, "check the year and the day")


def test_a_bag_is_thawed_once() -> None:
    later = ThawBag.model_validate(product_steps.thaw(thawed_at="2026-03-16T10:40:00+07:00"))
    with pytest.raises(ProductRefused) as refused:
        spec.given(*until(ThawBag)).when(later, FACTS).decide()
    assert refused.value.findings == ("bag-used",)


def test_a_receipt_names_the_lot_and_no_bag() -> None:
    other = ReceiveAtSite.model_validate(product_steps.site_receipt(lot="CMD03-0008"))
    with pytest.raises(ProductRefused) as refused:
        spec.given(*until(ShipProduct)).when(other, facts(owner=OTHERS)).decide()
    assert (refused.value.scan.point, refused.value.scan.bag) == ("receipt", None)


def test_a_receipt_without_a_shipment_has_no_limit_to_be_held_against() -> None:
    history = until(ReleaseProduct)
    spec.given(*history).when(USUAL[7], FACTS).then_rejected(ProductStepWouldNotFollow)


# Corrections


@pytest.mark.parametrize(
    ("step", "parts"),
    [
        (1, {"collection": product_steps.collection(volume_ml="90")}),
        (2, {"manufacturer_receipt": product_steps.manufacturer_receipt(highest_c="9")}),
        (3, {"start": product_steps.start(lot="CMD03-0017")}),
        (4, {"end": product_steps.end(expires_on=None)}),
        (5, {"testing": product_steps.tests(product_steps.result("viability", value="60"))}),
        (7, {"shipment": product_steps.shipment(shipper="COURIER-3")}),
        (8, {"site_receipt": product_steps.site_receipt(highest_c="-100")}),
        (9, {"thaw": product_steps.thaw(viability_percent="80")}),
    ],
)
def test_a_step_is_put_right(step: int, parts: dict[str, Any]) -> None:
    command = correction(step, **parts)
    history = until(ThawBag)
    events = spec.given(*history).when(command, FACTS).decide()
    assert isinstance(events[0], ProductStepCorrected)
    now = chain(*history, *events)  # type: ignore[arg-type]
    assert now.steps[step - 1].details == events[0].details
    spec.given(*history, *events).when(command, FACTS).then_nothing()
    if step == 5:
        assert now.verdicts["viability"].passed is False
    if step in (2, 8):
        seen = now.steps[step - 1].temperature
        assert seen is not None
        assert seen.within is False


def temperatures(*history: Any) -> dict[int, tuple[str | None, bool | None]]:
    """By step: the transport by whose limits it was judged, and whether it was within them."""
    judged = {step.number: step.temperature for step in chain(*history).steps if step.temperature is not None}
    return {number: (seen.transport, seen.within) for number, seen in judged.items()}


def test_a_receipt_is_judged_anew_where_its_shipment_is_put_right() -> None:
    history = until(ThawBag)
    assert temperatures(*history)[8] == ("liquid-nitrogen", True)
    refrigerated = correction(7, shipment=product_steps.shipment(transport="refrigerated"))
    right = spec.given(*history).when(refrigerated, FACTS).decide()
    assert [each.step for each in right if isinstance(each, ProductStepCorrected)] == [7, 8]
    now: list[Any] = [*history, *right]
    assert temperatures(*now)[8] == ("refrigerated", False)
    assert chain(*now).steps[7].details == chain(*history).steps[7].details
    spec.given(*now).when(refrigerated, FACTS).then_nothing()
    back = spec.given(*now).when(correction(7, shipment=product_steps.shipment()), FACTS).decide()
    assert temperatures(*now, *back) == temperatures(*history)


def test_a_receipt_stands_where_its_shipment_travelled_as_before() -> None:
    right = correction(7, shipment=product_steps.shipment(shipper="COURIER-3"))
    cold = with_product(transport=())
    events = spec.given(*until(ThawBag)).when(right, facts(protocol=cold)).decide()
    assert [each.step for each in events if isinstance(each, ProductStepCorrected)] == [7]


def test_of_two_shipments_each_has_its_own_receipt() -> None:
    on = {"shipped_at": "2026-03-03T08:00:00+07:00", "destination": "SI", "transport": "ambient"}
    arrived = product_steps.site_receipt(received_at="2026-03-03T15:00:00+07:00", lowest_c="16", highest_c="20")
    commands = ShipProduct.model_validate(product_steps.shipment(**on)), ReceiveAtSite.model_validate(arrived)
    history = told(*USUAL[:8], *commands)
    assert temperatures(*history)[10] == ("ambient", True)
    first = correction(7, shipment=product_steps.shipment(transport="refrigerated"))
    now: list[Any] = [*history, *spec.given(*history).when(first, FACTS).decide()]
    assert (temperatures(*now)[8], temperatures(*now)[10]) == (("refrigerated", False), ("ambient", True))
    receipt = correction(8, site_receipt=product_steps.site_receipt(lowest_c="2", highest_c="8"))
    now += spec.given(*now).when(receipt, FACTS).decide()
    assert (temperatures(*now)[8], temperatures(*now)[10]) == (("refrigerated", True), ("ambient", True))


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (correction(3), OneProductStepToCorrect),
        (correction(3, start=product_steps.start(), thaw=product_steps.thaw()), OneProductStepToCorrect),
        (correction(77, start=product_steps.start()), NoSuchProductStep),
        (correction(2, start=product_steps.start()), NotThisProductStep),
        (correction(4, end=product_steps.end(failed="equipment", bags=[])), NotThisProductStep),
        (correction(4, end=product_steps.end(bags=[product_steps.bag("CMD03-0007-B2")])), BagInUse),
        (correction(8, site_receipt=product_steps.site_receipt(lot="CMD03-0008")), LabelOfAnotherLot),
        (correction(9, thaw=product_steps.thaw(bag="CMD03-0007-B9")), LabelOfAnotherLot),
        (
            correction(1, collection=product_steps.collection(collected_at="2026-02-03T09:00:00+07:00")),
            ProductStepOutOfTime,
        ),
        (correction(9, thaw=product_steps.thaw(thawed_at=(NOW + timedelta(hours=1)).isoformat())), ProductStepInFuture),
        (retraction(3), ProductStepCannotBeRetracted),
        (retraction(77), NoSuchProductStep),
    ],
)
def test_what_cannot_be_put_right(command: Command, error: type[TrialError]) -> None:
    spec.given(*until(ThawBag)).when(command, FACTS).then_rejected(error)


def test_a_rejection_is_put_right_and_taken_back() -> None:
    history = told(*USUAL[:6], rejection())
    right = correction(7, rejection={"decided_at": "2026-03-21T10:00:00+07:00", "because": "damaged"})
    assert isinstance(spec.given(*history).when(right, FACTS).decide()[0], ProductStepCorrected)
    back = spec.given(*history).when(retraction(7), FACTS).decide()
    assert chain(*history, *back).status == "released"  # type: ignore[arg-type]
    spec.given(*history, *back).when(retraction(7), FACTS).then_nothing()


def test_others_hands_put_nothing_right() -> None:
    maker = facts(Role.MANUFACTURING)
    right = correction(1, collection=product_steps.collection(volume_ml="90"))
    spec.given(*until(ThawBag)).when(right, maker).then_rejected(NotYourStep)
    spec.given(*until(ReleaseProduct)).when(retraction(6), maker).then_rejected(NotYourStep)
    assert set(WHO_RECORDS) == set(ProductStatus) - {ProductStatus.INFUSED, ProductStatus.DIVERTED}
    assert set(FOLLOWS) == set(ProductStatus) - {ProductStatus.TESTED}


def test_events_before_the_first_change_nothing() -> None:
    tested = next(each for each in until(RecordReleaseTests) if isinstance(each, ReleaseTestsRecorded))
    spec.given(tested).when(USUAL[5], FACTS).then_rejected(NoSuchProduct)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*USUAL, rejection(), retraction(2), retraction(6), LOW[4:]]), max_size=14))
def test_nothing_is_thawed_that_was_not_released(commands: list[Any]) -> None:
    """In whatever order commands come, what is accepted never breaks the chain."""
    history: list[Any] = []
    for command in commands:
        state = spec.decider.fold(history)
        try:
            history += command if isinstance(command, list) and history else decide(command, state, FACTS)
        except (TrialError, AttributeError):
            continue
        now = spec.decider.fold(history)
        if getattr(now, "status", None) in ("thawed", "at-site", "shipped"):
            assert any(step.kind == "released" for step in now.steps)


# Lots and alerts

lots, aphereses, alerts = Spec(label.LOTS), Spec(label.APHERESES), Spec(alert.DECIDER)
WHOSE: dict[str, Any] = {"product_id": PRODUCT, "participant_id": WHO}
ANOTHERS: dict[str, Any] = {"product_id": OTHERS.product_id, "participant_id": OTHERS.participant_id}
OF_THE_SAME: dict[str, Any] = {"product_id": OTHERS.product_id, "participant_id": WHO}
LOT, APHERESIS = "CMD03-0007", "A9999-26-000123"
ASSIGNED, FREED = LotAssigned(lot=LOT, **WHOSE), LotFreed(lot=LOT, **WHOSE)
TAKEN, LEFT = (event(apheresis_id=APHERESIS, **WHOSE) for event in (ApheresisIdAssigned, ApheresisIdFreed))


def test_a_lots_number_is_taken_once_and_freed() -> None:
    assign = AssignLabel(label=LOT, **WHOSE)
    lots.given().when(assign).then(ASSIGNED)
    lots.given(ASSIGNED).when(assign).then_nothing()
    for other in (ANOTHERS, OF_THE_SAME):
        lots.given(ASSIGNED).when(AssignLabel(label=LOT, **other)).then_rejected(LotTaken)
    lots.given(ASSIGNED).when(FreeLabel(label=LOT, **WHOSE)).then(FREED)
    lots.given(ASSIGNED).when(FreeLabel(label=LOT, **OF_THE_SAME)).then_nothing()
    lots.given(ASSIGNED, FREED).when(FreeLabel(label=LOT, **WHOSE)).then_nothing()
    assert label.key_of("cmd03-0007") == "CMD03-0007"


def test_a_chain_has_the_labels_of_its_steps_as_they_stand() -> None:
    begun = until(StartManufacture)
    right = product_steps.collection(apheresis_id="A9999-26-000777")
    corrected = product.decide(correction(1, collection=right), chain(*begun), FACTS)
    drawn = until(CollectLeukapheresis)
    never = product.decide(retraction(1), chain(*drawn), FACTS)
    chains = (chain(*begun), chain(*begun, *corrected), chain(*drawn, *never))
    assert [(each.lot, each.apheresis_id) for each in chains] == [
        (LOT, APHERESIS),
        (LOT, "A9999-26-000777"),
        (None, None),
    ]


def test_an_apheresis_is_one_participants_whatever_is_made_of_it() -> None:
    assign = AssignLabel(label=APHERESIS, **WHOSE)
    also = ApheresisIdAssigned(apheresis_id=APHERESIS, **OF_THE_SAME)
    anothers = AssignLabel(label=APHERESIS, **ANOTHERS)
    aphereses.given().when(assign).then(TAKEN)
    aphereses.given(TAKEN).when(assign).then_nothing()
    aphereses.given(TAKEN).when(AssignLabel(label=APHERESIS, **OF_THE_SAME)).then(also)
    aphereses.given(TAKEN, also).when(FreeLabel(label=APHERESIS, **WHOSE)).then(LEFT)
    aphereses.given(TAKEN, also, LEFT).when(anothers).then_rejected(ApheresisIdTaken)
    aphereses.given(TAKEN, LEFT).when(anothers).then(ApheresisIdAssigned(apheresis_id=APHERESIS, **ANOTHERS))
    aphereses.given(TAKEN, LEFT).when(FreeLabel(label=APHERESIS, **WHOSE)).then_nothing()


def alerted(finding: str = "lot-of-another-participant", **given: Any) -> ProductAlertRaised:
    usual = {
        "alert_id": uuid4(),
        "participant_id": WHO,
        "site_id": "CU",
        "product_id": PRODUCT,
        "point": "bedside",
        "at": "2026-03-16T09:50:00+07:00",
        "lot": "CMD03-0008",
        "bag": None,
        "findings": [finding],
    }
    return ProductAlertRaised.model_validate(usual | given)


def test_whose_lot_was_scanned_is_told_of_their_own_bag_and_never_for_whom() -> None:
    owned = replace(chain(*until(EndManufacture)), participant_id=OTHERS.participant_id)
    for bag, named in ((product_steps.BAG, product_steps.BAG), ("CMD03-0009-B1", None), (None, None)):
        raised = alerted(bag=bag)
        told_to = alert.for_owner(raised, owned, "KKU")
        assert (told_to.participant_id, told_to.site_id, told_to.bag) == (OTHERS.participant_id, "KKU", named)
        assert told_to.findings == (ProductFinding.SCANNED_FOR_ANOTHER_PARTICIPANT,)
        assert alert.for_owner(raised, owned, "KKU").alert_id == told_to.alert_id != raised.alert_id
    assert alert.concerns_another(alerted())
    assert not alert.concerns_another(alerted("lot-unknown"))


def test_an_alert_is_raised_once_and_taken_in_hand_by_one() -> None:
    raised = alerted()
    taken = AcknowledgeProductAlert(note="Bag returned")
    acknowledged = ProductAlertAcknowledged(alert_id=raised.alert_id, participant_id=WHO, note="Bag returned")
    alerts.given().when(RaiseProductAlert(raised=raised)).then(raised)
    alerts.given(raised).when(RaiseProductAlert(raised=raised)).then_nothing()
    alerts.given().when(taken).then_rejected(NoSuchProductAlert)
    alerts.given(raised).when(taken).then(acknowledged)
    alerts.given(raised, acknowledged).when(taken).then_nothing()
    other = AcknowledgeProductAlert(note="Somebody else did")
    alerts.given(raised, acknowledged).when(other).then_rejected(ProductAlertInHand)


def test_a_leukapheresis_takes_the_id_it_was_given() -> None:
    assert CollectLeukapheresis.model_validate(product_steps.collection(participant_id=WHO)).product_id is None
