"""The reference safety information: which reactions the sponsor expects, in versions, of which one holds on a day.

It is one stream for the trial. A version never changes; one that was entered wrongly is withdrawn, with the reason.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.safety.domain import ctcae
from shared.contracts.safety_cases import (
    ListedTerm,
    ReferenceSafetyInformationEvent,
    ReferenceSafetyInformationRecorded,
    ReferenceSafetyInformationWithdrawn,
)
from shared.contracts.terms import Code, Day, Reason
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import AlreadyExists, Conflict, NotFound, Unacceptable

Version = ReferenceSafetyInformationRecorded


class RecordReferenceSafetyInformation(Command):
    """Put a version on record, with every reaction it lists. An empty list is a version too: nothing is expected."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rsi_version": "IB-2.0",
                    "effective_from": "2026-01-01",
                    "terms": [{"meddra_code": "10052015", "max_grade": 3, "fatal": False}],
                }
            ]
        }
    )

    rsi_version: Code = Field(description="The version's name, such as the edition of the investigator's brochure")
    effective_from: Day = Field(description="It holds for onsets from this day on, until another does")
    terms: Annotated[tuple[ListedTerm, ...], Field(max_length=500)]


class WithdrawReferenceSafetyInformation(Command):
    """The version was entered wrongly: it counts nowhere. The right one is recorded under another name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Terms of another product were listed"}]})

    reason: Reason


ReferenceSafetyInformationCommand = RecordReferenceSafetyInformation | WithdrawReferenceSafetyInformation


@dataclass(frozen=True, slots=True)
class Listings:
    """Every version that was recorded, and why some were withdrawn."""

    recorded: tuple[Version, ...] = ()
    withdrawn: tuple[ReferenceSafetyInformationWithdrawn, ...] = ()

    @property
    def standing(self) -> tuple[Version, ...]:
        gone = {each.rsi_version for each in self.withdrawn}
        return tuple(each for each in self.recorded if each.rsi_version not in gone)

    def named(self, rsi_version: str) -> Version:
        """Raises: NoSuchReferenceSafetyInformation."""
        for each in self.recorded:
            if each.rsi_version == rsi_version:
                return each
        raise NoSuchReferenceSafetyInformation("no version of the reference safety information has this name")

    def reason_withdrawn(self, rsi_version: str) -> str | None:
        return next((each.reason for each in self.withdrawn if each.rsi_version == rsi_version), None)


class NoSuchReferenceSafetyInformation(NotFound):
    """No version of the reference safety information has this name."""


class ReferenceSafetyInformationOnRecord(AlreadyExists):
    """Another content is on record under this name; a version never changes, so take a new name."""


class TwoVersionsOfOneDay(Conflict):
    """Another version holds from this day on; withdraw it first if it is wrong."""


class ListedTwice(Unacceptable):
    """A version lists each term once."""


def evolve(state: Listings, event: ReferenceSafetyInformationEvent) -> Listings:
    match event:
        case ReferenceSafetyInformationRecorded():
            return Listings((*state.recorded, event), state.withdrawn)
        case ReferenceSafetyInformationWithdrawn():
            return Listings(state.recorded, (*state.withdrawn, event))
        case _:
            assert_never(event)


def decide(
    command: ReferenceSafetyInformationCommand, state: Listings, rsi_version: str
) -> list[ReferenceSafetyInformationEvent]:
    """`rsi_version` is the one that is meant, which a withdrawal names in its path."""
    match command:
        case RecordReferenceSafetyInformation():
            return _recorded(command, state)
        case WithdrawReferenceSafetyInformation():
            return _withdrawn(command, state, rsi_version)
        case _:
            assert_never(command)


def _recorded(command: RecordReferenceSafetyInformation, state: Listings) -> list[ReferenceSafetyInformationEvent]:
    version = Version(
        rsi_version=command.rsi_version, effective_from=command.effective_from, terms=_checked(command.terms)
    )
    if version in state.recorded:
        return []
    if any(each.rsi_version == version.rsi_version for each in state.recorded):
        raise ReferenceSafetyInformationOnRecord("this version is on record with another content; take a new name")
    if any(each.effective_from == version.effective_from for each in state.standing):
        raise TwoVersionsOfOneDay(f"another version holds from {version.effective_from} on")
    return [version]


def _checked(terms: tuple[ListedTerm, ...]) -> tuple[ListedTerm, ...]:
    for term in terms:
        ctcae.as_reported(term.meddra_code, term.specification)
    if any(count > 1 for count in Counter(_name_of(term) for term in terms).values()):
        raise ListedTwice("a version lists each term once, with the worst grade that is expected")
    return tuple(sorted(terms, key=_name_of))


def _name_of(term: ListedTerm) -> tuple[str, str]:
    return term.meddra_code, (term.specification or "").casefold()


def _withdrawn(
    command: WithdrawReferenceSafetyInformation, state: Listings, rsi_version: str
) -> list[ReferenceSafetyInformationEvent]:
    state.named(rsi_version)
    if state.reason_withdrawn(rsi_version) is not None:
        return []
    return [ReferenceSafetyInformationWithdrawn(rsi_version=rsi_version, reason=command.reason)]


def in_force(standing: tuple[Version, ...], first: date, last: date) -> tuple[Version, ...]:
    """The versions that held on at least one of the days from `first` to `last`, the latest last."""
    by_day = sorted(standing, key=lambda each: each.effective_from)
    before = [each for each in by_day if each.effective_from <= first]
    during = [each for each in by_day if first < each.effective_from <= last]
    return (*before[-1:], *during)


DECIDER: Decider[ReferenceSafetyInformationCommand, Listings, str, ReferenceSafetyInformationEvent] = Decider(
    category="reference-safety-information", initial=Listings(), evolve=evolve, decide=decide
)
