"""The reference safety information: which reactions the sponsor expects, version by version."""

from typing import Annotated

from fastapi import Path, Request, Response

from services.safety.api.cases.permissions import ExpectationsDep, MayActAsSponsor
from services.safety.api.cases.views import ReferenceSafetyInformation
from services.safety.api.permissions import MayRead
from services.safety.domain.cases.reference_safety_information import (
    ListedTwice,
    NoSuchReferenceSafetyInformation,
    RecordReferenceSafetyInformation,
    ReferenceSafetyInformationOnRecord,
    TwoVersionsOfOneDay,
    WithdrawReferenceSafetyInformation,
)
from services.safety.domain.ctcae import SpecificationMissing, SpecificationNotAsked, UnknownTerm
from shared.contracts.terms import Code
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router = make_router("/v1/reference-safety-information", "Reference safety information")

RsiVersion = Annotated[Code, Path(description="The version's name", examples=["IB-2.0"])]

_TERMS = (UnknownTerm, SpecificationMissing, SpecificationNotAsked, ListedTwice)


@router.post(
    "",
    status_code=201,
    responses={
        **problems.of(ReferenceSafetyInformationOnRecord, TwoVersionsOfOneDay, OtherContentOnRecord, *_TERMS),
        **answers.CREATED,
    },
)
async def record_reference_safety_information(
    command: RecordReferenceSafetyInformation,
    expectations: ExpectationsDep,
    actor: MayActAsSponsor,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Put a version on record. Every case is judged again by the version that was in force at its onset."""
    receipt = await expectations.record(command, by=actor, command_id=mint(None))
    path = f"/v1/reference-safety-information/{command.rsi_version}"
    return answers.created(request, response, receipt, command.rsi_version, path)


@router.post(
    "/{rsi_version}/withdraw",
    responses={**problems.of(NoSuchReferenceSafetyInformation, OtherContentOnRecord), **answers.CHANGED},
)
async def withdraw_reference_safety_information(
    rsi_version: RsiVersion,
    command: WithdrawReferenceSafetyInformation,
    expectations: ExpectationsDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Take back a version that was entered wrongly. It counts nowhere from now on, and stays readable."""
    receipt = await expectations.withdraw(rsi_version, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, rsi_version)


@router.get("", responses=problems.of())
async def list_reference_safety_information(
    _: MayRead, expectations: ExpectationsDep
) -> list[ReferenceSafetyInformation]:
    """Every version, in the order in which they were recorded."""
    listings = await expectations.listings()
    return [ReferenceSafetyInformation.of(version, listings) for version in listings.recorded]


@router.get("/history", responses=problems.of())
async def get_reference_safety_information_history(_: MayRead, expectations: ExpectationsDep) -> list[HistoryEntry]:
    """Who recorded or withdrew which version, when, and why. Empty: nothing yet."""
    life = await expectations.history()
    return answers.history(life, missing=NoSuchReferenceSafetyInformation()) if life else []


@router.get("/{rsi_version}", responses=problems.of(NoSuchReferenceSafetyInformation))
async def get_reference_safety_information(
    _: MayRead, rsi_version: RsiVersion, expectations: ExpectationsDep
) -> ReferenceSafetyInformation:
    """One version."""
    listings = await expectations.listings()
    return ReferenceSafetyInformation.of(listings.named(rsi_version), listings)
