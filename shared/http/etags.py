"""The version of a stream as its entity tag, and the condition a change must carry."""

import re
from typing import Annotated

from fastapi import Depends, Header

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
