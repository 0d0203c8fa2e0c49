"""Assessments from files: a sheet per visit, and DICOM structured reports of measurements."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.efficacy.api.assessments import ASSESSMENT_RULES
from services.efficacy.api.permissions import EfficacyDep, MayRead, MayRecord, ParticipantPath
from services.efficacy.domain.assessments import AssessmentAlreadyRecorded, BaselineOnRecord, RecordAssessment
from services.efficacy.intake import structured_report, visit_sheet
from services.efficacy.intake.structured_report import LesionsNotMatched, NoMeasurementReport, ReportOfAnother
from services.efficacy.intake.visit_sheet import Row, RowOutcome, RowsRefused, SheetUnreadable
from shared.contracts.efficacy_terms import LesionRole, Modality, NonTargetStatus
from shared.contracts.terms import PartialDate, ShortText
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, problems
from shared.http.identities import Mint
from shared.http.service_app import router as make_router
from shared.kernel.actor import Actor
from shared.kernel.errors import NoSuchParticipant, TrialError

router: APIRouter = make_router("/v1/participants/{participant_id}/assessment-files", "Assessments")


@dataclass(frozen=True, slots=True)
class About:
    """What a file does not tell of the visit that it is about."""

    non_target: NonTargetStatus
    visit: str | None
    baseline: bool
    dry_run: bool


async def _about(
    non_target: Annotated[
        NonTargetStatus, Query(description="All non-target lesions together; `none`: there are none")
    ],
    visit: Annotated[
        ShortText | None, Query(description="The visit it was planned for, if any", examples=["D30"])
    ] = None,
    baseline: Annotated[bool, Query(description="The assessment that every later one is compared with")] = False,
    dry_run: Annotated[bool, Query(description="Read the file and say what it holds; record nothing")] = False,
) -> About:
    return About(non_target, visit, baseline, dry_run)


AboutDep = Annotated[About, Depends(_about)]

_RECORDING: tuple[type[TrialError], ...] = (
    NoSuchParticipant,
    AssessmentAlreadyRecorded,
    BaselineOnRecord,
    OtherContentOnRecord,
    *ASSESSMENT_RULES,
)


class FileRow(BaseModel):
    """One row or measurement group that was read: its number in the file, the lesion, and what it became."""

    number: int
    lesion: str
    outcome: RowOutcome

    @classmethod
    def of(cls, row: Row) -> "FileRow":
        return cls(number=row.number, lesion=row.lesion, outcome=row.outcome)


class RecordedFile(BaseModel):
    """The assessment that a file became, row by row. `id` is null in a dry run: nothing was recorded."""

    id: UUID | None
    version: int | None
    rows: Sequence[FileRow]
    assessed_on: PartialDate = Field(description="As given, or as the report says")
    modality: Modality


def _body(media_type: str) -> Mapping[str, Any]:
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


Record = Callable[[RecordAssessment, Sequence[Row], Actor, About], Awaitable[RecordedFile]]


async def _recorder(participant_id: ParticipantPath, efficacy: EfficacyDep, mint: Mint, response: Response) -> Record:
    async def record(command: RecordAssessment, rows: Sequence[Row], actor: Actor, about: About) -> RecordedFile:
        said = RecordedFile(
            id=None,
            version=None,
            rows=[FileRow.of(row) for row in rows],
            assessed_on=command.assessed_on,
            modality=command.modality,
        )
        if about.dry_run:
            return said
        command = command.about(mint(uuid5(participant_id, f"assessment file {command.fingerprint()}")))
        receipt = await efficacy.add(participant_id, command, by=actor)
        answers.changed(response, receipt, command.which)
        return said.model_copy(update={"id": command.which, "version": receipt.version})

    return record


RecordDep = Annotated[Record, Depends(_recorder)]


@router.get(
    "/template",
    response_class=Response,
    responses={
        **problems.of(NoSuchParticipant),
        200: {"description": "A sheet to fill in", "content": {"text/csv": {"schema": {"type": "string"}}}},
    },
)
async def get_assessment_template(participant_id: ParticipantPath, efficacy: EfficacyDep, actor: MayRead) -> Response:
    """A sheet to fill in for one visit: a row for each target lesion on record, and the columns that there are."""
    _, burden, _ = await efficacy.tumour_burden(participant_id, by=actor)
    return Response(visit_sheet.template(burden.of_role(LesionRole.TARGET)), media_type="text/csv")


@router.post(
    "/sheet",
    openapi_extra=dict(_body("text/csv")),
    responses=problems.of(SheetUnreadable, RowsRefused, *_RECORDING),
)
async def record_assessment_from_sheet(
    participant_id: ParticipantPath,
    assessed_on: Annotated[PartialDate, Query()],
    modality: Annotated[Modality, Query(description="How the lesions were seen")],
    about: AboutDep,
    efficacy: EfficacyDep,
    actor: MayRecord,
    request: Request,
    record: RecordDep,
) -> RecordedFile:
    """Record one visit from a filled-in sheet. Row by row what it became; where a row is wrong nothing is recorded.

    The same sheet again, for the same visit, changes nothing.
    """
    _, burden, _ = await efficacy.tumour_burden(participant_id, by=actor)
    sheet = visit_sheet.read(await request.body(), burden.of_role(LesionRole.TARGET))
    command = RecordAssessment(
        assessed_on=assessed_on,
        visit=about.visit,
        modality=modality,
        targets=sheet.targets,
        non_target=about.non_target,
        new_lesions=sheet.new_lesions,
        baseline=about.baseline,
    )
    return await record(command, sheet.rows, actor, about)


@router.post(
    "/dicom-sr",
    openapi_extra=dict(_body("application/dicom")),
    responses=problems.of(NoMeasurementReport, LesionsNotMatched, ReportOfAnother, *_RECORDING),
)
async def record_assessment_from_structured_report(
    participant_id: ParticipantPath,
    about: AboutDep,
    efficacy: EfficacyDep,
    actor: MayRecord,
    request: Request,
    record: RecordDep,
) -> RecordedFile:
    """Record one assessment from a DICOM structured report (TID 1500), lesions by their tracking identifiers.

    Long and short axis of each measurement group are taken; a target that the report leaves out was not assessed. The
    report tells no new lesion and no non-target disease: say the latter here, record the former as an assessment. One
    that bears the subject number of another participant, as Clinical Trial Subject ID or as Patient ID, is refused.
    """
    _, burden, _ = await efficacy.tumour_burden(participant_id, by=actor)
    report = await to_thread(structured_report.read, await request.body(), burden.of_role(LesionRole.TARGET))
    if await efficacy.is_anothers(report.subject_numbers, participant_id):
        raise ReportOfAnother("the report bears another participant's subject number; send it for that participant")
    command = RecordAssessment(
        assessed_on=report.assessed_on,
        visit=about.visit,
        modality=report.modality,
        targets=report.targets,
        non_target=about.non_target,
        baseline=about.baseline,
    )
    return await record(command, report.rows, actor, about)
