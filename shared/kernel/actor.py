"""Who acts: a person or a system, their roles, and the sites they act for."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of the trial (ICH E6: investigator, monitor, sponsor; the others are its delegation log)."""

    COORDINATOR = "coordinator"
    INVESTIGATOR = "investigator"
    RADIOLOGIST = "radiologist"
    INDEPENDENT_READER_1 = "independent-reader-1"
    INDEPENDENT_READER_2 = "independent-reader-2"
    ADJUDICATOR = "adjudicator"
    LABORATORY = "laboratory"
    MANUFACTURING = "manufacturing"  # makes the product
    QUALITY = "quality"  # releases it: independent of who makes it (EU GMP part IV)
    SAFETY_OFFICER = "safety-officer"
    MONITOR = "monitor"
    SPONSOR = "sponsor"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated caller. `sites` None means every site of the trial.

    `role` is the one under which the actor does the thing at hand: it is recorded with each event.
    """

    id: str
    roles: frozenset[Role]
    sites: frozenset[str] | None
    role: Role

    def may_see(self, site: str) -> bool:
        return self.sites is None or site in self.sites


def system(name: str) -> Actor:
    """A part of the system that acts by itself, at every site."""
    return Actor(name, frozenset({Role.SYSTEM}), None, Role.SYSTEM)
