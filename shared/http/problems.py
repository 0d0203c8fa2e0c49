"""Problem answers (RFC 9457). The only place that knows which status a domain error has.

`type` is the error class's stable code; `detail` says what is wrong and what to send instead; `errors` points into
the request. What was sent is never quoted back: answers end in other people's logs.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared.auth.tokens import Unauthenticated
from shared.http.etags import MissingIfMatch
from shared.http.negotiation import NotAcceptable
from shared.http.problem_body import MEDIA_TYPE, PlaceInRequest, answer, of_bug, of_http
from shared.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    StaleVersion,
    TrialError,
    Unacceptable,
    Unavailable,
)
from shared.telemetry.metrics import PROBLEMS

RETRY_AFTER_SECONDS = 2

STATUSES: tuple[tuple[type[TrialError], int], ...] = (
    (Unauthenticated, 401),
    (NotAcceptable, 406),
    (MissingIfMatch, 428),
    (StaleVersion, 412),
    (Unacceptable, 422),
    (Conflict, 409),
    (NotFound, 404),
    (Forbidden, 403),
    (Unavailable, 503),
)


class InvalidRequest(Unacceptable):
    """The request does not match its schema: see `errors`, mend it, send it again."""


def status_of(error: type[TrialError]) -> int:
    return next(status for kind, status in STATUSES if issubclass(error, kind))


def of(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint: its own problems, and those that any endpoint can answer."""
    described: dict[int, list[str]] = {}
    everywhere: tuple[type[TrialError], ...] = (Unauthenticated, Forbidden, InvalidRequest, Unavailable)
    for error in (*errors, *everywhere):
        codes = described.setdefault(status_of(error), [])
        if error.code not in codes:
            codes.append(error.code)
    described.setdefault(413, ["body-too-large"])
    described.setdefault(500, ["internal-error"])
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": ", ".join(codes), "content": {MEDIA_TYPE: reference}}
        for status, codes in sorted(described.items())
    }


def of_error(error: TrialError) -> JSONResponse:
    """A domain error as its answer."""
    status = status_of(type(error))
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER_SECONDS)}}.get(status)
    places = [PlaceInRequest(at=at, why=why) for at, why in getattr(error, "places", ())]
    current = getattr(error, "current", None)
    return answer(status, error.code, str(error), errors=places or None, current_version=current, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every expected failure of an app as a problem."""
    service = app.title

    async def trial_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, TrialError)  # noqa: S101 - registered for this class alone
        PROBLEMS.labels(service, error.code).inc()
        return of_error(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        PROBLEMS.labels(service, InvalidRequest.code).inc()
        return answer(422, InvalidRequest.code, _advice(request), errors=_places(error.errors()))

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return of_http(error)

    async def bug(_request: Request, _error: Exception) -> Response:
        return of_bug()

    app.add_exception_handler(Exception, bug)
    app.add_exception_handler(TrialError, trial_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _advice(request: Request) -> str:
    sent = request.headers.get("content-type", "")
    if request.method in {"POST", "PUT", "PATCH"} and "json" not in sent:
        return "send the body as JSON, with `Content-Type: application/json`"
    return "the request does not match its schema; `errors` names each place and what it takes"


def _places(errors: Sequence[Any]) -> list[PlaceInRequest]:
    return [PlaceInRequest(at=_pointer(error["loc"]), why=_why(error)) for error in errors[:50]]


def _pointer(location: Sequence[Any]) -> str:
    where, *path = location or ("body",)
    if where == "body":
        return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return f"{where}: {'.'.join(map(str, path))}"


def _why(error: Any) -> str:
    if error["type"] == "json_invalid":
        return "not valid JSON: " + str(error.get("ctx", {}).get("error", ""))[:100]
    return str(error["msg"])[:500]
