"""Reports as ICH E2B(R3) messages, and the acknowledgements that regulators answer them with."""

from typing import Any

from fastapi import Request, Response

from services.safety.api.adverse_events import AdverseEventId
from services.safety.api.cases.cases import ReportNumber
from services.safety.api.cases.permissions import CasesDep, MayActAsSponsor
from services.safety.api.permissions import MayRead
from services.safety.domain.adverse_event import NoSuchAdverseEvent
from services.safety.domain.cases.case import AcknowledgementOfAnotherReport, CaseDatesContradict, NoSuchReport
from services.safety.domain.e2b.acknowledgement import UnreadableAcknowledgement, acknowledgement
from services.safety.domain.e2b.message import RequiredElementsMissing, icsr
from shared.eventstore.store import OtherContentOnRecord
from shared.http import answers, problems
from shared.http.answers import Recorded
from shared.http.identities import Mint
from shared.http.service_app import router as make_router

router = make_router("/v1/adverse-events/{adverse_event_id}/reports/{number}", "Cases")

_XML = {"application/xml": {"schema": {"type": "string"}}}
_READING: tuple[Any, ...] = (UnreadableAcknowledgement, AcknowledgementOfAnotherReport)


class XmlResponse(Response):
    """XML in UTF-8, as its declaration says."""

    media_type = "application/xml"


@router.get(
    "/e2b",
    response_class=XmlResponse,
    responses=problems.of(NoSuchAdverseEvent, NoSuchReport, RequiredElementsMissing),
)
async def get_report_as_e2b(
    adverse_event_id: AdverseEventId, number: ReportNumber, cases: CasesDep, actor: MayRead
) -> XmlResponse:
    """The report as an individual case safety report, ICH E2B(R3): the same bytes each time.

    Where the report lacks what every message must have, the answer names each element instead.
    """
    report = await cases.report(adverse_event_id, number, by=actor)
    return XmlResponse(icsr(report.sent))


@router.post(
    "/acknowledgement",
    openapi_extra={"requestBody": {"required": True, "content": _XML}},
    responses={
        **problems.of(NoSuchAdverseEvent, NoSuchReport, CaseDatesContradict, OtherContentOnRecord, *_READING),
        **answers.CHANGED,
    },
)
async def record_acknowledgement(
    adverse_event_id: AdverseEventId,
    number: ReportNumber,
    request: Request,
    cases: CasesDep,
    actor: MayActAsSponsor,
    mint: Mint,
    response: Response,
) -> Recorded:
    """Record what a regulator answered: the file of its acknowledgement, ICH E2B(R3) MCCI_IN200101UV01.

    A message that was rejected counts as not sent: the report is sent again, under the same kind.
    """
    report = await cases.report(adverse_event_id, number, by=actor)
    command = acknowledgement(await request.body(), report.sent)
    receipt = await cases.acknowledge(adverse_event_id, command, by=actor, command_id=mint(None))
    return answers.changed(response, receipt, adverse_event_id)
