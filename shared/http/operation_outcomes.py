"""OperationOutcome of FHIR R4: how endpoints that speak FHIR say what became of a request, their problems too."""

import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from shared.http.problem_body import Headers, Problem
from shared.http.routes import ExactRoute

MEDIA_TYPE = "application/fhir+json"
# FHIR R4 issue-type (http://hl7.org/fhir/R4/valueset-issue-type.html) of each status; of all others `processing`.
_ISSUE_TYPES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    422: "invalid",
    500: "exception",
    503: "transient",
}


def issue(code: str, says: str, *, severity: str = "error", expression: str | None = None) -> dict[str, Any]:
    at = {"expression": [expression]} if expression else {}
    return {"severity": severity, "code": code, "diagnostics": says, **at}


def outcome(issues: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def answer(status: int, resource: dict[str, Any], headers: Headers = None) -> Response:
    """A resource as FHIR sends it: an OperationOutcome, or a Bundle that holds some."""
    return Response(json.dumps(resource), status, headers, MEDIA_TYPE)


class FhirRoute(ExactRoute):
    """A route of which FHIR is asked: its problems are OperationOutcomes."""

    @staticmethod
    def written(problem: Problem, headers: Headers) -> Response:
        """An issue for each place of the request that must change.

        `details` has the stable code of the problem; the header `Trace-Id` has what support asks for.
        """
        says = [f"{each.at}: {each.why}" for each in problem.errors or ()] or [problem.detail]
        code = _ISSUE_TYPES.get(problem.status, "processing")
        told = [{**issue(code, each), "details": {"text": problem.type}} for each in says]
        return answer(problem.status, outcome(told), headers)
