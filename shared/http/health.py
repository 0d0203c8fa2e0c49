"""Health and metrics of a process: live = the loop turns, ready = it can do its work now.

Both are shown to whoever asks, so they hold codes and figures alone: no stream, no address, no text of an error.

The broker is no part of an API's readiness: while it is away the outbox takes what it would have got.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CHECK_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: fit or not, and what an operator wants to know about it, in codes and figures."""

    ok: bool
    detail: dict[str, Any] = field(default_factory=dict)


Check = Callable[[], Awaitable[Finding]]


def routes(checks: Mapping[str, Check], before_scrape: Callable[[], None] = lambda: None) -> list[Route]:
    """`/health/live`, `/health/ready` and `/metrics` of one process."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        findings = dict(zip(checks, await asyncio.gather(*map(_bounded, checks.values())), strict=True))
        fit = all(finding.ok for finding in findings.values())
        shown = {name: {"ok": finding.ok, **finding.detail} for name, finding in findings.items()}
        return JSONResponse({"status": "ready" if fit else "not-ready", "checks": shown}, 200 if fit else 503)

    async def metrics(_request: Request) -> Response:
        before_scrape()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]


async def _bounded(check: Check) -> Finding:
    """A check that fails or hangs is a finding, not a failure of the health page."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except Exception as error:  # noqa: BLE001 - the kind is the finding; the text may quote a URL with a password
        return Finding(ok=False, detail={"error": type(error).__name__})
