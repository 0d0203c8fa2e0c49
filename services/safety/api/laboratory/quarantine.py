"""Rows of laboratories that could not be read: look at them, release them once they can be, or discard them."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.safety.api.laboratory.permissions import LabIntakeDep, MayKeepLaboratories, MayReadLaboratories
from services.safety.api.laboratory.results import POSITION
from services.safety.api.laboratory.views import BatchAnswer, RowAnswer
from services.safety.domain.lab_results.laboratory import NoSuchLaboratory
from services.safety.domain.lab_results.laboratory_commands import DiscardRow
from services.safety.domain.lab_results.rows import SentRow
from services.safety.laboratory.quarantine import (
    NoSuchQuarantinedRow,
    Quarantined,
    RowAlreadySettled,
    RowConflicts,
    RowState,
    RowStillUnreadable,
)
from shared.contracts.safety_laboratory import LaboratoryId, QuarantineProblem
from shared.contracts.terms import Instant, SiteId
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, paging, problems
from shared.http.answers import Recorded
from shared.http.identities import Mint
from shared.http.paging import Cursor, Limit, Page, UnreadableCursor
from shared.http.service_app import router as make_router
from shared.kernel.decider import Command
from shared.kernel.errors import StaleVersion

router: APIRouter = make_router("/v1/lab-results/quarantine", "Laboratory results")

QuarantineId = Annotated[UUID, Path(description="The row's id in quarantine")]
_RELEASED: dict[int | str, dict[str, Any]] = {200: {"headers": POSITION}}


class QuarantinedRow(BaseModel):
    """A row as it was sent, why it could not be read, and what became of it."""

    quarantine_id: UUID
    laboratory_id: LaboratoryId
    site_id: SiteId
    row: SentRow
    problem: QuarantineProblem
    says: str = Field(description="What to add, or to send instead")
    received_at: Instant
    received_by: str
    state: RowState
    settled_at: Instant | None
    settled_by: str | None
    reason: str | None

    @classmethod
    def of(cls, kept: Quarantined) -> Self:
        return cls(**{name: getattr(kept, name) for name in cls.model_fields})


class ReleaseRow(Command):
    """Read the row again, now that a mapping was added or the participant has arrived."""


class ReleaseRows(Command):
    """Read every row of a laboratory that waits again, up to 1,000 at once."""

    laboratory_id: LaboratoryId


@router.get("", responses=problems.of(UnreadableCursor))
async def list_quarantined_rows(
    intake: LabIntakeDep,
    actor: MayReadLaboratories,
    request: Request,
    response: Response,
    *,
    laboratory_id: Annotated[LaboratoryId | None, Query()] = None,
    site: Annotated[SiteId | None, Query(description="Only this site's laboratories")] = None,
    state: RowState | None = RowState.WAITING,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[QuarantinedRow]:
    """The rows that wait, oldest first; or those of another state."""
    after = paging.decode(cursor, (str, str))
    place = None if after is None else (paging.instant(str(after[0])), _id(str(after[1])))
    found = await intake.quarantined(by=actor, laboratory_id=laboratory_id, site=site, state=state, after=place,
                                     limit=limit + 1)  # fmt: skip
    more = None
    if len(found) > limit:
        last = found[limit - 1]
        more = (last.received_at.isoformat(), str(last.quarantine_id))
    return paging.page(request, response, [QuarantinedRow.of(each) for each in found[:limit]], limit, more)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise UnreadableCursor(paging.AS_GIVEN) from error


@router.post("/release", responses={**problems.of(NoSuchLaboratory, StaleVersion), **_RELEASED})
async def release_quarantined_rows(
    command: ReleaseRows, intake: LabIntakeDep, actor: MayKeepLaboratories, mint: Mint, response: Response
) -> BatchAnswer:
    """Record every waiting row of a laboratory that can be read now, oldest first; the others stay."""
    taken = await intake.release_all(command.laboratory_id, command, by=actor, command_id=mint(None))
    if taken.receipt is not None:
        response.headers["Trial-Position"] = taken.receipt.position
    return BatchAnswer.of(taken.answers, intake.policy, dry_run=False)


@router.post(
    "/{quarantine_id}/release",
    responses={
        **problems.of(NoSuchQuarantinedRow, RowStillUnreadable, RowConflicts, RowAlreadySettled, StaleVersion),
        **_RELEASED,
    },
)
async def release_quarantined_row(
    quarantine_id: QuarantineId,
    command: ReleaseRow,
    intake: LabIntakeDep,
    actor: MayKeepLaboratories,
    mint: Mint,
    response: Response,
) -> RowAnswer:
    """Record a row that can be read now."""
    answer, receipt = await intake.release(quarantine_id, command, by=actor, command_id=mint(None))
    if receipt is not None:
        response.headers["Trial-Position"] = receipt.position
    return RowAnswer.of(0, answer, intake.policy)


@router.post(
    "/{quarantine_id}/discard",
    responses={**problems.of(NoSuchQuarantinedRow, RowAlreadySettled, OtherContentOnRecord), **answers.CHANGED},
)
async def discard_quarantined_row(
    quarantine_id: QuarantineId,
    command: DiscardRow,
    intake: LabIntakeDep,
    actor: MayKeepLaboratories,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Decide that a row will not be read, with the reason. It stays readable here."""
    receipt = await intake.discard(quarantine_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, quarantine_id)
