"""Data on record that consent did not cover on their day.

A service refuses them, by what it has heard of consent. A withdrawal that is recorded late, or is on its way while a
result is taken, finds them on record: they stay, and are told.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from shared.consent.coverage import Coverage
from shared.contracts.enrollment_terms import ConsentGap, ConsentScope
from shared.contracts.terms import earliest


class Kept(NamedTuple):
    """Something on record that needs consent to a part of the trial; `at`: an instant, or a date as far as known."""

    participant_id: UUID
    what: str
    scope: ConsentScope
    at: datetime | str


class Uncovered(NamedTuple):
    """What consent lacked on a day of which something is on record."""

    participant_id: UUID
    on: date
    what: str
    gaps: tuple[ConsentGap, ...]


def uncovered_data(kept: Iterable[Kept], covered: Mapping[UUID, Coverage]) -> list[Uncovered]:
    """Each kind of data once a day. Of whom nothing of consent has been heard, nothing is said."""
    found = {_judged(each, covered[each.participant_id], each.at) for each in kept if each.participant_id in covered}
    return sorted(each for each in found if each.gaps)


def _judged(each: Kept, covered: Coverage, at: datetime | str) -> Uncovered:
    partial = covered.record.day_of(at).isoformat() if isinstance(at, datetime) else at
    return Uncovered(each.participant_id, earliest(partial), each.what, covered.gaps_of(partial, each.scope))
