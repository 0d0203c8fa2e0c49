"""The CTCAE dictionary: which terms there are, and which grades each offers."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from services.safety.api.permissions import MayLookUp, SafetyDep
from services.safety.definitions import Definitions
from services.safety.domain import ctcae
from services.safety.domain.ctcae import NoSuchTerm, SystemOrganClass, Term, UnknownClass
from shared.contracts.safety import MeddraCode
from shared.http import paging, problems
from shared.http.paging import Cursor, Limit, Page, UnreadableCursor
from shared.http.service_app import router as make_router

router = make_router("/v1/ctcae", "CTCAE")

Q = Annotated[
    str | None,
    Query(max_length=100, description="Words of a name in any order, or a MedDRA code", examples=["count decreased"]),
]
Soc = Annotated[str | None, Query(max_length=100, description="Only this system organ class, by its full name")]


@router.get("/terms", responses=problems.of(UnreadableCursor, UnknownClass))
async def search_ctcae_terms(
    _: MayLookUp,
    request: Request,
    response: Response,
    q: Q = None,
    soc: Soc = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Term]:
    """Search the dictionary: best match first, upper and lower case alike. Without `q`, every term by name."""
    found = ctcae.search(q, soc=soc)
    items = found[_start(found, cursor) :][: limit + 1]
    more = (items[limit - 1].meddra_code,) if len(items) > limit else None
    return paging.page(request, response, items[:limit], limit, more)


def _start(found: list[Term], cursor: str | None) -> int:
    """Where the page after `cursor` begins. The dictionary of an edition never changes, so neither does the order."""
    key = paging.decode(cursor, (str,))
    if key is None:
        return 0
    place = next((at for at, term in enumerate(found, start=1) if term.meddra_code == key[0]), None)
    if place is None:
        raise UnreadableCursor("this cursor belongs to another search; use it with the same q and soc")
    return place


class DefinedTerm(Term):
    """A term, with the wording of the editions that an operator has loaded."""

    definitions: tuple[Definitions, ...] = Field(description="Empty: no workbook of the NCI is loaded")


@router.get("/terms/{meddra_code}", responses=problems.of(NoSuchTerm))
async def get_ctcae_term(_: MayLookUp, meddra_code: Annotated[MeddraCode, Path()], safety: SafetyDep) -> DefinedTerm:
    """One term by its MedDRA code, with the grades it offers, and their definitions where a workbook is loaded."""
    term = ctcae.by_code(meddra_code)
    return DefinedTerm(**term.model_dump(), definitions=tuple(await safety.definitions(meddra_code)))


@router.get("/socs", responses=problems.of())
async def list_ctcae_socs(_: MayLookUp) -> list[SystemOrganClass]:
    """The system organ classes, and how many terms each holds."""
    return list(ctcae.CLASSES)
