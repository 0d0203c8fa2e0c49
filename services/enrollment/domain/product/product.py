"""One product: what may be recorded of it, in which order, and what each command leads to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from services.enrollment.domain.life import Unknown
from services.enrollment.domain.product.chain import GIVEN, Chain, Details, State, Step, evolve, step_of
from services.enrollment.domain.product.commands import (
    ApproveExceptionalRelease,
    CollectLeukapheresis,
    CorrectProductStep,
    EndManufacture,
    Next,
    ProductCommand,
    ReceiveAtManufacturer,
    ReceiveAtSite,
    RecordReleaseTests,
    RejectProduct,
    ReleaseProduct,
    RetractProductStep,
    ShipProduct,
    StartManufacture,
    ThawBag,
    VerifyIdentity,
)
from services.enrollment.domain.product.facts import (
    BagInUse,
    Facts,
    LabelOfAnotherLot,
    NoSuchProduct,
    NoSuchProductStep,
    NotThisProductStep,
    NotWithinSpecification,
    NotYourStep,
    OneProductStepToCorrect,
    ProductAlreadyRecorded,
    ProductNeverWas,
    ProductStepCannotBeRetracted,
    SameOfficeApproved,
    SamePersonApproved,
    Scan,
    WithinSpecification,
    refuse_future,
)
from services.enrollment.domain.product.identity import findings_of, refuse, same_label
from services.enrollment.domain.product.order import check_days, check_follows, check_sequence
from services.enrollment.domain.product.release_tests import judge, not_passed
from services.enrollment.domain.product.roles import OFFICES, WHO_RECORDS
from services.enrollment.domain.product.temperatures import judged_otherwise, temperature_of
from shared.contracts.enrollment_product import (
    ExceptionalReleaseApproved,
    LeukapheresisCollected,
    ManufactureEnded,
    ManufactureStarted,
    ProductEvent,
    ProductIdentityVerified,
    ProductReceivedAtSite,
    ProductReceivedByManufacturer,
    ProductRejected,
    ProductReleased,
    ProductShipped,
    ProductStepCorrected,
    ProductStepRetracted,
    ProductThawed,
    ReleaseTestsRecorded,
)
from shared.contracts.enrollment_product_terms import (
    Collection,
    JudgedTest,
    ManufactureEnd,
    ManufacturerReceipt,
    ManufactureStart,
    Rejection,
    Release,
    ReleaseTesting,
    ScanPoint,
    Shipment,
    SiteReceipt,
    TemperatureVerdict,
    Thaw,
    Verification,
)
from shared.contracts.enrollment_product_terms import ProductStatus as Status
from shared.kernel.decider import Command, Decider


def decide(command: ProductCommand, state: State, facts: Facts) -> list[ProductEvent]:
    match command:
        case CollectLeukapheresis():
            return _begin(command, state, facts)
        case CorrectProductStep():
            return _correct(command, standing(state), facts)
        case RetractProductStep():
            return _retract(command, standing(state), facts)
        case ApproveExceptionalRelease():
            return _approve(command, standing(state), facts)
        case VerifyIdentity():
            return _verify(command, standing(state), facts)
        case _:
            return _go_on(command, standing(state), facts)


def standing(state: State) -> Chain:
    """A product that there is.

    Raises:
        NoSuchProduct, ProductNeverWas.
    """
    if isinstance(state, Unknown):
        raise NoSuchProduct("no product has this id, or none at your sites")
    if state.status is None:
        raise ProductNeverWas("this product was retracted: record the right one under a new id")
    return state


def _begin(command: CollectLeukapheresis, state: State, facts: Facts) -> list[ProductEvent]:
    collection = _part(Collection, command)
    if isinstance(state, Chain):
        if (state.participant_id, state.first) == (command.participant_id, collection):
            return []
        raise ProductAlreadyRecorded(
            f"{state.product_id} is on record with another content: correct its step, or take a new id"
        )
    assert command.product_id is not None  # noqa: S101 - minted where the body has none
    assert facts.product  # noqa: S101 - raises where the trial has none
    refuse_future(collection.collected_at, facts.now)
    return [
        LeukapheresisCollected(
            product_id=command.product_id,
            participant_id=command.participant_id,
            site_id=facts.site_id,
            collection=collection,
        )
    ]


def _go_on(command: Next, state: Chain, facts: Facts) -> list[ProductEvent]:
    details = _details(command)
    if details == state.steps[-1].details:
        return []
    number, verdicts = state.version + 1, _verdicts(details, facts)
    temperature = temperature_of(number, details, state, facts)
    step = step_of(number, details, verdicts, temperature)
    refuse_future(step.at, facts.now)
    _check_scan(details, state, facts)
    check_follows(state, step.kind)
    check_sequence((*state.steps, step))
    check_days(details, state)
    if isinstance(details, Release):
        _refuse_outside_specification(state, facts)
    return [_event(state, details, verdicts, temperature, facts)]


def _details(command: Next) -> Details:
    parts: Mapping[type[Any], type[Any]] = {
        ReceiveAtManufacturer: ManufacturerReceipt,
        StartManufacture: ManufactureStart,
        EndManufacture: ManufactureEnd,
        RecordReleaseTests: ReleaseTesting,
        ReleaseProduct: Release,
        RejectProduct: Rejection,
        ShipProduct: Shipment,
        ReceiveAtSite: SiteReceipt,
        ThawBag: Thaw,
    }
    details: Details = _part(parts[type(command)], command)
    return details


def _event(  # noqa: PLR0911 - one line per step
    state: Chain,
    details: Details,
    verdicts: tuple[JudgedTest, ...],
    temperature: TemperatureVerdict | None,
    facts: Facts,
) -> ProductEvent:
    whose: dict[str, Any] = {"product_id": state.product_id, "participant_id": state.participant_id}
    ref = facts.protocol.ref
    match details:
        case ManufacturerReceipt():
            return ProductReceivedByManufacturer(**whose, receipt=details, temperature=temperature, protocol=ref)
        case ManufactureStart():
            return ManufactureStarted(**whose, start=details)
        case ManufactureEnd():
            return ManufactureEnded(**whose, end=details)
        case ReleaseTesting():
            return ReleaseTestsRecorded(**whose, testing=details, verdicts=verdicts, protocol=ref)
        case Rejection():
            return ProductRejected(**whose, rejection=details)
        case Shipment():
            return ProductShipped(**whose, shipment=details)
        case SiteReceipt():
            return ProductReceivedAtSite(**whose, receipt=details, temperature=temperature, protocol=ref)
        case Thaw():
            return ProductThawed(**whose, thaw=details)
        case _:
            assert isinstance(details, Release)  # noqa: S101 - the others are no command's
            return ProductReleased(**whose, release=details, by_exception=False, not_passed=(), protocol=ref)


def _verdicts(details: Details, facts: Facts) -> tuple[JudgedTest, ...]:
    if not isinstance(details, ReleaseTesting):
        return ()
    return tuple(judge(result, facts.product) for result in details.results)


def _check_scan(details: Details, state: Chain, facts: Facts) -> None:
    """Raises: ProductRefused."""
    if isinstance(details, SiteReceipt):
        scan = Scan(ScanPoint.RECEIPT, details.received_at, details.lot)
        refuse(findings_of(scan, state, facts), scan)
    elif isinstance(details, Thaw):
        scan = Scan(ScanPoint.THAW, details.thawed_at, details.lot, details.bag)
        refuse(findings_of(scan, state, facts, used=state.thaws), scan)


def _refuse_outside_specification(state: Chain, facts: Facts) -> None:
    open_ = not_passed(state.verdicts, facts.product)
    if open_:
        raise NotWithinSpecification(
            f"not passed, or not reported: {', '.join(open_)}. Record them, reject the lot, or have its release "
            "approved as an exception"
        )


def _approve(command: ApproveExceptionalRelease, state: Chain, facts: Facts) -> list[ProductEvent]:
    role, person = facts.by.role, facts.by.id
    if any((each.by, each.reason) == (person, command.reason) for each in state.approvals):
        return []
    check_follows(state, Status.RELEASED)
    refuse_future(command.decided_at, facts.now)
    open_ = not_passed(state.verdicts, facts.product)
    if not open_:
        raise WithinSpecification("every required test was passed: release the lot without an exception")
    if any(each.by == person for each in state.approvals):
        raise SamePersonApproved("you approved it already: the next approval is another person's")
    if any(_office(each.role) == _office(role) for each in state.approvals):
        raise SameOfficeApproved("this office approved it already: the next approval is another office's")
    whose: dict[str, Any] = {"product_id": state.product_id, "participant_id": state.participant_id}
    approved = ExceptionalReleaseApproved(
        **whose, approved_by=person, role=role, not_passed=open_, reason=command.reason
    )
    if len(state.approvals) + 1 < min(facts.product.exception_approvals.value, len(OFFICES)):
        return [approved]
    release = Release(decided_at=command.decided_at)
    check_sequence((*state.steps, step_of(state.version + 2, release)))
    return [
        approved,
        ProductReleased(**whose, release=release, by_exception=True, not_passed=open_, protocol=facts.protocol.ref),
    ]


def _office(role: str) -> str:
    return next(office for office, roles in OFFICES.items() if role in roles)


def _verify(command: VerifyIdentity, state: Chain, facts: Facts) -> list[ProductEvent]:
    verification = _part(Verification, command)
    if verification in state.verifications:
        return []
    refuse_future(command.scanned_at, facts.now)
    scan = Scan(command.point, command.scanned_at, command.lot, command.bag, command.subject_number)
    refuse(findings_of(scan, state, facts), scan)
    return [
        ProductIdentityVerified(
            product_id=state.product_id, participant_id=state.participant_id, verification=verification
        )
    ]


def _correct(command: CorrectProductStep, state: Chain, facts: Facts) -> list[ProductEvent]:
    parts: tuple[Details | None, ...] = (
        *(command.collection, command.manufacturer_receipt, command.start, command.end, command.testing),
        *(command.rejection, command.shipment, command.site_receipt, command.thaw),
    )
    given = [part for part in parts if part is not None]
    if len(given) != 1:
        raise OneProductStepToCorrect("send one part, that of the step's kind, whole")
    step, details = _numbered(state, command.step), given[0]
    temperature = temperature_of(step.number, details, state, facts)
    put_right = step_of(step.number, details, _verdicts(details, facts), temperature)
    if step.kind is not put_right.kind:
        raise NotThisProductStep(
            f"step {step.number} is {step.kind}: send the part of that kind, or another step's number"
        )
    if step.details == details:
        return []
    _refuse_other_hands(step, facts)
    refuse_future(put_right.at, facts.now)
    now = replace(state, steps=tuple(put_right if each is step else each for each in state.steps))
    check_sequence(now.steps)
    check_days(details, state)
    _check_labels(details, state)
    return [_corrected(each, state, command.reason) for each in (put_right, *judged_otherwise(now, facts))]


def _corrected(put_right: Step, state: Chain, reason: str) -> ProductStepCorrected:
    assert not isinstance(put_right.details, Release)  # noqa: S101 - nothing of a release can be put right
    return ProductStepCorrected(
        product_id=state.product_id,
        participant_id=state.participant_id,
        step=put_right.number,
        details=put_right.details,
        verdicts=put_right.verdicts,
        temperature=put_right.temperature,
        reason=reason,
    )


def _check_labels(details: Details, state: Chain) -> None:
    """What a correction must not break: labels are those of this lot, and what was used was there."""
    used = {*state.thaws, *(bag.bag for each in state.given for bag in each.bags)}
    if isinstance(details, ManufactureEnd) and used - {bag.bag for bag in details.bags}:
        raise BagInUse("a bag that was thawed or infused is missing: keep it, with its code")
    if isinstance(details, SiteReceipt | Thaw) and not same_label(details.lot, state.lot):
        raise LabelOfAnotherLot("the lot is not that of this product")
    if isinstance(details, Thaw) and details.bag not in state.bags:
        raise LabelOfAnotherLot("the lot has no such bag")


def _retract(command: RetractProductStep, state: Chain, facts: Facts) -> list[ProductEvent]:
    if command.step in state.retracted:
        return []
    step = _numbered(state, command.step)
    if step is not state.steps[-1]:
        raise ProductStepCannotBeRetracted(f"step {state.steps[-1].number} came later: retract the last step first")
    if isinstance(step.details, GIVEN):
        raise ProductStepCannotBeRetracted("an infusion is taken back with the participant: retract that")
    _refuse_other_hands(step, facts)
    return [
        ProductStepRetracted(
            product_id=state.product_id, participant_id=state.participant_id, step=step.number, reason=command.reason
        )
    ]


def _refuse_other_hands(step: Step, facts: Facts) -> None:
    able = WHO_RECORDS[step.kind]
    if not facts.by.roles & able:
        raise NotYourStep(f"this step is put right by one of: {', '.join(sorted(able))}")


def _numbered(state: Chain, number: int) -> Step:
    for step in state.steps:
        if step.number == number:
            return step
    raise NoSuchProductStep("the chain has no step of this number; see its numbers in the chain")


P = TypeVar("P", bound=BaseModel)


def _part(model: type[P], command: Command) -> P:
    """The part of a command that goes on record."""
    return model.model_construct(**{name: getattr(command, name) for name in model.model_fields})


DECIDER: Decider[ProductCommand, State, Facts, ProductEvent] = Decider("product", Unknown(), evolve, decide)
