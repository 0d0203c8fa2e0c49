"""A system that sends results: whose site it serves, the zone of its clock, and what its codes mean."""

from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from shared.contracts.biomarkers_intake import (
    MappedCode,
    ResultCodesMapped,
    ResultSourceEvent,
    ResultSourceRegistered,
    SourceId,
)
from shared.contracts.terms import Code, KnownTimeZone, Reason, SiteId
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, NotFound, Unacceptable

MOST_CODES = 1000


class NoSuchResultSource(NotFound):
    """No system that sends results has this id, or none at the caller's sites."""


class ResultSourceAlreadyRegistered(AlreadyExists):
    """Another system is on record under this id."""


class CodeMappedTwice(Unacceptable):
    """One request gives one code two meanings."""


class RegisterResultSource(Command):
    """Register a system that sends results of one site."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"source_id": "LUMILIS@CU", "site_id": "CU", "time_zone": "Asia/Bangkok", "platform": "LUMINEX-200"}
            ]
        }
    )

    source_id: SourceId
    site_id: SiteId
    time_zone: KnownTimeZone
    platform: Code | None = Field(None, description="The assay platform of results that name none")


class MapResultCodes(Command):
    """Give codes of the sender a meaning. Results on record keep what they were read as."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"codes": [{"code": "XIL6", "measures": "IL6"}]}]},
    )

    codes: Annotated[tuple[MappedCode, ...], Field(min_length=1, max_length=MOST_CODES)]


class DiscardMessage(Command):
    """Decide that what waits of a message will not be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "A control sample of the analyser"}]})

    reason: Reason


ResultSourceCommand = RegisterResultSource | MapResultCodes


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Nothing has been said under this id."""


@dataclass(frozen=True, slots=True)
class ResultSource:
    """A source as it stands. `codes` leads from its own codes to our keys; None: known, and not taken."""

    registered: ResultSourceRegistered
    codes: dict[str, str | None] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.registered.source_id

    @property
    def site_id(self) -> str:
        return self.registered.site_id

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.registered.time_zone)


State = Unregistered | ResultSource


def evolve(state: State, event: ResultSourceEvent) -> State:
    match event:
        case ResultSourceRegistered():
            return ResultSource(event)
        case ResultCodesMapped():
            if isinstance(state, ResultSource):
                return replace(state, codes=state.codes | {each.code: each.measures for each in event.codes})
            return state
        case _:
            assert_never(event)


def decide(command: ResultSourceCommand, state: State, _facts: None) -> list[ResultSourceEvent]:
    match command:
        case RegisterResultSource():
            return _registered(command, state)
        case MapResultCodes():
            return _mapped(command, state)
        case _:
            assert_never(command)


def _registered(command: RegisterResultSource, state: State) -> list[ResultSourceEvent]:
    event = ResultSourceRegistered(**command.model_dump())
    if isinstance(state, Unregistered):
        return [event]
    if state.registered == event:
        return []
    raise ResultSourceAlreadyRegistered("another system is registered under this id: take another id")


def _mapped(command: MapResultCodes, state: State) -> list[ResultSourceEvent]:
    if not isinstance(state, ResultSource):
        raise NoSuchResultSource("no system that sends results has this id, or none at your sites")
    if len({each.code for each in command.codes}) < len(command.codes):
        raise CodeMappedTwice("each code once: one of them is given two meanings")
    new = tuple(each for each in command.codes if state.codes.get(each.code, "") != each.measures)
    return [ResultCodesMapped(source_id=state.id, codes=new)] if new else []


DECIDER: Decider[ResultSourceCommand, State, None, ResultSourceEvent] = Decider(
    "result-source", Unregistered(), evolve, decide
)
