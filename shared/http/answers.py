"""What a write answers, and how a history is shown."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field

from shared.eventstore.store import Receipt
from shared.http import etags
from shared.kernel.errors import NotFound
from shared.kernel.events import Envelope, registered

_POSITION = {"Trial-Position": {"schema": {"type": "string"}, "description": "Give it to a read as `wait_for`"}}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The version, for `If-Match`"}}
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where it can be read"}}
_REPLAYED = {"Idempotent-Replayed": {"schema": {"type": "string"}, "description": "true: carried out before"}}
CREATED: dict[int | str, dict[str, Any]] = {201: {"headers": {**_LOCATION, **_ETAG, **_POSITION, **_REPLAYED}}}
CHANGED: dict[int | str, dict[str, Any]] = {200: {"headers": {**_ETAG, **_POSITION, **_REPLAYED}}}
VERSIONED: dict[int | str, dict[str, Any]] = {200: {"headers": _ETAG}}


class Recorded(BaseModel):
    """A command was carried out, and what it said is on record."""

    id: str = Field(description="The id of the thing, as in its path")
    version: int = Field(description="The version of its stream; the ETag")
    position: str = Field(description="`<stream>@<version>`; give it to a read as `wait_for`")


class HistoryEntry(BaseModel):
    """One event of a stream: who recorded what, when, and why."""

    version: int
    event_id: UUID
    type: str
    what: str = Field(description="What this kind of event means")
    recorded_at: datetime
    actor: str
    role: str
    reason: str | None
    correlation_id: UUID
    causation_id: UUID
    data: dict[str, Any]


def created(request: Request, response: Response, receipt: Receipt, thing: object, path: str) -> Recorded:
    """201 with `Location`; `path` is the thing's own within the service, such as `/v1/sites/CU`."""
    response.headers["Location"] = f"{request.scope.get('root_path', '')}{path}"
    return changed(response, receipt, thing)


def changed(response: Response, receipt: Receipt, thing: object) -> Recorded:
    response.headers["ETag"] = etags.of(receipt.version)
    response.headers["Trial-Position"] = receipt.position
    if receipt.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return Recorded(id=str(thing), version=receipt.version, position=receipt.position)


def history(envelopes: Sequence[Envelope], missing: NotFound) -> list[HistoryEntry]:
    """A stream as people read it; raises `missing` where there is no such stream."""
    if not envelopes:
        raise missing
    return [_entry(envelope) for envelope in envelopes]


def _entry(envelope: Envelope) -> HistoryEntry:
    event = registered().get(envelope.type)
    return HistoryEntry(
        version=envelope.version,
        event_id=envelope.event_id,
        type=envelope.type,
        what=(event.__doc__ or "").strip().splitlines()[0] if event else "",
        recorded_at=envelope.recorded_at,
        actor=envelope.actor,
        role=envelope.role,
        reason=envelope.reason,
        correlation_id=envelope.correlation_id,
        causation_id=envelope.causation_id,
        data=json.loads(envelope.data),
    )
