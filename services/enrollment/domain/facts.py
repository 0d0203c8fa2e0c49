"""What every decision about a participant may know beside the participant: the time, the protocol, the site's number.

Also the checks on dates that all commands share. Nothing that has not happened can be recorded; an instant may be
ahead of our clock by the little that two clocks differ.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.consent.documents import NO_FORMS, Forms
from shared.contracts.terms import earliest
from shared.kernel.actor import Actor
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Placement:
    """What a site gives to a person who is screened there for the first time."""

    participant_id: UUID
    time_zone: str
    subject_number: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`placement` is known where a site takes a person in, and nowhere else.

    `halting_rules`: the stopping rules that halt dosing. Asked where a participant is enrolled, and nowhere else.
    `forms`: those that the participant's consent goes by. `by`: who acts, where a person in a role decides.
    `receiving`: the time zone of the site that a participant goes to; None where there is no such site.
    """

    now: datetime
    protocol: Protocol
    placement: Placement | None = None
    halting_rules: tuple[str, ...] = ()
    forms: Forms = NO_FORMS
    by: Actor | None = None
    receiving: str | None = None

    def today(self, zone: ZoneInfo) -> date:
        """The calendar date at a site. Just before its midnight the next day may have begun on another clock."""
        return (self.now + CLOCK_SKEW).astimezone(zone).date()


class NoSuchParticipant(NotFound):
    """There is no such participant, or none at the sites that this actor acts for."""


class InTheFuture(Unacceptable):
    """Only what has happened is recorded: send the date or instant at which it did."""


class BeforeBirth(Unacceptable):
    """A date lies before the participant's month of birth."""


class OutOfOrder(Unacceptable):
    """A date contradicts one on record: correct the one that is wrong."""


class NotAtThisPoint(Conflict):
    """The participant does not stand where this command is possible: `GET` it to see where."""

    code = "not-at-this-point-of-participation"


def refuse_future_day(partial: str, facts: Facts, zone: ZoneInfo) -> None:
    """A partial date is in the future if its first possible day is."""
    if earliest(partial) > facts.today(zone):
        raise InTheFuture("the date lies in the future; send the date on which it happened")


def refuse_future_instant(at: datetime, facts: Facts) -> None:
    if at > facts.now + CLOCK_SKEW:
        raise InTheFuture("the instant lies in the future; send the instant at which it happened")
