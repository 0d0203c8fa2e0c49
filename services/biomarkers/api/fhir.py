"""FHIR R4 in: Observation, DiagnosticReport and Bundle; answers are OperationOutcomes, and Bundles of them."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.biomarkers.api.intake_permissions import FeedsDep, MaySend
from services.biomarkers.api.quarantined_messages import path_of
from services.biomarkers.intake import fhir_reader
from services.biomarkers.intake.fhir_reader import NotReadableFhir, Sent
from services.biomarkers.intake.messages import MessageFormat
from services.biomarkers.intake.readings import ReadingProblem
from services.biomarkers.intake.taking import Fate, Outcome
from shared.contracts.biomarkers_intake import SourceId
from shared.http import problems
from shared.http.body import NOTHING, ExactRequest
from shared.http.operation_outcomes import MEDIA_TYPE, FhirRoute, answer, issue, outcome
from shared.http.service_app import router as make_router
from shared.kernel.errors import NotFound

router: APIRouter = make_router("/v1/fhir", "Feeds", FhirRoute)

_ENTRY = re.compile(r"^Bundle\.entry\[(\d+)\]")
# FHIR R4 issue-type of each reason.
_ISSUES = {
    ReadingProblem.UNKNOWN_SOURCE: "not-found",
    ReadingProblem.UNKNOWN_SUBJECT: "not-found",
    ReadingProblem.UNKNOWN_CODE: "code-invalid",
    ReadingProblem.UNKNOWN_SPECIMEN: "code-invalid",
    ReadingProblem.UNKNOWN_PLATFORM: "required",
    ReadingProblem.BAD_VALUE: "value",
    ReadingProblem.BAD_TIME: "value",
    ReadingProblem.CONSENT_LACKING: "business-rule",
    ReadingProblem.REFUSED: "business-rule",
    ReadingProblem.CONFLICT: "conflict",
}
_RESOURCE: dict[str, Any] = {MEDIA_TYPE: {"schema": {"type": "object"}}}


def _described(words: str) -> dict[str, Any]:
    return {"description": words, "content": _RESOURCE}


@router.post(
    "",
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": _RESOURCE}},
    responses={
        **{status: _described(problem["description"]) for status, problem in problems.of().items()},
        200: _described("On record already, or a Bundle of what became of each entry"),
        201: _described("On record now"),
        202: _described("Some of it waits in quarantine: the issues say what and why"),
        400: _described("No JSON"),
        404: _described("No such source at your sites"),
        422: _described("Refused; nothing was recorded"),
    },
)
async def take_fhir_resource(
    feeds: FeedsDep,
    actor: MaySend,
    request: Request,
    source: Annotated[
        SourceId | None,
        Query(description="A registered source: its codes and zone are used, and what cannot be read is kept"),
    ] = None,
    dry_run: Annotated[bool, Query(description="Say what would become of it; record and keep nothing")] = False,
) -> Response:
    """Take observations in. Subjects are named by subject number (`identifier`); names are ignored and never kept.

    A transaction is recorded whole or not at all, and so is all that names no source; of the rest what can be read is
    recorded, and what cannot waits in quarantine. Corrected and amended observations supersede; entered in error ones
    are taken back.
    """
    try:
        sent = fhir_reader.read(await _content(request))
        together = sent.bundle == "transaction" or (source is None and sent.bundle != "batch")
        fates, kept = await feeds.take(
            sent.observations, source, MessageFormat.FHIR, by=actor, dry_run=dry_run, together=together
        )
    except NotReadableFhir as error:
        return answer(
            400 if error.issue == "invalid" else 422,
            outcome([issue(error.issue, str(error), expression=error.expression)]),
        )
    except NotFound as error:
        return answer(404, outcome([issue("not-found", str(error))]))
    return _told(sent, fates, kept, refused=together and any(each.waits for each in fates))


async def _content(request: Request) -> Any:
    """The body's JSON, whatever the request calls it, with numbers exact."""
    try:
        exact = request if isinstance(request, ExactRequest) else ExactRequest(request.scope, request.receive)
        return await exact.json() if await request.body() else NOTHING
    except json.JSONDecodeError as error:
        raise NotReadableFhir("the body is not JSON", "invalid") from error


def _told(sent: Sent, fates: Sequence[Fate], kept: UUID | None, *, refused: bool) -> Response:
    where = f"; kept in quarantine as {kept}" if kept else ""
    if sent.bundle in {"batch", "transaction"} and not refused:
        return answer(200, _bundle(sent, fates, where))
    # of what was refused whole, what could have been recorded is not
    issues = [_of(each, where) for each in fates if not refused or each.waits]
    if any(each.waits for each in fates):
        return answer(202 if kept else 422, outcome(issues))
    changed = any(each.outcome in {Outcome.RECORDED, Outcome.CORRECTED, Outcome.CANCELLED} for each in fates)
    path = next((path_of(each) for each in fates), None)
    return answer(201 if changed else 200, outcome(issues), {"Location": path} if path else None)


def _bundle(sent: Sent, fates: Sequence[Fate], where: str) -> dict[str, Any]:
    """A response entry for each entry of the request, in its order."""
    by_entry: dict[int, list[Fate]] = {}
    for each in fates:
        if match := _ENTRY.match(each.sent.place):
            by_entry.setdefault(int(match.group(1)), []).append(each)
    return {
        "resourceType": "Bundle",
        "type": f"{sent.bundle}-response",
        "entry": [_entry(by_entry.get(number, []), where) for number in range(sent.entries)],
    }


def _entry(fates: Sequence[Fate], where: str) -> dict[str, Any]:
    if not fates:
        says = "no observation of its own: read only where an observation refers to it"
        return {
            "response": {"status": "200 OK", "outcome": outcome([issue("informational", says, severity="information")])}
        }
    status = "200 OK"
    if any(each.waits for each in fates):
        status = "202 Accepted" if where else "422 Unprocessable Entity"
    elif any(each.outcome is Outcome.RECORDED for each in fates):
        status = "201 Created"
    location = next((path_of(each) for each in fates if each.result_id), None)
    told = {"location": location} if location else {}
    return {"response": {"status": status, **told, "outcome": outcome([_of(each, where) for each in fates])}}


def _of(fate: Fate, where: str) -> dict[str, Any]:
    if fate.problem is None:
        path = path_of(fate)
        says = f"{fate.outcome.value}: {path}" if path else fate.outcome.value
        return issue("informational", says, severity="information", expression=fate.sent.place)
    severity = "warning" if where else "error"
    return issue(_ISSUES[fate.problem], f"{fate.says}{where}", severity=severity, expression=fate.sent.place)
