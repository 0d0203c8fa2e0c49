"""A caller of the trial's API that may be stopped and started again.

Ids and idempotency keys are UUIDv5 of what the rows say of themselves. A request that meets a closed door (no
connection, 502 to 504) is sent again, with patience; an answer that refuses is an outcome, not an exception.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Self
from uuid import UUID, uuid5

import httpx

from shared.kernel.actor import Role
from shared.kernel.errors import TrialError, Unavailable

NAMESPACE = UUID("0b9f2d52-5a0e-5f0a-8f0d-2f3a86a0c9d1")  # of this loader; never changes
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5
TELL_AFTER_SECONDS = 3.0  # of waiting, so that nobody wonders
AT_ONCE = 8

Tokens = Callable[[Role, str], str]
"""A bearer token for a role at a site; site `*` is every site."""


class TrialAway(Unavailable):
    """The trial did not answer for a minute. Nothing is lost: start the load again."""


class TrialFailed(TrialError):
    """The trial answered a command with a fault of its own. Nothing is lost: its log says more."""


class NotAdmitted(TrialError):
    """The trial does not accept our token: give `--data` the folder of the trial that serves there."""


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
    def problem(self) -> str:
        return str(self.body.get("type", ""))

    @property
    def reason(self) -> str:
        """Why it was refused, in one line."""
        places = "; ".join(f"{place['at']}: {place['why']}" for place in self.body.get("errors") or [])
        return f"{self.status} {self.problem}: {places or self.body.get('detail', '')}"


class TrialClient:
    """Speaks to one trial, in the role that each command needs."""

    def __init__(
        self,
        base_url: str,
        tokens: Tokens,
        *,
        patience: float = PATIENCE_SECONDS,
        pause: float = PAUSE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=30, limits=limits, trust_env=False, transport=transport
        )
        self._tokens = tokens
        self._patience, self._pause = patience, pause
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
        """Send a command. `key` makes a repeated one the same; `etag` is the version it was decided on.

        Raises:
            TrialAway, NotAdmitted, TrialFailed: there is no verdict on the command.
        """
        headers = {"Authorization": f"Bearer {self._token(role, site)}"}
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        if etag is not None:
            headers["If-Match"] = etag
        return _answer(await self._send("POST", path, json=body, headers=headers))

    async def get(
        self, path: str, *, role: Role, site: str = "*", params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask a question; a 503, as where a write has not arrived yet, is asked again.

        Raises:
            TrialAway, NotAdmitted, TrialFailed: there is no answer.
        """
        answer = await self.look(path, role=role, site=site, params=params)
        if answer.status != httpx.codes.OK:
            raise TrialFailed(f"{answer.status} to GET {path}")
        return answer.body

    async def look(self, path: str, *, role: Role, site: str = "*", params: dict[str, str] | None = None) -> Answer:
        """Ask for something that may not be there, or whose version matters.

        Raises:
            TrialAway, NotAdmitted, TrialFailed: there is no verdict on the question.
        """
        headers = {"Authorization": f"Bearer {self._token(role, site)}"}
        return _answer(await self._send("GET", path, headers=headers, params=params))

    async def document(self, path: str, *, role: Role, accept: str, site: str = "*") -> bytes:
        """An answer as it comes, such as a picture.

        Raises:
            TrialAway, NotAdmitted, TrialFailed: there is no answer.
        """
        headers = {"Authorization": f"Bearer {self._token(role, site)}", "Accept": accept}
        answer = await self._send("GET", path, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise TrialFailed(f"{answer.status_code} to GET {path}")
        return answer.content

    def _token(self, role: Role, site: str) -> str:
        if (role, site) not in self._held:
            self._held[role, site] = self._tokens(role, site)
        return self._held[role, site]

    async def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        clock = asyncio.get_running_loop().time
        give_up, tell_at = clock() + self._patience, clock() + TELL_AFTER_SECONDS
        while True:
            try:
                answer = await self._http.request(method, path, **what)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in {502, 503, 504}:
                return _with_a_verdict(answer, f"{method} {path}")
            if clock() > give_up:
                raise TrialAway(f"the trial at {self._http.base_url} does not answer; nothing is lost: start again")
            if clock() > tell_at:
                sys.stderr.write(f"waiting for the trial at {self._http.base_url}\n")
                tell_at = give_up
            await asyncio.sleep(self._pause)


def pauses() -> Iterator[float]:
    """How long to wait for something that arrives in a moment: soon at first, then less often; some 15 s in all."""
    return chain((0.01, 0.02, 0.05, 0.1, 0.2), repeat(PAUSE_SECONDS, 30))


def _with_a_verdict(answer: httpx.Response, what: str) -> httpx.Response:
    if answer.status_code in {401, 403}:
        raise NotAdmitted(f"{answer.status_code} to {what}; --data names the folder of the trial that serves there")
    if answer.status_code >= 500:
        raise TrialFailed(f"{answer.status_code} to {what}; nothing is lost, and the trial's log says more")
    return answer


def _answer(response: httpx.Response) -> Answer:
    return Answer(
        response.status_code,
        response.json(),
        response.headers.get("etag"),
        response.headers.get("trial-position"),
        response.headers.get("idempotent-replayed") == "true",
    )
