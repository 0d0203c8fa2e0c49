"""The case of a serious adverse event: the sponsor's assessment, the clocks, the reports and what changed in them.

These commands need no `If-Match`: clocks may step at any moment, and that changes nothing about an assessment or a
report. The same one sent twice, under one `Idempotency-Key` or `report_id`, is recorded once.
"""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from services.safety.api.adverse_events import AdverseEventId
from services.safety.api.cases.permissions import CasesDep, MayActAsSponsor, MaySendReports
from services.safety.api.cases.views import Case, CaseReport, ReportSummary
from services.safety.api.permissions import MayRead
from services.safety.cases.application import NotAnEarlierReport, NotYoursToReport
from services.safety.domain.adverse_event import AdverseEventAlreadyRetracted, NoSuchAdverseEvent
from services.safety.domain.cases.case import (
    AcknowledgementOfAnotherReport,
    AssessAsSponsor,
    CaseDatesContradict,
    CaseNullified,
    NeverSerious,
    NoInitialReport,
    NoSuchReport,
    NotTheFirst,
    OnlyNullification,
    ReasonMissing,
    SubmitReport,
)
from services.safety.domain.cases.paper_acknowledgement import RecordPaperAcknowledgement, paper_acknowledgement
from services.safety.domain.cases.report_changes import FieldChange
from services.safety.domain.causality import AgentNamedTwice, UnknownAgent
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, etags, problems
from shared.http.answers import HistoryEntry, Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router = make_router("/v1/adverse-events/{adverse_event_id}", "Cases")

ReportNumber = Annotated[int, Path(ge=1, le=9999, description="The report's number within its case")]
Since = Annotated[
    int | None,
    Query(ge=1, le=9999, description="Number of the report to compare with; without: the recipient's report before"),
]


def _answers(*errors: Any) -> dict[int | str, dict[str, Any]]:
    return problems.of(NoSuchAdverseEvent, *errors)


_ASSESSING = (AdverseEventAlreadyRetracted, ReasonMissing, CaseDatesContradict, UnknownAgent, AgentNamedTwice)
_SENDING = (NeverSerious, CaseNullified, NotTheFirst, NoInitialReport, OnlyNullification)
_CONTENT = (NotYoursToReport, ReasonMissing, CaseDatesContradict, OtherContentOnRecord)


@router.post("/sponsor-assessment", responses={**_answers(*_ASSESSING, OtherContentOnRecord), **answers.CHANGED})
async def assess_as_sponsor(
    adverse_event_id: AdverseEventId,
    command: AssessAsSponsor,
    cases: CasesDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Judge causality and expectedness for the sponsor. The investigator's opinion stays beside it."""
    receipt = await cases.assess(adverse_event_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, adverse_event_id)


@router.post("/reports", status_code=201, responses={**_answers(*_SENDING, *_CONTENT), **answers.CREATED})
async def submit_report(
    adverse_event_id: AdverseEventId,
    command: SubmitReport,
    cases: CasesDep,
    actor: MaySendReports,
    mint: Mint,
    request: Request,
    response: Response,
) -> Recorded:
    """Record a report that was sent, complete with everything known now. It does the duties it was due for."""
    given = command.report_id if "report_id" in command.model_fields_set else None
    command = command.model_copy(update={"report_id": mint(given)})
    receipt, number = await cases.submit(adverse_event_id, command, by=actor)
    path = f"/v1/adverse-events/{adverse_event_id}/reports/{number}"
    return answers.created(request, response, receipt, command.report_id, path)


@router.get("/reports", responses=_answers())
async def list_reports(adverse_event_id: AdverseEventId, cases: CasesDep, actor: MayRead) -> list[ReportSummary]:
    """Every report of the case, whoever got it, in the order in which they were recorded."""
    return [ReportSummary.of(report) for report in await cases.reports(adverse_event_id, by=actor)]


@router.get("/reports/{number}", responses=_answers(NoSuchReport))
async def get_report(
    adverse_event_id: AdverseEventId, number: ReportNumber, cases: CasesDep, actor: MayRead
) -> CaseReport:
    """One report with its complete content."""
    return CaseReport.of(await cases.report(adverse_event_id, number, by=actor))


@router.get("/reports/{number}/changes", responses=_answers(NoSuchReport, NotAnEarlierReport))
async def get_report_changes(
    adverse_event_id: AdverseEventId, number: ReportNumber, cases: CasesDep, actor: MayRead, since: Since = None
) -> list[FieldChange]:
    """What this report tells otherwise than an earlier one: each field, what it was and is, by whom, when and why."""
    return await cases.changes(adverse_event_id, number, since, by=actor)


@router.post(
    "/reports/{number}/paper-acknowledgement",
    responses={
        **_answers(NoSuchReport, AcknowledgementOfAnotherReport, CaseDatesContradict, OtherContentOnRecord),
        **answers.CHANGED,
    },
)
async def record_paper_acknowledgement(
    adverse_event_id: AdverseEventId,
    number: ReportNumber,
    command: RecordPaperAcknowledgement,
    cases: CasesDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Record a letter that answers a report: whose, when it came, its number. A later answer stands above it.

    A report that was rejected counts as not sent: it is sent again, under the same kind.
    """
    report = await cases.report(adverse_event_id, number, by=actor)
    answer = paper_acknowledgement(command, report.sent)
    receipt = await cases.acknowledge(adverse_event_id, answer, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, adverse_event_id)


@router.get("/case", responses={**_answers(), **answers.VERSIONED})
async def get_case(adverse_event_id: AdverseEventId, cases: CasesDep, actor: MayRead, response: Response) -> Case:
    """The case now: both opinions, whether it is a suspected unexpected reaction and why, every clock, every report."""
    file = await cases.case(adverse_event_id, by=actor)
    response.headers["ETag"] = etags.of(file.version)
    return Case.of(file)


@router.get("/case/history", responses=_answers())
async def get_case_history(adverse_event_id: AdverseEventId, cases: CasesDep, actor: MayRead) -> list[HistoryEntry]:
    """Who recorded what about the case, when, and why. Empty: nothing yet."""
    life = await cases.history(adverse_event_id, by=actor)
    return answers.history(life, missing=NoSuchAdverseEvent()) if life else []
