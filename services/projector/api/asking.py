"""What every question has in common: about which sites, showing which write, and from which place on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import StringConstraints

from services.projector.application import Projector
from services.projector.reading import Question
from services.projector.readmodels.participants import Scope
from shared.contracts.saying import Says
from shared.contracts.terms import SiteId
from shared.http import paging
from shared.http.paging import UnreadableCursor
from shared.kernel.actor import Actor

Position = Annotated[
    str,
    StringConstraints(pattern=r"^[!-~]+$", max_length=300),
    Says("the position of a write as its header Trial-Position has it: <stream>@<version>"),
]
WaitFor = Annotated[
    Position | None,
    Query(
        description="Trial-Position of a write that the answer must show; waits up to 2 s, then 503",
        examples=["adverse-event:018f2b6e-5f0a-7c31-9d2e-0c7a5b1e4d10@1"],
    ),
]
Site = Annotated[SiteId | None, Query(description="Of this site alone")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The common part of a question, before it is known who asks."""

    site: str | None
    wait_for: str | None

    def by(self, actor: Actor, participant_id: UUID | None = None) -> Question:
        """What this actor may see of it: a site that is not the actor's own has nobody."""
        if self.site is None:
            return Question(Scope(actor.sites, participant_id), self.wait_for)
        sites = frozenset({self.site} if actor.may_see(self.site) else ())
        return Question(Scope(sites, participant_id), self.wait_for)


def about(participant_id: UUID, actor: Actor, wait_for: str | None) -> Question:
    """A question about one participant."""
    return Question(Scope(actor.sites, participant_id), wait_for)


async def _asked(site: Site = None, wait_for: WaitFor = None) -> Asked:
    return Asked(site, wait_for)


async def _projector(request: Request) -> Projector:
    projector: Projector = request.app.state.projector
    return projector


AskedDep = Annotated[Asked, Depends(_asked)]
ProjectorDep = Annotated[Projector, Depends(_projector)]


def key(cursor: str | None, *kinds: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    """The key in a cursor, each part read by its kind.

    Raises:
        UnreadableCursor: it was not made for a key of these kinds.
    """
    parts = paging.decode(cursor, tuple(int if kind is int else str for kind in kinds))
    if parts is None:
        return None
    try:
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except ValueError as error:
        raise UnreadableCursor(paging.AS_GIVEN) from error


def text(part: str) -> str:
    if not part.isprintable():
        raise ValueError(part)
    return part
