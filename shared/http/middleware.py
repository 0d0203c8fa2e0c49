"""What stands round every request: trace, size limit, last resort, access log. Pure ASGI, so nothing is buffered."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import problem_body
from shared.http.problem_body import Problem
from shared.telemetry import tracing
from shared.telemetry.metrics import REQUESTS

MAX_BODY_BYTES = 1024 * 1024
BODY = "trial.body"  # where a request's scope has its body

log = logging.getLogger("trial.http")


class Surroundings:
    """Begins the trace, refuses bodies over 1 MiB, answers what nobody else did, and keeps the access log.

    An endpoint that takes files raises the limit before it reads (`shared.http.uploads`).
    """

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
                own = {name.lower() for name, _ in message["headers"]}
                kept = [] if b"cache-control" in own else [(b"cache-control", b"no-store")]
                message["headers"] = [
                    *message["headers"],
                    *kept,
                    (b"trace-id", trace.correlation_id.hex.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self._limited(scope, receive, note)
        except Exception:
            log.exception("a request failed by a bug of ours")
            if not status:
                await problem_body.answer(problem_body.of_bug(), None, scope)(scope, receive, note)
            elif status != 500:
                raise  # the answer had begun: cut it off rather than pretend that it is whole
        finally:
            _account(scope, status, time.perf_counter() - started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(receive, send, _declared(scope))
        scope[BODY] = body
        try:
            await self._app(scope, body.receive if _has_body(scope) else receive, body.send)
        except Exception:
            if not body.refused:
                raise
        if body.refused:
            await problem_body.answer(_too_large(body.most_bytes), None, scope)(scope, receive, send)


class Body:
    """A request's body as it arrives. Past the limit the app is told that the client left; what it says is dropped."""

    def __init__(self, receive: Receive, send: Send, declared: int) -> None:
        self._receive, self._send, self._declared = receive, send, declared
        self._received, self._answered, self.refused = 0, False, False
        self.most_bytes = MAX_BODY_BYTES

    async def receive(self) -> Message:
        if self._declared > self.most_bytes and not self._answered:  # not a byte of it is read
            self.refused = True
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.most_bytes and not self._answered:
            self.refused = True
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if not self.refused:
            self._answered = True
            await self._send(message)


def _too_large(most_bytes: int) -> Problem:
    says = f"a request body has at most {most_bytes // MAX_BODY_BYTES} MiB here; send it in several requests"
    return problem_body.of(413, "body-too-large", says)


def _declared(scope: Scope) -> int:
    length = _header(scope, b"content-length")
    return int(length) if length is not None and length.isdigit() and len(length) < 19 else 0


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
