"""A small app of the trial's own making, so that what every service does alike is tested once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response

from shared.auth.local_issuer import LocalIssuer
from shared.auth.permissions import allow
from shared.auth.tokens import FileKeys, TokenVerifier
from shared.contracts.terms import Measurement, Reason
from shared.db import open_database
from shared.eventstore.store import EventStore, Receipt
from shared.http import answers, paging, problems
from shared.http.etags import IfMatch
from shared.http.identities import Mint
from shared.http.middleware import Surroundings
from shared.http.operation_outcomes import FhirRoute
from shared.http.parts import Parts
from shared.http.service_app import create_service_app, router
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import system_clock
from shared.kernel.decider import Command
from shared.kernel.errors import Conflict, Forbidden, NotFound, StaleVersion, Unacceptable, Unavailable
from shared.protocol import load_protocol
from shared.settings import Settings

ISSUER, AUDIENCE = "urn:test", "cmd03"

MayWeigh = Annotated[Actor, Depends(allow(Role.LABORATORY))]


class Weigh(Command):
    grams: Measurement
    note: Reason | None = None


class Overweight(Unacceptable):
    pass


RAISED = {
    "unacceptable": Overweight("too heavy"),
    "conflict": Conflict("not now"),
    "stale": StaleVersion("gone past", current=7),
    "missing": NotFound("no such scale"),
    "forbidden": Forbidden("not you"),
    "away": Unavailable("the database is away"),
    "bug": ZeroDivisionError("secret value 4711"),
}

scales = router("/v1/scales", "Scales")


@scales.post("", status_code=201, responses={**problems.of(Overweight), **answers.CREATED})
async def weigh(command: Weigh, actor: MayWeigh, mint: Mint, request: Request, response: Response) -> answers.Recorded:
    """Weigh something."""
    response.headers["X-Grams"] = str(command.grams)
    scale = mint(None)
    return answers.created(request, response, Receipt(f"scale:{scale}", 1), scale, f"/v1/scales/{scale}")


@scales.post("/{scale}/tare", responses={**problems.of(StaleVersion), **answers.CHANGED})
async def tare(scale: UUID, expected: IfMatch, response: Response) -> answers.Recorded:
    """Set to zero."""
    return answers.changed(response, Receipt(f"scale:{scale}", expected + 1, replayed=expected == 3), scale)


devices = router("/v1/Device", "FHIR", FhirRoute)  # scales, as FHIR calls them


@devices.post("/{how}")
async def take_device(command: Weigh, _actor: MayWeigh, how: str) -> None:
    raise RAISED[how]


@scales.get("/fail/{how}")
async def fail(how: str) -> None:
    raise RAISED[how]


@scales.get("")
async def list_scales(
    request: Request, response: Response, limit: paging.Limit = 2, cursor: paging.Cursor = None
) -> paging.Page[int]:
    """All scales, as numbers from one to five."""
    after = paging.decode(cursor, (int,))
    first = int(after[0]) + 1 if after else 1
    shown = list(range(first, min(first + limit, 6)))
    return paging.page(request, response, shown, limit, (shown[-1],) if shown and shown[-1] < 5 else None)


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer(tmp_path / "issuer", issuer=ISSUER, audience=AUDIENCE).prepare()


@pytest.fixture
def app(tmp_path: Path, issuer: LocalIssuer) -> FastAPI:
    db = open_database(f"sqlite+aiosqlite:///{tmp_path}/x.sqlite3", "x")
    verifier = TokenVerifier(FileKeys(issuer.jwks_file), issuer=ISSUER, audience=AUDIENCE)
    parts = Parts(db, EventStore(db), load_protocol(), system_clock, Settings(), verifier)
    return create_service_app("scales", title="Scales", description="", routers=[scales, devices], parts=parts)


@pytest.fixture
async def client(app: FastAPI, issuer: LocalIssuer) -> AsyncIterator[httpx.AsyncClient]:
    token = issuer.token(subject="lab-1", roles=[Role.LABORATORY], sites=["CU"])
    transport = httpx.ASGITransport(Surroundings(app), root_path="/scales")
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as made:
        yield made
