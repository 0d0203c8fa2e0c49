"""The groups for which an answer is given beside that for all: by dose level, and by tumour type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from services.projector.domain.cohort import Infused, in_order_of_dose
from shared.protocol import Protocol

T = TypeVar("T")


class GroupedBy(StrEnum):
    """What the members of a group have in common."""

    ALL = "all"
    DOSE_LEVEL = "dose-level"
    TUMOUR_TYPE = "tumour-type"  # the diagnosis recorded at screening


@dataclass(frozen=True, slots=True)
class Group:
    """Some of those infused. `name` None: all, or those of whom it is not known."""

    by: GroupedBy
    name: str | None
    members: frozenset[UUID]


def groups(protocol: Protocol, cohort: Sequence[Infused]) -> list[Group]:
    """All, then each dose level from the lowest on, then each tumour type by name."""
    levels = in_order_of_dose(protocol, (each.dose_level for each in cohort))
    types = sorted({each.tumour_type for each in cohort}, key=lambda name: (name is None, name or ""))
    return [
        Group(GroupedBy.ALL, None, frozenset(each.participant_id for each in cohort)),
        *(
            Group(GroupedBy.DOSE_LEVEL, name, _members(each for each in cohort if each.dose_level == name))
            for name in levels
        ),
        *(
            Group(GroupedBy.TUMOUR_TYPE, name, _members(each for each in cohort if each.tumour_type == name))
            for name in types
        ),
    ]


def _members(people: Iterable[Infused]) -> frozenset[UUID]:
    return frozenset(each.participant_id for each in people)
