"""A site: a hospital that takes part, and the numbers it gives to its participants.

The site's stream is where numbers are given, so two screenings at one site meet there and one of them decides again.
"""

from dataclasses import dataclass, replace
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.enrollment import SiteEvent, SiteOpened, SubjectNumberAllocated
from shared.contracts.saying import Says
from shared.contracts.terms import Code, KnownTimeZone, ShortText, SiteId
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound

Country = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{2}$"),
    Says("a country by the two capitals of its ISO 3166 code, such as TH"),
    Field(description="ISO 3166-1 alpha-2 code of the country", examples=["TH"]),
]


class OpenSite(Command):
    """Open a site of the trial. Its code begins the numbers of its participants."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"site_id": "CU", "name": "Chulalongkorn", "country": "TH", "time_zone": "Asia/Bangkok"}]
        }
    )

    site_id: SiteId
    name: ShortText
    country: Country
    time_zone: KnownTimeZone


class AllocateSubjectNumber(Command):
    """Give the site's next number to a participant. Part of screening; nobody sends it alone."""

    participant_id: UUID
    subject_label: Code | None = None


SiteCommand = OpenSite | AllocateSubjectNumber


@dataclass(frozen=True, slots=True)
class Unopened:
    """No site is known under this code."""


@dataclass(frozen=True, slots=True)
class Open:
    site_id: SiteId
    name: str
    country: str
    time_zone: str
    numbers: tuple[tuple[UUID, str], ...] = ()
    labels: frozenset[str] = frozenset()

    def number_of(self, participant_id: UUID) -> str | None:
        return dict(self.numbers).get(participant_id)


SiteState = Unopened | Open


class NoSuchSite(NotFound):
    """There is no such site, or none that this actor acts for."""


class SiteAlreadyOpen(AlreadyExists):
    """Another site is open under this code."""


class SubjectLabelTaken(Conflict):
    """The label belongs to another participant of this site: one person has one identity. Re-screen that one."""


def evolve(state: SiteState, event: SiteEvent) -> SiteState:
    match event:
        case SiteOpened():
            return Open(event.site_id, event.name, event.country, event.time_zone)
        case SubjectNumberAllocated():
            return _with_number(state, event)
        case _:
            assert_never(event)


def _with_number(state: SiteState, event: SubjectNumberAllocated) -> SiteState:
    if isinstance(state, Unopened):
        return state
    labels = state.labels | {event.subject_label} if event.subject_label is not None else state.labels
    return replace(state, numbers=(*state.numbers, (event.participant_id, event.subject_number)), labels=labels)


def decide(command: SiteCommand, state: SiteState, _facts: None) -> list[SiteEvent]:
    match command:
        case OpenSite():
            return _open(command, state)
        case AllocateSubjectNumber():
            return _allocate(command, state)
        case _:
            assert_never(command)


def _open(command: OpenSite, state: SiteState) -> list[SiteEvent]:
    if isinstance(state, Unopened):
        return [SiteOpened(**command.model_dump())]
    if (command.name, command.country, command.time_zone) == (state.name, state.country, state.time_zone):
        return []
    raise SiteAlreadyOpen(f"site {command.site_id} is open with other data; take another code")


def _allocate(command: AllocateSubjectNumber, state: SiteState) -> list[SiteEvent]:
    if isinstance(state, Unopened):
        raise NoSuchSite("there is no such site; a sponsor opens it first")
    if state.number_of(command.participant_id) is not None:
        return []
    if command.subject_label in state.labels:
        raise SubjectLabelTaken("this subject_label belongs to another participant of the site; re-screen that one")
    sequence = len(state.numbers) + 1
    return [
        SubjectNumberAllocated(
            site_id=state.site_id,
            participant_id=command.participant_id,
            sequence=sequence,
            subject_number=f"{state.site_id}-{sequence:03}",
            subject_label=command.subject_label,
        )
    ]


DECIDER: Decider[SiteCommand, SiteState, None, SiteEvent] = Decider("site", Unopened(), evolve, decide)
