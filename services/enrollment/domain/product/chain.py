"""The chain of one product: its steps as they stand, and which step may follow which.

A step bears the number of the event that recorded it. Corrections replace what a step says, and a retraction takes it
away; both stay in the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.enrollment.domain.life import Unknown
from shared.contracts.enrollment_product import (
    ExceptionalReleaseApproved,
    LaterProductEvent,
    LeukapheresisCollected,
    ProductEvent,
    ProductIdentityVerified,
    ProductReleased,
    ProductStepCorrected,
    ProductStepRetracted,
    ReleaseTestsRecorded,
    StepDetails,
)
from shared.contracts.enrollment_product_terms import (
    Bag,
    Collection,
    Diverted,
    Infused,
    JudgedTest,
    ManufactureEnd,
    ManufacturerReceipt,
    ManufactureStart,
    Rejection,
    Release,
    ReleaseTesting,
    Shipment,
    SiteReceipt,
    TemperatureVerdict,
    Thaw,
    Verification,
)
from shared.contracts.enrollment_product_terms import ProductStatus as Status
from shared.contracts.terms import ParticipantId

Details = StepDetails | Release

# What may follow where a product stands. Tests may be reported late, as of cultures that take weeks. An infusion is
# recorded with the participant, wherever the product stands: it happened.
FOLLOWS: Mapping[Status, frozenset[Status]] = {
    Status.COLLECTED: frozenset({Status.AT_MANUFACTURER, Status.IN_MANUFACTURE, Status.REJECTED}),
    Status.AT_MANUFACTURER: frozenset({Status.IN_MANUFACTURE, Status.REJECTED}),
    Status.IN_MANUFACTURE: frozenset({Status.MANUFACTURED, Status.MANUFACTURE_FAILED, Status.TESTED}),
    Status.MANUFACTURED: frozenset({Status.TESTED, Status.RELEASED, Status.REJECTED}),
    Status.MANUFACTURE_FAILED: frozenset({Status.TESTED}),
    Status.RELEASED: frozenset({Status.TESTED, Status.SHIPPED, Status.THAWED, Status.REJECTED}),
    Status.SHIPPED: frozenset({Status.TESTED, Status.AT_SITE, Status.REJECTED}),
    Status.AT_SITE: frozenset({Status.TESTED, Status.SHIPPED, Status.THAWED, Status.REJECTED}),
    Status.THAWED: frozenset({Status.TESTED, Status.THAWED, Status.REJECTED}),
    Status.INFUSED: frozenset({Status.TESTED, Status.THAWED, Status.REJECTED}),
    Status.DIVERTED: frozenset({Status.TESTED, Status.THAWED, Status.REJECTED}),
    Status.REJECTED: frozenset({Status.TESTED}),
}

GIVEN = (Infused, Diverted)


@dataclass(frozen=True, slots=True)
class Step:
    """One step that stands. `at` is when it took place."""

    number: int
    kind: Status
    at: datetime
    details: Details
    verdicts: tuple[JudgedTest, ...] = ()
    temperature: TemperatureVerdict | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Of a release despite the specification. Tests that are reported later void it."""

    by: str
    role: str
    reason: str


D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Chain:
    """A product. `first` is what it began with, by which a repeated command is known; without a step it never was.

    `excepted`: the tests that it had not passed when it was released by an exception.
    """

    product_id: UUID
    participant_id: ParticipantId
    site_id: str
    first: Collection
    steps: tuple[Step, ...]
    version: int = 1
    approvals: tuple[Approval, ...] = ()
    verifications: tuple[Verification, ...] = ()
    retracted: frozenset[int] = frozenset()
    excepted: tuple[str, ...] = ()

    @property
    def status(self) -> Status | None:
        """Where the product stands; None: there never was one."""
        return next((step.kind for step in reversed(self.steps) if step.kind is not Status.TESTED), None)

    @property
    def apheresis_id(self) -> str | None:
        collection = self.last(Collection)
        return None if collection is None else collection.apheresis_id

    @property
    def lot(self) -> str | None:
        start = self.last(ManufactureStart)
        return None if start is None else start.lot

    @property
    def end(self) -> ManufactureEnd | None:
        return self.last(ManufactureEnd)

    @property
    def bags(self) -> Mapping[str, Bag]:
        return {} if self.end is None else {bag.bag: bag for bag in self.end.bags}

    @property
    def thaws(self) -> Mapping[str, Thaw]:
        """By bag."""
        return {thaw.bag: thaw for thaw in self.every(Thaw)}

    @property
    def is_rejected(self) -> bool:
        return self.last(Rejection) is not None

    @property
    def verdicts(self) -> Mapping[str, JudgedTest]:
        """The latest of each test."""
        return {verdict.test: verdict for step in self.steps for verdict in step.verdicts}

    def failed(self, at: datetime) -> tuple[str, ...]:
        """Required tests whose latest result of this instant is not within the limit, and that nobody excepted."""
        latest = {each.test: each for step in self.steps if step.at <= at for each in step.verdicts}
        failed = (each.test for each in latest.values() if each.required and each.passed is False)
        return tuple(test for test in failed if test not in self.excepted)

    @property
    def given(self) -> tuple[Infused | Diverted, ...]:
        """To the participant, or to somebody else."""
        return (*self.every(Infused), *self.every(Diverted))

    def shipment_before(self, number: int) -> Shipment | None:
        """How the product travelled to where a step of this number took place."""
        before = (step.details for step in reversed(self.steps) if step.number < number)
        return next((details for details in before if isinstance(details, Shipment)), None)

    def every(self, kind: type[D]) -> tuple[D, ...]:
        return tuple(step.details for step in self.steps if isinstance(step.details, kind))

    def last(self, kind: type[D]) -> D | None:
        return next(reversed(self.every(kind)), None)


State = Unknown | Chain

# The part of an event that tells of its step; the step that a part tells of, and its field with the instant.
_PARTS = ("receipt", "start", "end", "testing", "release", "rejection", "shipment", "thaw", "infused", "diverted")
_TELLS: Mapping[type[Any], tuple[Status, str]] = {
    Collection: (Status.COLLECTED, "collected_at"),
    ManufacturerReceipt: (Status.AT_MANUFACTURER, "received_at"),
    ManufactureStart: (Status.IN_MANUFACTURE, "started_at"),
    ManufactureEnd: (Status.MANUFACTURED, "ended_at"),
    ReleaseTesting: (Status.TESTED, "reported_at"),
    Release: (Status.RELEASED, "decided_at"),
    Rejection: (Status.REJECTED, "decided_at"),
    Shipment: (Status.SHIPPED, "shipped_at"),
    SiteReceipt: (Status.AT_SITE, "received_at"),
    Thaw: (Status.THAWED, "thawed_at"),
    Infused: (Status.INFUSED, "infused_at"),
    Diverted: (Status.DIVERTED, "diverted_at"),
}


def step_of(
    number: int,
    details: Details,
    verdicts: tuple[JudgedTest, ...] = (),
    temperature: TemperatureVerdict | None = None,
) -> Step:
    """The step that these details tell of."""
    kind, instant = _TELLS[type(details)]
    if isinstance(details, ManufactureEnd) and details.failed is not None:
        kind = Status.MANUFACTURE_FAILED
    return Step(number, kind, getattr(details, instant), details, verdicts, temperature)


def evolve(state: State, event: ProductEvent) -> State:
    if isinstance(event, LeukapheresisCollected):
        first = event.collection
        return Chain(event.product_id, event.participant_id, event.site_id, first, (step_of(1, first),))
    return _went_on(state, event) if isinstance(state, Chain) else state


def _went_on(was: Chain, event: LaterProductEvent) -> Chain:
    number = was.version + 1
    now = replace(was, version=number)
    match event:
        case ExceptionalReleaseApproved():
            approval = Approval(event.approved_by, event.role, event.reason)
            return replace(now, approvals=(*was.approvals, approval))
        case ProductIdentityVerified():
            return replace(now, verifications=(*was.verifications, event.verification))
        case ProductStepCorrected():
            put_right = step_of(event.step, event.details, event.verdicts, event.temperature)
            steps = tuple(put_right if step.number == event.step else step for step in was.steps)
            return replace(now, steps=steps, approvals=_still(was, event.verdicts))
        case ProductStepRetracted():
            left = tuple(step for step in was.steps if step.number != event.step)
            return replace(now, steps=left, approvals=(), retracted=was.retracted | {event.step})
        case _:
            details = next(part for name in _PARTS if (part := getattr(event, name, None)) is not None)
            verdicts = event.verdicts if isinstance(event, ReleaseTestsRecorded) else ()
            step = step_of(number, details, verdicts, getattr(event, "temperature", None))
            now = replace(now, excepted=event.not_passed) if isinstance(event, ProductReleased) else now
            return replace(now, steps=(*was.steps, step), approvals=_still(was, verdicts))


def _still(was: Chain, tested: tuple[JudgedTest, ...]) -> tuple[Approval, ...]:
    """Approvals rest on the tests that were known."""
    return () if tested else was.approvals
