"""Problem answers (RFC 9457). The only place that knows which status a domain error has.

`type` is the error class's stable code; `detail` says what is wrong and what to send instead; `errors` points into
the request. What was sent is never quoted back: answers end in other people's logs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.auth.tokens import Unauthenticated
from shared.http import problem_body, wording
from shared.http.etags import MissingIfMatch
from shared.http.negotiation import NotAcceptable
from shared.http.problem_body import MEDIA_TYPE, Headers, PlaceInRequest, Problem, answer
from shared.http.uploads import FileTooLarge
from shared.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    NotInstalled,
    StaleVersion,
    TrialError,
    Unacceptable,
    Unavailable,
)
from shared.telemetry.metrics import PROBLEMS

RETRY_AFTER_SECONDS = 2
MOST_PLACES = 50

STATUSES: tuple[tuple[type[TrialError], int], ...] = (
    (Unauthenticated, 401),
    (NotAcceptable, 406),
    (MissingIfMatch, 428),
    (FileTooLarge, 413),
    (StaleVersion, 412),
    (Unacceptable, 422),
    (Conflict, 409),
    (NotFound, 404),
    (Forbidden, 403),
    (Unavailable, 503),
    (NotInstalled, 501),
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


def of_error(error: TrialError) -> tuple[Problem, Headers]:
    """A domain error as its problem, and the headers that go with it."""
    status = status_of(type(error))
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER_SECONDS)}}.get(status)
    places = [PlaceInRequest(at=at, why=why) for at, why in getattr(error, "places", ())]
    current = getattr(error, "current", None)
    return problem_body.of(status, error.code, str(error), errors=places or None, current_version=current), headers


def install(app: FastAPI) -> None:
    """Answer every expected failure of an app as a problem. What nobody expected, `Surroundings` answers."""
    service = app.title

    async def trial_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, TrialError)  # noqa: S101 - registered for this class alone
        PROBLEMS.labels(service, error.code).inc()
        problem, headers = of_error(error)
        return answer(problem, headers, request.scope)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        PROBLEMS.labels(service, InvalidRequest.code).inc()
        problem = problem_body.of(422, InvalidRequest.code, _advice(request), errors=_places(error))
        return answer(problem, None, request.scope)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return answer(problem_body.of_http(error), error.headers, request.scope)

    app.add_exception_handler(TrialError, trial_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _advice(request: Request) -> str:
    sent = request.headers.get("content-type", "")
    if request.method in {"POST", "PUT", "PATCH"} and "json" not in sent:
        return "send the body as JSON, with `Content-Type: application/json`"
    return "the request does not match its schema; `errors` names each place and what it takes"


def _places(error: RequestValidationError) -> list[PlaceInRequest]:
    """Each place once: where several alternatives were tried, the first of them says what fits."""
    found: dict[str, str] = {}
    for each in error.errors():
        found.setdefault(_pointer(each, error.body), wording.of(each))
        if len(found) == MOST_PLACES:
            break
    return [PlaceInRequest(at=at, why=why) for at, why in found.items()]


def _pointer(error: Mapping[str, Any], body: Any) -> str:
    where, *path = error["loc"] or ("body",)
    if where != "body":
        return f"{where}: {'.'.join(map(str, path))}"
    there = [] if error["type"] == "json_invalid" else _in_the_body(path, body, missing=error["type"] == "missing")
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in there)


def _in_the_body(path: Sequence[Any], body: Any, *, missing: bool) -> Iterator[Any]:
    """The parts that lead through the body. Others name an alternative that pydantic tried, or a key that is wrong."""
    for place, part in enumerate(path):
        if _leads_on(body, part):
            body = body[part]
            yield part
        elif missing and place == len(path) - 1:
            yield part


def _leads_on(body: Any, part: Any) -> bool:
    if isinstance(body, dict):
        return part in body
    return isinstance(body, list) and isinstance(part, int) and part < len(body)
