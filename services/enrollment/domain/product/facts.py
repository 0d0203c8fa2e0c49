"""What decisions about a product may know beside its chain, and what can be wrong with any of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.enrollment_product_terms import ProductFinding, ScanPoint
from shared.kernel.actor import Actor
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import AlreadyExists, Conflict, Forbidden, NotFound, Unacceptable
from shared.protocol import Product, Protocol


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a lot is."""

    product_id: UUID
    participant_id: UUID


@dataclass(frozen=True, slots=True)
class Facts:
    """`owner` is that of the lot that was scanned; None: no product has such a lot. `zone` is the site's."""

    now: datetime
    protocol: Protocol
    by: Actor
    site_id: str
    subject_number: str
    zone: ZoneInfo
    owner: Owner | None = None

    @property
    def product(self) -> Product:
        """Raises: NoProductInProtocol."""
        if self.protocol.product is None:
            raise NoProductInProtocol("nothing is manufactured for one participant in this trial")
        return self.protocol.product


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read off labels. A subject number is the wristband's; None: nobody scanned it."""

    point: ScanPoint
    at: datetime
    lot: str
    bag: str | None = None
    subject_number: str | None = None


class NoProductInProtocol(Unacceptable):
    """The trial's product is not made for one participant."""


class NoSuchProduct(NotFound):
    """There is no product under this id, or none that this caller may know of."""


class ProductAlreadyRecorded(AlreadyExists):
    """Another content is on record under this id."""


class ProductNeverWas(Conflict):
    """The product was retracted."""


class ProductStepWouldNotFollow(Conflict):
    """The step cannot follow where the product stands."""


class ProductStepInFuture(Unacceptable):
    """A step cannot have been taken after the present instant."""


class ProductStepOutOfTime(Conflict):
    """A step cannot lie before the one that it follows, or after the one that follows it."""


class NoSuchProductStep(NotFound):
    """The chain has no step of this number."""


class NotThisProductStep(Conflict):
    """The step is of another kind than what was sent."""


class OneProductStepToCorrect(Unacceptable):
    """A correction puts one step right."""


class ProductStepCannotBeRetracted(Conflict):
    """Something rests on this step."""


class BagInUse(Conflict):
    """A bag that was thawed or infused stays on record."""


class LabelOfAnotherLot(Unacceptable):
    """What was scanned is not on record of this lot."""


class LotTaken(Conflict):
    """A lot's number is one product's alone, in the whole trial."""


class ApheresisIdTaken(Conflict):
    """The number of an apheresis is one participant's alone, in the whole trial."""


class NotWithinSpecification(Conflict):
    """Required tests of the lot were not passed, or not reported."""


class WithinSpecification(Conflict):
    """No exception is needed: every required test was passed."""


class SamePersonApproved(Conflict):
    """Two different people approve an exception."""


class SameOfficeApproved(Conflict):
    """Those who approve an exception hold different offices: the quality unit, and the sponsor."""


class NotYourStep(Forbidden):
    """A step is put right by those who may record it."""


class ProductRefused(Conflict):
    """What was scanned or named is not this participant's to be given now. It is on record as an alert."""

    def __init__(self, message: str, scan: Scan, findings: tuple[ProductFinding, ...]) -> None:
        super().__init__(message)
        self.scan, self.findings = scan, findings


def refuse_future(at: datetime, now: datetime) -> None:
    """Raises: ProductStepInFuture."""
    if at > now + CLOCK_SKEW:
        raise ProductStepInFuture("the step lies in the future; check the date and the offset of its instant")
