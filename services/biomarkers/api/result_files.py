"""Results from files: a table row by row, and what instruments wrote (FCS, Luminex xPONENT)."""

from asyncio import to_thread
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.biomarkers.api.intake_permissions import FeedsDep, MaySend
from services.biomarkers.api.permissions import MayRead
from services.biomarkers.api.quarantined_messages import ObservationAnswer
from services.biomarkers.domain.result_source import NoSuchResultSource
from services.biomarkers.intake import fcs_file, luminex_file, result_table
from services.biomarkers.intake.fcs_file import NotFcs
from services.biomarkers.intake.luminex_file import NotXponent
from services.biomarkers.intake.messages import MessageFormat
from services.biomarkers.intake.result_table import TableUnreadable
from shared.contracts.biomarkers_intake import SourceId
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.kernel.errors import StaleVersion

router: APIRouter = make_router("/v1/result-files", "Result files")

_FROM = ConfigDict(from_attributes=True)


def _body(media_type: str) -> dict[str, Any]:
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


class TableAnswer(BaseModel):
    """What became of a table, row by row. The first row after the columns is line 2."""

    dry_run: bool
    quarantined: UUID | None = Field(description="The message under which unreadable rows wait, if a source was named")
    rows: tuple[ObservationAnswer, ...]


class FcsChannel(BaseModel):
    """One parameter of the cytometer."""

    model_config = _FROM

    number: int
    name: str
    stain: str | None
    range: str | None


class FcsAnswer(BaseModel):
    """What a list-mode file says of its acquisition. Nothing of it was stored."""

    model_config = _FROM

    version: str
    events: int
    channels: tuple[FcsChannel, ...]
    cytometer: str | None
    acquired_on: str | None
    acquired_from: str | None
    acquired_to: str | None
    has_compensation: bool


class WellAnswer(BaseModel):
    """One number of one well. Null: the file holds no number there."""

    model_config = _FROM

    statistic: str
    location: str
    analyte: str
    value: str | None


class XponentAnswer(BaseModel):
    """What an export of xPONENT holds. Nothing of it was stored: fluorescence is no concentration."""

    model_config = _FROM

    program: str
    batch: str | None
    run_on: str | None
    samples: int
    analytes: tuple[str, ...]
    concentrations: bool
    wells: tuple[WellAnswer, ...]


@router.get(
    "/template",
    response_class=Response,
    responses={
        **problems.of(),
        200: {"description": "A table to fill in", "content": {"text/csv": {"schema": {"type": "string"}}}},
    },
)
async def get_result_template(_actor: MayRead) -> Response:
    """The columns of a table of cytokines and flow results, with example rows."""
    return Response(result_table.template(), media_type="text/csv")


@router.post(
    "/table",
    openapi_extra=_body("text/csv"),
    responses=problems.of(TableUnreadable, NoSuchResultSource, StaleVersion),
)
async def record_results_from_table(
    feeds: FeedsDep,
    actor: MaySend,
    request: Request,
    source: Annotated[SourceId | None, Query(description="Its codes and zone are used; unreadable rows wait")] = None,
    dry_run: Annotated[bool, Query(description="Say what would become of each row; record nothing")] = False,
) -> TableAnswer:
    """Record every row that can be read, and say of each what became of it. The same table again changes nothing."""
    sent = result_table.read(await request.body())
    fates, kept = await feeds.take(sent, source, MessageFormat.FILE, by=actor, dry_run=dry_run)
    return TableAnswer(dry_run=dry_run, quarantined=kept, rows=tuple(map(ObservationAnswer.of, fates)))


@router.post("/fcs", openapi_extra=_body("application/vnd.isac.fcs"), responses=problems.of(NotFcs))
async def read_fcs_file(_actor: MaySend, request: Request) -> FcsAnswer:
    """Read a cytometer's list-mode file: acquisition, channels, events. A truncated or foreign file is refused."""
    return FcsAnswer.model_validate(await to_thread(fcs_file.read, await request.body()))


@router.post("/luminex", openapi_extra=_body("text/csv"), responses=problems.of(NotXponent))
async def read_luminex_file(_actor: MaySend, request: Request) -> XponentAnswer:
    """Read an export of Luminex xPONENT: the run, its analytes, every well. A truncated or foreign file is refused."""
    return XponentAnswer.model_validate(await to_thread(luminex_file.read, await request.body()))
