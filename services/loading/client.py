"""A caller of the trial's API that may be stopped and started again.

Ids and idempotency keys are UUIDv5 of what the rows say of themselves. A request that meets a closed door (503,
no connection) is sent again, with patience; an answer that refuses is an outcome, not an exception.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid5

import httpx

from shared.kernel.actor import Role
from shared.kernel.errors import Unavailable

NAMESPACE = UUID("0b9f2d52-5a0e-5f0a-8f0d-2f3a86a0c9d1")  # of this loader; never changes
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5

Tokens = Callable[[Role, str], str]


class TrialAway(Unavailable):
    """The trial did not answer for a minute. Nothing is lost: start the load again."""


def identity(*parts: object) -> UUID:
    """The id of what a row describes: the same row, the same id."""
    return uuid5(NAMESPACE, "\n".join(map(str, parts)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the trial said to one command."""

    status: int
    body: dict[str, Any]
    etag: str | None
    position: str | None
    replayed: bool

    @property
    def accepted(self) -> bool:
        return self.status < 300

    @property
    def reason(self) -> str:
        """Why it was refused, in one line."""
        places = "; ".join(f"{place['at']}: {place['why']}" for place in self.body.get("errors") or [])
        detail = self.body.get("detail", "")
        return f"{self.status} {self.body.get('type', '')}: {places or detail}"


class TrialClient:
    """Speaks to one trial, in the role that each command needs."""

    def __init__(self, base_url: str, tokens: Tokens, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=8)
        self._http = httpx.AsyncClient(base_url=base_url, timeout=30, limits=limits, transport=transport)
        self._tokens = tokens
        self._held: dict[tuple[Role, str], str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def post(
        self,
        path: str,
        body: dict[str, Any],
        *,
        role: Role,
        site: str,
        key: UUID | None = None,
        etag: str | None = None,
    ) -> Answer:
        """Send a command. `key` makes a repeated one the same; `etag` is the version it was decided on."""
        headers = {"Authorization": f"Bearer {self._token(role, site)}"}
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        if etag is not None:
            headers["If-Match"] = etag
        return _answer(await self._send("POST", path, json=body, headers=headers))

    async def get(self, path: str, *, role: Role, site: str = "*", accept: str = "application/json") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token(role, site)}", "Accept": accept}
        return await self._send("GET", path, headers=headers)

    async def wait_until_ready(self) -> None:
        await self._send("GET", "/health/live")

    def _token(self, role: Role, site: str) -> str:
        if (role, site) not in self._held:
            self._held[role, site] = self._tokens(role, site)
        return self._held[role, site]

    async def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        give_up = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(method, path, **what)
            except httpx.TransportError as error:
                if asyncio.get_running_loop().time() > give_up:
                    raise TrialAway(f"the trial at {self._http.base_url} does not answer") from error
            else:
                if answer.status_code != 503 or asyncio.get_running_loop().time() > give_up:
                    return answer
            await asyncio.sleep(PAUSE_SECONDS)


def _answer(response: httpx.Response) -> Answer:
    return Answer(
        response.status_code,
        response.json(),
        response.headers.get("etag"),
        response.headers.get("trial-position"),
        response.headers.get("idempotent-replayed") == "true",
    )
