"""Results from files: a table row by row, and runs of Luminex and of other multiplex and plate instruments."""

from asyncio import to_thread
from enum import Enum
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.biomarkers.api.intake_permissions import FeedsDep, FilesDep, MaySend
from services.biomarkers.api.permissions import MayRead
from services.biomarkers.api.quarantined_messages import ObservationAnswer, path_of
from services.biomarkers.api.sent_files import DryRun, Source, about_in, file_body
from services.biomarkers.domain.result_source import NoSuchResultSource
from services.biomarkers.intake import allotrope_model, luminex_file, result_table
from services.biomarkers.intake.apart import (
    FilesAreBeingRead,
    FileTakesTooMuch,
    FileUnreadable,
    InstrumentsNotInstalled,
)
from services.biomarkers.intake.file_intake import FileIntake
from services.biomarkers.intake.luminex_file import NotXponent
from services.biomarkers.intake.messages import MessageFormat
from services.biomarkers.intake.result_table import TableUnreadable
from services.biomarkers.intake.runs import AboutRun, Line, Run, TooManyWells, lines
from services.biomarkers.intake.taking import Fate
from shared.http import problems
from shared.http.service_app import router as make_router
from shared.http.uploads import FileTooLarge, FormUnreadable, received
from shared.kernel.actor import Actor
from shared.kernel.errors import StaleVersion, TrialError

router: APIRouter = make_router("/v1/result-files", "Result files")

_FROM = ConfigDict(from_attributes=True)
_RUN: tuple[type[TrialError], ...] = (
    FormUnreadable,
    FileTooLarge,
    TooManyWells,
    NoSuchResultSource,
    StaleVersion,
)


class TableAnswer(BaseModel):
    """What became of a table, row by row. The first row after the columns is line 2."""

    dry_run: bool
    quarantined: UUID | None = Field(description="The message under which unreadable rows wait, if a source was named")
    rows: tuple[ObservationAnswer, ...]


class WellAnswer(BaseModel):
    """One number of one well. Null: the file holds no number there."""

    model_config = _FROM

    statistic: str
    location: str
    analyte: str
    value: str | None


class LineAnswer(ObservationAnswer):
    """What became of one analyte of one sample. Wells of one sample are its replicates."""

    wells: tuple[str, ...]
    bead_counts: tuple[int | None, ...]
    few_beads: bool = Field(description="A well has fewer beads than the run asked for")

    @classmethod
    def of_line(cls, line: Line, fate: Fate) -> Self:
        told = {
            "place": fate.sent.place,
            "outcome": fate.outcome,
            "result": path_of(fate),
            "problem": fate.problem,
            "says": fate.says or line.note,
        }
        wells = tuple(each.location for each in line.wells)
        return cls(**told, wells=wells, bead_counts=tuple(each.beads for each in line.wells), few_beads=line.few_beads)


class RunAnswer(BaseModel):
    """What became of a run: a row for each analyte of each sample, in the order of the file."""

    dry_run: bool
    quarantined: UUID | None = Field(description="The message under which unreadable rows wait, if a source was named")
    concentrations: bool = Field(description="false: signals and counts alone, of which nothing is recorded")
    rows: tuple[LineAnswer, ...]


class XponentAnswer(RunAnswer):
    """What an export of xPONENT holds, and what became of it. Fluorescence is no concentration."""

    program: str
    batch: str | None
    run_on: str | None
    samples: int
    analytes: tuple[str, ...]
    wells: tuple[WellAnswer, ...]


Vendor = Enum("Vendor", {name: name for name in allotrope_model.VENDORS}, type=str)  # type: ignore[misc]


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
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
    responses=problems.of(TableUnreadable, FileTooLarge, NoSuchResultSource, StaleVersion),
)
async def record_results_from_table(
    feeds: FeedsDep, files: FilesDep, actor: MaySend, request: Request, source: Source = None, dry_run: DryRun = False
) -> TableAnswer:
    """Record every row that can be read, and say of each what became of it. The same table again changes nothing."""
    async with received(request, files.limits.table_mib) as upload:
        sent = await to_thread(result_table.read, await upload.content())
    fates, kept = await feeds.take(sent, source, MessageFormat.FILE, by=actor, dry_run=dry_run)
    return TableAnswer(dry_run=dry_run, quarantined=kept, rows=tuple(map(ObservationAnswer.of, fates)))


@router.post("/luminex", openapi_extra=file_body("text/csv", AboutRun), responses=problems.of(NotXponent, *_RUN))
async def record_luminex_file(
    files: FilesDep, actor: MaySend, request: Request, source: Source = None, dry_run: DryRun = False
) -> XponentAnswer:
    """Record the concentrations of an export of Luminex xPONENT. The same file again changes nothing.

    A sample is known by its name where that is a specimen's id or the number on its tube, or by `about`.
    """
    async with received(request, files.limits.table_mib, ["about"]) as upload:
        about = about_in(upload, AboutRun)
        found = await to_thread(luminex_file.read, await upload.content())
    run = await _taken(files, found.run, about, source, actor, dry_run=dry_run)
    of_file = {name: getattr(found, name) for name in ("program", "batch", "run_on", "samples", "analytes")}
    wells = tuple(WellAnswer.model_validate(each) for each in found.wells)
    return XponentAnswer(**run, **of_file, wells=wells)


@router.post(
    "/instrument",
    openapi_extra=file_body("application/octet-stream", AboutRun),
    responses=problems.of(
        FileUnreadable, FileTakesTooMuch, NotXponent, InstrumentsNotInstalled, FilesAreBeingRead, *_RUN
    ),
)
async def record_instrument_file(
    files: FilesDep,
    actor: MaySend,
    request: Request,
    vendor: Annotated[Vendor, Query(description="Whose software wrote the file, by allotropy's name for it")],
    source: Source = None,
    dry_run: DryRun = False,
) -> RunAnswer:
    """Record the concentrations of another multiplex or plate instrument's file, such as MSD Workbench's.

    Read through allotropy, which is of the extra `instruments`. Where the file holds signals alone, each row says so.
    """
    async with received(request, files.limits.table_mib, ["about"]) as upload:
        about = about_in(upload, AboutRun)
        run = await files.run(upload.path, str(vendor.value))
    return RunAnswer(**await _taken(files, run, about, source, actor, dry_run=dry_run))


async def _taken(
    files: FileIntake, run: Run, about: AboutRun, source: str | None, actor: Actor, *, dry_run: bool
) -> dict[str, Any]:
    found = lines(run, about)
    fates, kept = await files.take(found, source, by=actor, dry_run=dry_run)
    rows = tuple(LineAnswer.of_line(line, fate) for line, fate in zip(found, fates, strict=True))
    return {"dry_run": dry_run, "quarantined": kept, "concentrations": run.has_results, "rows": rows}
