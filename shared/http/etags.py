"""The version of a stream as its entity tag, and the conditions that requests carry."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from shared.eventstore.store import OtherContentOnRecord
from shared.kernel.errors import StaleVersion, TrialError, Unacceptable

# A gateway that compresses turns a tag into a weak one: the version is the same.
_TAG = re.compile(r'^(?:W/)?"(\d{1,9})"$')


class MissingIfMatch(TrialError):
    """A change names the version it was decided on: send `If-Match` with the ETag of the last GET."""


class UnreadableIfMatch(Unacceptable):
    """`If-Match` takes exactly one entity tag, as it was given."""


# What any change can meet that is made on a version, beside its own problems: for `problems.of`.
VERSION_PROBLEMS: tuple[type[TrialError], ...] = (
    MissingIfMatch,
    UnreadableIfMatch,
    StaleVersion,
    OtherContentOnRecord,
)


def of(version: int) -> str:
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class AtHand:
    """The entity tags of what a client holds: it names them, or means any by `*` (RFC 9110, section 13.1.2)."""

    tags: frozenset[str]

    def __contains__(self, tag: str) -> bool:
        return tag in self.tags or "*" in self.tags


async def _at_hand(
    request: Request,
    if_none_match: Annotated[str | None, Header(description="The ETag of what is at hand; several, or `*`")] = None,
) -> AtHand:
    if if_none_match is None:
        return AtHand(frozenset())
    lines = request.headers.getlist("if-none-match")  # the header may come several times
    return AtHand(frozenset(tag.strip().removeprefix("W/") for line in lines for tag in line.split(",")))


async def _expected_version(
    if_match: Annotated[
        str | None, Header(description='The ETag of the version this change was decided on, e.g. `"3"`; required')
    ] = None,
) -> int:
    if if_match is None:
        raise MissingIfMatch("send If-Match with the ETag that the last GET gave")
    match = _TAG.match(if_match.strip())
    if match is None:
        raise UnreadableIfMatch('If-Match takes one entity tag as it was given, such as "3"')
    return int(match.group(1))


IfMatch = Annotated[int, Depends(_expected_version)]
IfNoneMatch = Annotated[AtHand, Depends(_at_hand)]
