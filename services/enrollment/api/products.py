"""Products: the chain of each from the leukapheresis to the infusion, and scans along it."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from services.enrollment.api import product_views
from services.enrollment.api.permissions import EnrollmentDep, MayEnterData
from services.enrollment.api.product_views import ProductView
from services.enrollment.domain.facts import NoSuchParticipant
from services.enrollment.domain.product.alert import AcknowledgeProductAlert, NoSuchProductAlert, ProductAlertInHand
from services.enrollment.domain.product.commands import (
    ApproveExceptionalRelease,
    CollectLeukapheresis,
    CorrectProductStep,
    EndManufacture,
    LaterCommand,
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
from services.enrollment.domain.product.infusing import MoreThanTheBagHeld
from services.enrollment.domain.product.roles import APPROVERS, MAKERS, RELEASERS, SHIPPERS, TESTERS
from services.enrollment.products import Products
from shared.auth.permissions import ReadsProducts, allow
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.etags import VERSION_PROBLEMS, IfMatch
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor, Role
from shared.kernel.errors import TrialError

router: APIRouter = make_router("/v1/products", "products")
alerts: APIRouter = make_router("/v1/product-alerts", "products")

ProductId = Annotated[UUID, Path(description="The product's id")]

MayMake = Annotated[Actor, Depends(allow(*MAKERS))]
MayTest = Annotated[Actor, Depends(allow(*TESTERS))]
MayRelease = Annotated[Actor, Depends(allow(*RELEASERS))]
MayApprove = Annotated[Actor, Depends(allow(*APPROVERS))]
MayShip = Annotated[Actor, Depends(allow(*SHIPPERS))]
MayAmend = Annotated[Actor, Depends(allow(*SHIPPERS, *TESTERS))]
MayTakeInHand = Annotated[
    Actor, Depends(allow(Role.COORDINATOR, Role.INVESTIGATOR, Role.QUALITY, Role.SAFETY_OFFICER, Role.SPONSOR))
]

_ANY: tuple[type[TrialError], ...] = (NoSuchProduct, ProductNeverWas, ProductStepInFuture, *VERSION_PROBLEMS)
_STEP = {**problems.of(*_ANY, ProductStepWouldNotFollow, ProductStepOutOfTime), **answers.CHANGED}


def _step(*errors: type[TrialError]) -> dict[int | str, dict[str, object]]:
    of_any = (*_ANY, ProductStepWouldNotFollow, ProductStepOutOfTime)
    return {**problems.of(*of_any, *errors), **answers.CHANGED}


async def _products(request: Request) -> Products:
    products: Products = request.app.state.products
    return products


ProductsDep = Annotated[Products, Depends(_products)]


@dataclass(frozen=True, slots=True)
class Changes:
    """The part that every change has in common: the version its sender has seen, and the id of the command."""

    products: Products
    expected: int
    command_id: UUID
    response: Response

    async def take(self, product_id: UUID, command: LaterCommand, by: Actor) -> Recorded:
        receipt = await self.products.go_on(
            product_id, command, by=by, expected=self.expected, command_id=self.command_id
        )
        return answers.changed(self.response, receipt, product_id)


async def _changes(products: ProductsDep, expected: IfMatch, mint: Mint, response: Response) -> Changes:
    return Changes(products, expected, mint(None), response)


ChangesDep = Annotated[Changes, Depends(_changes)]


@router.post(
    "",
    status_code=201,
    summary="Record a leukapheresis",
    responses={
        **problems.of(
            *(NoSuchParticipant, ProductAlreadyRecorded, OtherContentOnRecord, ApheresisIdTaken),
            *(NoProductInProtocol, ProductStepInFuture),
        ),
        **answers.CREATED,
    },
)
async def collect_leukapheresis(
    command: CollectLeukapheresis,
    products: ProductsDep,
    actor: MayEnterData,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record that cells were collected from a participant. The chain of the product made of them begins.

    The number of the apheresis is this participant's alone from then on; several products may be made of it.
    """
    product_id = mint(command.product_id)
    command = command.model_copy(update={"product_id": product_id})
    receipt = await products.begin(product_id, command, by=actor)
    return answers.created(request, response, receipt, product_id, f"/v1/products/{product_id}")


@router.post("/{product_id}/receive-at-manufacturer", summary="The cells came to the manufacturer", responses=_STEP)
async def receive_at_manufacturer(
    product_id: ProductId, command: ReceiveAtManufacturer, actor: MayMake, changes: ChangesDep
) -> Recorded:
    """The collected cells came to the manufacturer; what the logger saw is held against the protocol's limits."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/start-manufacture", summary="Begin a lot", responses=_step(LotTaken))
async def start_manufacture(
    product_id: ProductId, command: StartManufacture, actor: MayMake, changes: ChangesDep
) -> Recorded:
    """A lot was begun. Its number is this participant's alone from then on, in the whole trial."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/end-manufacture", summary="Harvest and freeze, or say why not", responses=_STEP)
async def end_manufacture(
    product_id: ProductId, command: EndManufacture, actor: MayMake, changes: ChangesDep
) -> Recorded:
    """Cells were harvested and frozen in bags; or the manufacture failed, and why."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/record-release-tests", summary="Record release tests", responses=_STEP)
async def record_release_tests(
    product_id: ProductId, command: RecordReleaseTests, actor: MayTest, changes: ChangesDep
) -> Recorded:
    """Tests of the lot, each held against the protocol's limit. Late ones are recorded after the release, too."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/release", summary="Release a lot", responses=_step(NotWithinSpecification))
async def release_product(
    product_id: ProductId, command: ReleaseProduct, actor: MayRelease, changes: ChangesDep
) -> Recorded:
    """The quality unit releases a lot that has passed every required test."""
    return await changes.take(product_id, command, actor)


@router.post(
    "/{product_id}/approve-exceptional-release",
    summary="Approve a release despite the specification",
    responses=_step(WithinSpecification, SamePersonApproved, SameOfficeApproved),
)
async def approve_exceptional_release(
    product_id: ProductId, command: ApproveExceptionalRelease, actor: MayApprove, changes: ChangesDep
) -> Recorded:
    """Two people approve, one of the quality unit and one of the sponsor or its medical monitor: the second releases.

    Tests that are reported in between void what was approved.
    """
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/reject", summary="Reject a lot", responses=_STEP)
async def reject_product(
    product_id: ProductId, command: RejectProduct, actor: MayRelease, changes: ChangesDep
) -> Recorded:
    """The lot is not given, whether it was released or not."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/ship", summary="Ship a lot", responses=_STEP)
async def ship_product(product_id: ProductId, command: ShipProduct, actor: MayShip, changes: ChangesDep) -> Recorded:
    """The released lot left for a site."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/receive-at-site", summary="Receive a lot at the site", responses=_step(ProductRefused))
async def receive_at_site(
    product_id: ProductId, command: ReceiveAtSite, actor: MayEnterData, changes: ChangesDep
) -> Recorded:
    """The lot came: scanned, and its logger read. A scan of another lot is refused, and an alert is on record."""
    return await changes.take(product_id, command, actor)


@router.post("/{product_id}/thaw", summary="Thaw a bag", responses=_step(ProductRefused))
async def thaw_bag(product_id: ProductId, command: ThawBag, actor: MayShip, changes: ChangesDep) -> Recorded:
    """A bag was thawed: lot and bag are scanned. A scan of another one is refused, and an alert is on record."""
    return await changes.take(product_id, command, actor)


@router.post(
    "/{product_id}/verify-identity",
    summary="Scan lot, bag and wristband",
    responses={**problems.of(NoSuchProduct, ProductNeverWas, ProductStepInFuture, ProductRefused), **answers.CHANGED},
)
async def verify_identity(
    product_id: ProductId,
    command: VerifyIdentity,
    actor: MayShip,
    products: ProductsDep,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Is the scanned lot this participant's, released, not expired, and the wristband that of its participant?

    If not, 409 says what is wrong, never whose it is, and an alert is on record. Needs no `If-Match`: it is a scan.
    """
    receipt = await products.go_on(product_id, command, by=actor, expected=None, command_id=mint(command.scan_id))
    return answers.changed(response, receipt, product_id)


@router.post(
    "/{product_id}/correct",
    summary="Put a step right",
    responses={
        **problems.of(
            *(*_ANY, OneProductStepToCorrect, NoSuchProductStep, NotThisProductStep, ProductStepOutOfTime),
            *(BagInUse, LabelOfAnotherLot, LotTaken, ApheresisIdTaken, MoreThanTheBagHeld, NotYourStep),
        ),
        **answers.CHANGED,
    },
)
async def correct_product_step(
    product_id: ProductId, command: CorrectProductStep, actor: MayAmend, changes: ChangesDep
) -> Recorded:
    """Put right what was recorded of one step, whole, by those who may record it. What stood before stays."""
    return await changes.take(product_id, command, actor)


@router.post(
    "/{product_id}/retract",
    summary="Take back the last step",
    responses={
        **problems.of(*_ANY, NoSuchProductStep, ProductStepCannotBeRetracted, NotYourStep),
        **answers.CHANGED,
    },
)
async def retract_product_step(
    product_id: ProductId, command: RetractProductStep, actor: MayAmend, changes: ChangesDep
) -> Recorded:
    """Take back the last step, which never took place; without its first there never was the product."""
    return await changes.take(product_id, command, actor)


@router.get(
    "/{product_id}",
    summary="One product, with its chain",
    responses={**problems.of(NoSuchProduct), **answers.VERSIONED},
)
async def get_product(
    product_id: ProductId,
    products: ProductsDep,
    enrollment: EnrollmentDep,
    actor: ReadsProducts,
    response: Response,
) -> ProductView:
    """Where the product stands, and its chain: every step that stands, when, by whom, and what was put right."""
    chain, history = await products.product(product_id, by=actor)
    response.headers["ETag"] = etags.of(len(history))
    return product_views.product(chain, history, enrollment.protocol)


@router.get("/{product_id}/history", summary="Who recorded what of a product", responses=problems.of(NoSuchProduct))
async def get_product_history(product_id: ProductId, products: ProductsDep, actor: ReadsProducts) -> list[HistoryEntry]:
    """Every event of a product, oldest first: who recorded it, when and why."""
    _, history = await products.product(product_id, by=actor)
    return answers.history(history, missing=NoSuchProduct("no product has this id"))


@alerts.post(
    "/{product_alert_id}/acknowledge",
    summary="Take an alert about a product in hand",
    responses={**problems.of(NoSuchProductAlert, ProductAlertInHand, OtherContentOnRecord), **answers.CHANGED},
)
async def acknowledge_product_alert(
    product_alert_id: Annotated[UUID, Path(description="The alert's id: that of the refused command")],
    command: AcknowledgeProductAlert,
    products: ProductsDep,
    actor: MayTakeInHand,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Say that somebody has it in hand, and what was done."""
    receipt = await products.acknowledge(product_alert_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, product_alert_id)
