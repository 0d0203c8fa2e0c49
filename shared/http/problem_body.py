"""One problem answer (RFC 9457): its body, and how it is sent. Without FastAPI: a worker's health page needs it too.

What was sent is never quoted back: answers end in other people's logs.
"""

from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from shared.telemetry import tracing

MEDIA_TYPE = "application/problem+json"


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


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[PlaceInRequest] | None = None,
    current_version: int | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        trace_id=tracing.current().correlation_id.hex,
        errors=errors,
        current_version=current_version,
    )
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True), status, media_type=MEDIA_TYPE, headers=headers
    )


def of_http(error: HTTPException) -> JSONResponse:
    """The answer where no route takes the request."""
    code = {404: "no-such-path", 405: "method-not-allowed"}.get(error.status_code, "http-error")
    return answer(error.status_code, code, str(error.detail), headers=dict(error.headers) if error.headers else None)


def of_bug() -> JSONResponse:
    """The answer to a request that failed by a mistake of ours; the log has what happened."""
    return answer(500, "internal-error", "our mistake, not yours; give the trace_id to support")
