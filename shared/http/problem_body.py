"""One problem answer (RFC 9457): its body, and how it is sent. Without FastAPI: a worker's health page needs it too.

What was sent is never quoted back: answers end in other people's logs.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from shared.telemetry import tracing

MEDIA_TYPE = "application/problem+json"
WRITTEN = "trial.problems"  # where the scope of a request has the `Writer` that its route declares


class PlaceInRequest(BaseModel):
    """One place of the request that must change."""

    at: str = Field(
        description="JSON pointer into the body, or query, path or header and the name, or an element of a message"
    )
    why: str


class Problem(BaseModel):
    """A problem answer after RFC 9457."""

    type: str = Field(description="Stable code of the kind of problem")
    title: str
    status: int
    detail: str
    trace_id: str
    errors: list[PlaceInRequest] | None = None
    current_version: int | None = None


Headers = Mapping[str, str] | None
Writer = Callable[[Problem, Headers], Response]


def answer(problem: Problem, headers: Headers, scope: Scope) -> Response:
    """A problem as its route declares that problems are written (`ExactRoute.written`), else as RFC 9457 has it."""
    writer: Writer = scope.get(WRITTEN, as_problem_json)
    return writer(problem, headers)


def as_problem_json(problem: Problem, headers: Headers) -> Response:
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, headers, MEDIA_TYPE)


def of(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[PlaceInRequest] | None = None,
    current_version: int | None = None,
) -> Problem:
    return Problem(
        type=code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        trace_id=tracing.current().correlation_id.hex,
        errors=errors,
        current_version=current_version,
    )


def of_http(error: HTTPException) -> Problem:
    """What is said where no route takes the request."""
    code = {404: "no-such-path", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    return of(error.status_code, code, str(error.detail))


def of_bug() -> Problem:
    """What is said of a request that failed by a mistake of ours; the log has what happened."""
    return of(500, "internal-error", "our mistake, not yours; give the trace_id to support")
