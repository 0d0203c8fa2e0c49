"""The usual product, as the events that lead to each of its steps, and who acts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.enrollment.domain.product import product
from services.enrollment.domain.product.chain import Chain
from services.enrollment.domain.product.commands import (
    CollectLeukapheresis,
    EndManufacture,
    ReceiveAtManufacturer,
    ReceiveAtSite,
    RecordReleaseTests,
    RejectProduct,
    ReleaseProduct,
    ShipProduct,
    StartManufacture,
    ThawBag,
    VerifyIdentity,
)
from services.enrollment.domain.product.facts import Facts, Owner
from shared.contracts.enrollment_product import ProductEvent
from shared.kernel.actor import Actor, Role
from shared.kernel.decider import Command
from shared.protocol import Protocol, load_protocol
from tests.services.enrollment import product_steps
from tests.services.enrollment.builders import WHO
from tests.specs import Spec

PROTOCOL = load_protocol()
PRODUCT = UUID("018f4b2a-5b1e-7c3a-8a55-0a1b2c3d4e01")
OTHERS = Owner(UUID("018f4b2a-5b1e-7c3a-8a55-0a1b2c3d4e02"), UUID("018f4b2a-5b1e-7c3a-8a55-0a1b2c3d4e03"))
SECOND = Owner(UUID("018f4b2a-5b1e-7c3a-8a55-0a1b2c3d4e04"), WHO)
NOW = datetime(2027, 6, 1, 5, tzinfo=UTC)
spec = Spec(product.DECIDER)


def by(*roles: Role, name: str = "somebody") -> Actor:
    return Actor(name, frozenset(roles), None, min(roles))


FACTS = Facts(NOW, PROTOCOL, by(*Role), "CU", "CU-001", ZoneInfo("Asia/Bangkok"), Owner(PRODUCT, WHO))


def facts(*roles: Role, name: str = "somebody", **given: Any) -> Facts:
    return replace(FACTS, by=by(*roles or tuple(Role), name=name), **given)


def with_product(**settings: Any) -> Protocol:
    """CMD03 with other settings of the product."""
    own = PROTOCOL.product
    assert own is not None
    told = {
        name: value if name == "release_tests" else getattr(own, name).model_copy(update={"value": value})
        for name, value in settings.items()
    }
    return PROTOCOL.model_copy(update={"product": own.model_copy(update=told)})


def collect(**given: Any) -> CollectLeukapheresis:
    whose = {"product_id": PRODUCT, "participant_id": WHO}
    return CollectLeukapheresis.model_validate(product_steps.collection(**whose) | given)


USUAL: tuple[Command, ...] = (
    collect(),
    ReceiveAtManufacturer.model_validate(product_steps.manufacturer_receipt()),
    StartManufacture.model_validate(product_steps.start()),
    EndManufacture.model_validate(product_steps.end()),
    RecordReleaseTests.model_validate(product_steps.tests()),
    ReleaseProduct.model_validate(product_steps.release()),
    ShipProduct.model_validate(product_steps.shipment()),
    ReceiveAtSite.model_validate(product_steps.site_receipt()),
    ThawBag.model_validate(product_steps.thaw()),
    VerifyIdentity.model_validate(product_steps.verification()),
)


def told(*commands: Command, at: Facts = FACTS) -> list[ProductEvent]:
    """What the commands lead to, one after the other."""
    history: list[ProductEvent] = []
    for command in commands:
        history += product.decide(command, product.DECIDER.fold(history), at)  # type: ignore[arg-type]
    return history


def until(last: type[Command]) -> list[ProductEvent]:
    kinds = [type(each) for each in USUAL]
    return told(*USUAL[: kinds.index(last) + 1])


def chain(*history: ProductEvent) -> Chain:
    state = product.DECIDER.fold(history)
    assert isinstance(state, Chain)
    return state


def rejection(**given: Any) -> RejectProduct:
    body = {"decided_at": "2026-03-20T10:00:00+07:00", "because": "temperature"}
    return RejectProduct.model_validate(body | given)
