"""An infusion beside the record of its product: may it be, which dose was it, and how does it deviate.

What must not be given is refused, unless it was given: then it goes on record as a deviation, with the reason. A lot
that is no product's here is as it was before products were kept: a code, and its dose what was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid5

from pydantic import Field

from services.enrollment.domain.infusion import CorrectInfusion, InfusionDetails, RecordInfusion
from services.enrollment.domain.life import Infusion, Participant
from services.enrollment.domain.product.chain import GIVEN, Chain
from services.enrollment.domain.product.dose import dose_check
from services.enrollment.domain.product.facts import Facts, Scan
from services.enrollment.domain.product.identity import as_it_was, may_not_be_given, refuse
from shared.contracts.enrollment_product import (
    InfusionAppraised,
    ProductDiverted,
    ProductEvent,
    ProductInfused,
    ProductStepCorrected,
    ProductStepRetracted,
)
from shared.contracts.enrollment_product_terms import BagGiven, Diverted, Infused, ProductFinding, ScanPoint
from shared.contracts.terms import Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Unacceptable

_NAMESPACE = UUID("0d1f1a3e-8f5c-4c1e-9b55-6a6d2b0f7d31")  # of diversions; never changes

# What is told of an infusion, and refuses none.
TOLD = frozenset(
    {ProductFinding.DOSE_OUT_OF_RANGE, ProductFinding.BAG_NOT_THAWED, ProductFinding.IDENTITY_NOT_VERIFIED}
)


class _OfProduct(Command):
    bags: tuple[BagGiven, ...] = Field(
        (), max_length=50, description="The bags that were given; left out: those thawed and not given yet"
    )
    given_despite: Reason | None = Field(
        None, description="It was given although it would be refused, and why: a deviation goes on record"
    )


class GiveInfusion(RecordInfusion, _OfProduct):
    """Record an infusion that was given to an enrolled participant. It gets the next number."""

    def fingerprint(self) -> str:
        """Without a word of bags it is the command that it always was."""
        return _fingerprint(self, RecordInfusion) or super().fingerprint()


class CorrectGivenInfusion(CorrectInfusion, _OfProduct):
    """Correct the record of one infusion: send all of it, as it should have been."""

    def fingerprint(self) -> str:
        return _fingerprint(self, CorrectInfusion) or super().fingerprint()


GivenInfusion = GiveInfusion | CorrectGivenInfusion


def _fingerprint(command: GivenInfusion, kind: type[InfusionDetails]) -> str | None:
    if command.bags or command.given_despite is not None:
        return None
    return plain(command, kind).fingerprint()


def plain(command: InfusionDetails, kind: type[InfusionDetails]) -> InfusionDetails:
    """What of the command is the participant's."""
    return kind.model_construct(**{name: getattr(command, name) for name in kind.model_fields})


Appraisals = Mapping[int, InfusionAppraised]
"""The latest of each infusion of one participant."""


class MoreThanTheBagHeld(Unacceptable):
    """More was given of a bag than was in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An infusion as it is to be recorded, with its number and the product of its lot, if one is known."""

    details: InfusionDetails | Infusion
    number: int
    bags: tuple[BagGiven, ...]
    given_despite: str | None
    participant: Participant
    product: Chain | None


def appraise(asked: Asked, facts: Facts) -> InfusionAppraised:
    """How an infusion stands beside its product.

    Raises:
        ProductRefused: it must not be given, and nobody says that it was.
        MoreThanTheBagHeld.
    """
    appraisal = _appraisal(asked, facts)
    forbidding = tuple(finding for finding in appraisal.findings if finding not in TOLD)
    if asked.given_despite is None:
        at, bag = asked.details.started_at, appraisal.bags[0].bag if appraisal.bags else None
        refuse(forbidding, Scan(ScanPoint.INFUSION, at, asked.details.lot or "", bag))
    return appraisal


def appraised_anew(
    product: Chain, participant: Participant, appraisals: Appraisals, facts: Facts
) -> tuple[list[InfusionAppraised], list[ProductEvent]]:
    """What is said otherwise of infusions of this product, now that its record is another, and what its chain takes.

    They were given: nothing is refused any more. Raises: MoreThanTheBagHeld.
    """
    appraised, taken = list[InfusionAppraised](), list[ProductEvent]()
    for given in product.every(Infused):
        earlier = appraisals.get(given.infusion_number)
        if earlier is not None and earlier.product_id == product.product_id:
            details, number = participant.infusions[given.infusion_number - 1], given.infusion_number
            asked = Asked(details, number, earlier.bags, earlier.given_despite, participant, product)
            appraisal = _appraisal(asked, facts)
            if (appraisal.dose, appraisal.bags, appraisal.findings) != (earlier.dose, earlier.bags, earlier.findings):
                appraised.append(appraisal)
                taken += on_product(product, appraisal, asked)
    return appraised, taken


def _appraisal(asked: Asked, facts: Facts) -> InfusionAppraised:
    participant, product, lot = asked.participant, asked.product, asked.details.lot
    own = product is not None and product.participant_id == participant.participant_id
    given = asked.bags or (() if product is None else thawed_and_left(product, asked))
    findings = list(_too_soon(asked, facts))
    dose = None
    if product is not None:
        _refuse_more_than_a_bag(given, product)
        findings += [] if own else [ProductFinding.LOT_OF_ANOTHER_PARTICIPANT]
        began = asked.details.started_at
        findings += may_not_be_given(as_it_was(product, began), began, facts)
        findings += _of_bags(given, product, asked)
        enrolment = participant.enrolment
        level = None if enrolment is None else enrolment.dose_level
        dose = dose_check(given, product, asked.details.weight_kg, level, facts.protocol)
        findings += [ProductFinding.DOSE_OUT_OF_RANGE] if dose.within is False else []
        findings += [] if not own or _verified(product, asked) else [ProductFinding.IDENTITY_NOT_VERIFIED]
    return InfusionAppraised(
        participant_id=participant.participant_id,
        infusion_number=asked.number,
        product_id=None if product is None else product.product_id,
        lot=lot,
        bags=given,
        dose=dose,
        findings=tuple(findings),
        given_despite=asked.given_despite,
        protocol=facts.protocol.ref,
    )


def taken_back(asked: Asked, facts: Facts) -> InfusionAppraised:
    """The appraisal of an infusion that never was."""
    return InfusionAppraised(
        participant_id=asked.participant.participant_id,
        infusion_number=asked.number,
        product_id=None,
        lot=None,
        bags=(),
        dose=None,
        findings=(),
        given_despite=None,
        protocol=facts.protocol.ref,
    )


def says_nothing(appraisal: InfusionAppraised) -> bool:
    """Whether there is nothing to record: no product, nothing that deviates, no reason."""
    return appraisal.product_id is None and not appraisal.findings and appraisal.given_despite is None


def thawed_and_left(product: Chain, asked: Asked) -> tuple[BagGiven, ...]:
    """The bags that were thawed, and that no other infusion took."""
    taken = _taken(product, asked)
    return tuple(BagGiven(bag=bag) for bag in product.thaws if bag not in taken)


def _taken(product: Chain, asked: Asked) -> set[str]:
    """The bags that other infusions took."""
    return {bag.bag for each in product.given if not _is_of(each, product, asked) for bag in each.bags}


def _is_of(given: Infused | Diverted, product: Chain, asked: Asked) -> bool:
    """Whether this is what the chain says of the infusion at hand."""
    who = asked.participant.participant_id
    if isinstance(given, Infused):
        return product.participant_id == who and given.infusion_number == asked.number
    return given.diversion_id == diversion_id(who, asked.number)


def _of_bags(given: tuple[BagGiven, ...], product: Chain, asked: Asked) -> list[ProductFinding]:
    """No bag named, and none left: then it was one that is used."""
    bags, taken = {each.bag for each in given}, _taken(product, asked)
    found = {
        ProductFinding.BAG_UNKNOWN: bool(bags - set(product.bags)),
        ProductFinding.BAG_USED: bool(bags & taken) or (not bags and bool(product.bags) and taken >= set(product.bags)),
        ProductFinding.BAG_NOT_THAWED: not bags or bool((bags & set(product.bags)) - set(product.thaws)),
    }
    return [finding for finding, is_so in found.items() if is_so]


def _refuse_more_than_a_bag(given: tuple[BagGiven, ...], product: Chain) -> None:
    for each in given:
        bag = product.bags.get(each.bag)
        held = None if bag is None else bag.volume_ml
        if held is not None and each.volume_ml is not None and each.volume_ml > held:
            raise MoreThanTheBagHeld("more was given of a bag than was in it: check volume_ml, in mL")


def _verified(product: Chain, asked: Asked) -> bool:
    """Whether labels and wristband were scanned at the bedside, before the infusion began and since the one before."""
    before = [each.ended_at for each in asked.participant.infusions[: asked.number - 1]]
    began, since = asked.details.started_at, max(before, default=None)
    return any(
        each.point is ScanPoint.BEDSIDE and each.scanned_at <= began and (since is None or each.scanned_at >= since)
        for each in product.verifications
    )


def _too_soon(asked: Asked, facts: Facts) -> list[ProductFinding]:
    """What the protocol says of a further infusion; nothing where it says nothing."""
    if asked.number == 1 or facts.protocol.product is None:
        return []
    product, found = facts.protocol.product, []
    if product.second_infusion_allowed.value is False:
        found.append(ProductFinding.SECOND_INFUSION_NOT_ALLOWED)
    least = product.second_infusion_minimum_days.value
    days = [asked.participant.day_of(at) for at in _starts(asked)]
    if least is not None and days[1] - days[0] < timedelta(days=least):
        found.append(ProductFinding.SECOND_INFUSION_TOO_EARLY)
    return found


def _starts(asked: Asked) -> tuple[datetime, datetime]:
    return asked.participant.infusions[asked.number - 2].started_at, asked.details.started_at


def diversion_id(participant_id: UUID, number: int) -> UUID:
    """By which the other product's record knows the infusion, without knowing whose it is."""
    return uuid5(_NAMESPACE, f"{participant_id}/{number}")


def on_product(product: Chain, appraisal: InfusionAppraised | None, asked: Asked) -> list[ProductEvent]:
    """What a product's chain takes when an infusion names it; with no appraisal, when none does any more."""
    whose = {"product_id": product.product_id, "participant_id": product.participant_id}
    own = product.participant_id == asked.participant.participant_id
    step = next(
        (each for each in product.steps if isinstance(each.details, GIVEN) and _is_of(each.details, product, asked)),
        None,
    )
    reason = "The record of the infusion was put right"
    if appraisal is None:
        return [] if step is None else [ProductStepRetracted(**whose, step=step.number, reason=reason)]
    at, bags = asked.details.started_at, appraisal.bags
    details: Infused | Diverted
    if own:
        assert appraisal.dose is not None  # noqa: S101 - a product is known
        details = Infused(infused_at=at, infusion_number=asked.number, bags=bags, dose=appraisal.dose)
    else:
        key = diversion_id(asked.participant.participant_id, asked.number)
        details = Diverted(diverted_at=at, diversion_id=key, bags=bags)
    if step is not None and step.details == details:
        return []
    if step is not None:
        right = {"step": step.number, "details": details, "verdicts": (), "temperature": None, "reason": reason}
        return [ProductStepCorrected.model_validate({**whose, **right})]
    if isinstance(details, Infused):
        return [ProductInfused(**whose, infused=details)]
    return [ProductDiverted(**whose, diverted=details)]


# The appraisals of one participant's infusions: a stream beside the participant's.


class Appraise(Command):
    appraisal: InfusionAppraised


def evolve(state: Appraisals, event: InfusionAppraised) -> Appraisals:
    return MappingProxyType({**state, event.infusion_number: event})


def decide(command: Appraise, state: Appraisals, facts: None) -> list[InfusionAppraised]:  # noqa: ARG001 - none
    """An appraisal that says nothing is recorded where one that said something stood before."""
    appraisal, before = command.appraisal, state.get(command.appraisal.infusion_number)
    silent = before is None or says_nothing(before)
    return [] if before == appraisal or (silent and says_nothing(appraisal)) else [appraisal]


APPRAISALS: Decider[Appraise, Appraisals, None, InfusionAppraised] = Decider(
    "appraisal", MappingProxyType({}), evolve, decide
)
