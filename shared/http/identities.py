"""Ids of what is created: the client's own, else made of the `Idempotency-Key`, else the server's.

    async def report(command: ReportAdverseEvent, mint: Mint, ...):
        command = command.model_copy(update={"adverse_event_id": mint(command.adverse_event_id)})

With the first two, a request that is sent again finds what the first one made.
"""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import Depends, Header, Request

_NAMESPACE = UUID("6c1d5f1e-6d1c-5e0b-9f0e-1f3c0a3f4a11")  # of this project; never changes


async def _minter(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="Makes the same request sent twice one and the same command"),
    ] = None,
) -> Callable[[UUID | None], UUID]:
    def mint(given: UUID | None = None) -> UUID:
        if given is not None:
            return given
        if idempotency_key is None:
            return uuid4()
        return uuid5(_NAMESPACE, f"{request.state.actor}\n{request.method} {request.url.path}\n{idempotency_key}")

    return mint


Mint = Annotated[Callable[[UUID | None], UUID], Depends(_minter)]
