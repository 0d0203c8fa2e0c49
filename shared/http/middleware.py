"""What stands round every request: trace, size limit, last resort, access log. Pure ASGI, so nothing is buffered."""

import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import problems
from shared.telemetry import tracing
from shared.telemetry.metrics import REQUESTS

MAX_BODY_BYTES = 1024 * 1024

log = logging.getLogger("trial.http")


class Surroundings:
    """Begins the trace, refuses bodies over 1 MiB, answers what nobody else did, and keeps the access log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = tracing.begin(_header(scope, b"traceparent"))
        started, status = time.perf_counter(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"trace-id", trace.correlation_id.hex.encode()),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self._limited(scope, receive, note)
        except Exception:
            log.exception("a request failed by a bug of ours")
            if status:
                raise  # the answer has begun: cut it off rather than pretend it is whole
            failure = problems.answer(500, "internal-error", "our mistake, not yours; give the trace_id to support")
            await failure(scope, receive, note)
        finally:
            _account(scope, status, time.perf_counter() - started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = _header(scope, b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            await _too_large()(scope, receive, send)
            return
        received, answered = 0, False

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise BodyTooLarge
            return message

        async def watch(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, count if _has_body(scope) else receive, watch)
        except BodyTooLarge:
            if answered:
                raise
            await _too_large()(scope, receive, send)


class BodyTooLarge(Exception):
    """More than `MAX_BODY_BYTES` arrived."""


def _too_large() -> Any:
    return problems.answer(413, "body-too-large", "a request body has at most 1 MiB; send the rows in several requests")


def _has_body(scope: Scope) -> bool:
    return scope["method"] not in {"GET", "HEAD", "OPTIONS"}


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("route")
    path = getattr(route, "path", None) or "none"  # the template: a path with ids would make a series each
    service = scope.get("root_path", "").strip("/") or "process"
    REQUESTS.labels(service, scope["method"], path, status).observe(seconds)
    if log.isEnabledFor(logging.DEBUG) or status >= 500:
        fields = {"service": service, "method": scope["method"], "route": path, "status": status}
        log.info("answered", extra={**fields, "duration_ms": round(seconds * 1000, 1)})
