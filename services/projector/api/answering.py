"""How answers look: with the event they were built up to and the sites they cover, as JSON or as CSV."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from services.projector.exports.csv_text import Sheet, as_csv
from services.projector.reading import Found, Question
from shared.http import paging, problems
from shared.http.negotiation import AS_TABLE, CSV, NotAcceptable
from shared.http.paging import Cursor, Limit, Page, UnreadableCursor
from shared.kernel.errors import TrialError
from shared.projection import AsOf, NotYetProjected, UnknownPosition

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

SITES = Field(description="The sites whose participants it covers: those of the caller; null: every site of the trial")


class Answer(BaseModel, Generic[T]):
    """One answer, and what it rests on."""

    as_of: AsOf
    sites: tuple[str, ...] | None = SITES
    protocol: str = Field(description="Protocol and version", examples=["CMD03@1.0.0"])
    today: date = Field(description="The day on which it was given, in the trial's time zone")
    result: T


class Listing(Page[T], Generic[T]):
    """Some rows, where the next ones are, and what they rest on."""

    as_of: AsOf
    sites: tuple[str, ...] | None = SITES


def failing(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a question that is answered as JSON alone."""
    return problems.of(NotYetProjected, UnknownPosition, *errors)


def tabular(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a question that is answered as JSON or as CSV."""
    return {**failing(NotAcceptable, *errors), **AS_TABLE}


def listed(*errors: type[TrialError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a list: pages, as JSON or as CSV."""
    return tabular(UnreadableCursor, *errors)


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for, and where to put the link to the next."""

    request: Request
    response: Response
    limit: int
    cursor: str | None

    @property
    def one_more(self) -> int:
        """One row more than the page holds says that there is another page."""
        return self.limit + 1


async def _paging(request: Request, response: Response, limit: Limit = 50, cursor: Cursor = None) -> Paging:
    return Paging(request, response, limit, cursor)


PagingDep = Annotated[Paging, Depends(_paging)]


def answer(question: Question, found: Found[T]) -> Answer[T]:
    return Answer(
        as_of=found.as_of,
        sites=_sites(question),
        protocol=found.protocol,
        today=found.today,
        result=found.result,
    )


def table(question: Question, found: Found[T], sheet: Callable[[T], Sheet], *, as_csv: bool) -> Answer[T] | Response:
    """An answer as it was asked for."""
    return _csv(sheet(found.result), found.as_of) if as_csv else answer(question, found)


def page(
    paged: Paging,
    question: Question,
    found: Found[list[M]],
    key_of: Callable[[M], tuple[str | int, ...]],
    sheet: Callable[[Iterable[M]], Sheet],
    *,
    as_csv: bool,
) -> Listing[M] | Response:
    """A page of a list."""
    items = found.result[: paged.limit]
    last = key_of(items[-1]) if len(found.result) > paged.limit else None
    plain = paging.page(paged.request, paged.response, items, paged.limit, last)
    if as_csv:
        return _csv(sheet(items), found.as_of, link=paged.response.headers.get("Link"))
    return Listing(items=items, next_cursor=plain.next_cursor, as_of=found.as_of, sites=_sites(question))


def _sites(question: Question) -> tuple[str, ...] | None:
    sites = question.scope.sites
    return None if sites is None else tuple(sorted(sites))


def _csv(sheet: Sheet, as_of: AsOf, *, link: str | None = None) -> Response:
    headers = {
        "Trial-As-Of": as_of.model_dump_json(),
        "Content-Disposition": f'attachment; filename="{sheet.name}.csv"',
        **({} if link is None else {"Link": link}),
    }
    return Response(as_csv(sheet), media_type=f"{CSV}; charset=utf-8; header=present", headers=headers)
