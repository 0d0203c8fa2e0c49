"""What is on record of one participant's consent, screening by screening, as enrollment's events tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from shared.consent.documents import Documents, Forms
from shared.contracts.enrollment import (
    ConsentCorrected,
    ConsentObtained,
    ConsentWithdrawn,
    DiscontinuationRetracted,
    ParticipantRescreened,
    ParticipantScreened,
    ParticipantTransferred,
    ScreeningDataCorrected,
)
from shared.contracts.enrollment_consent import ConsentLimited, ConsentRestored
from shared.contracts.enrollment_terms import ConsentKind, ConsentScope, ParticipantStatus, Relationship
from shared.contracts.terms import BirthMonth


@dataclass(frozen=True, slots=True)
class Consent:
    kind: ConsentKind
    relationship: Relationship | None
    document_version: str
    language: str
    obtained_on: date


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Consent to one part of the trial, withdrawn; `restored_on` None: to this day."""

    scope: ConsentScope
    withdrawn_on: date
    restored_on: date | None = None

    def covers(self, on: date) -> bool:
        """The hours of both days are not known: what was done on either counts as done with consent."""
        return on > self.withdrawn_on and (self.restored_on is None or on < self.restored_on)


@dataclass(frozen=True, slots=True)
class Screening:
    """One screening: consents and withdrawals begin anew with it. `withdrawn_on`: from the trial as a whole."""

    screened_on: date
    consents: tuple[Consent, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    withdrawn_on: date | None = None

    @property
    def begins(self) -> date:
        """A family often consents before the screening itself."""
        return min((self.screened_on, *(each.obtained_on for each in self.consents)))

    def withdrawn(self, on: date) -> frozenset[ConsentScope]:
        """The parts of the trial that are withdrawn on a day."""
        if self.withdrawn_on is not None and on > self.withdrawn_on:
            return frozenset(ConsentScope)
        return frozenset(each.scope for each in self.withdrawals if each.covers(on))

    @property
    def withdrawn_still(self) -> frozenset[ConsentScope]:
        """The parts that stay withdrawn."""
        return frozenset(each.scope for each in self.withdrawals if each.restored_on is None)


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One participant's consent. Calendar dates are the site's. `former_sites`: each with the day of the transfer."""

    site_id: str
    time_zone: str
    birth_month: BirthMonth
    screenings: tuple[Screening, ...]
    former_sites: tuple[tuple[str, date], ...] = ()

    @property
    def present(self) -> Screening:
        return self.screenings[-1]

    def screening_of(self, on: date) -> Screening:
        """The screening in whose time a day lies; the first one for what lies before all."""
        begun = [each for each in self.screenings if each.begins <= on]
        return begun[-1] if begun else self.screenings[0]

    @property
    def sites(self) -> tuple[str, ...]:
        """Where the participant is, and was."""
        return (self.site_id, *(site for site, _ in self.former_sites))

    def forms(self, of_sites: Mapping[str, Documents]) -> Forms:
        """The forms that this consent goes by, of those of each site."""
        former = tuple((until, of_sites.get(site, ())) for site, until in self.former_sites)
        return Forms(of_sites.get(self.site_id, ()), former)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.time_zone)).date()


LaterEvent = (
    ParticipantRescreened
    | ScreeningDataCorrected
    | ParticipantTransferred
    | ConsentObtained
    | ConsentCorrected
    | ConsentLimited
    | ConsentRestored
    | ConsentWithdrawn
    | DiscontinuationRetracted
)
ConsentEvent = ParticipantScreened | LaterEvent


def begin(event: ParticipantScreened) -> ConsentRecord:
    return ConsentRecord(event.site_id, event.time_zone, event.birth_month, (Screening(event.screened_on),))


def evolve(was: ConsentRecord, event: LaterEvent) -> ConsentRecord:  # noqa: PLR0911 - one line per event
    match event:
        case ParticipantRescreened(screened_on=on):
            return replace(was, screenings=(*was.screenings, Screening(on)))
        case ScreeningDataCorrected():
            return replace(_present(was, screened_on=event.screened_on), birth_month=event.birth_month)
        case ParticipantTransferred(site_id=site, time_zone=zone, transferred_on=on):
            former = (*was.former_sites, (was.site_id, on))
            return replace(was, site_id=site, time_zone=zone, former_sites=former)
        case ConsentObtained():
            return _present(was, consents=(*was.present.consents, _consent(event)))
        case ConsentCorrected(consent_number=number):
            known = was.present.consents
            return _present(was, consents=(*known[: number - 1], _consent(event), *known[number:]))
        case ConsentLimited(scopes=scopes, withdrawn_on=on):
            ended = tuple(Withdrawal(each, on) for each in scopes)
            return _present(was, withdrawals=(*was.present.withdrawals, *ended))
        case ConsentRestored():
            return _present(was, withdrawals=tuple(_restored(was.present.withdrawals, event)))
        case ConsentWithdrawn(withdrawn_on=on):
            return _present(was, withdrawn_on=on)
        case DiscontinuationRetracted(retracted=status):
            return _present(was, withdrawn_on=None) if status is ParticipantStatus.WITHDRAWN else was
        case _:
            assert_never(event)


def _restored(withdrawals: Iterable[Withdrawal], event: ConsentRestored) -> Iterable[Withdrawal]:
    for each in withdrawals:
        if each.scope not in event.scopes or each.restored_on is not None:
            yield each
        elif event.restored_on is not None:
            yield replace(each, restored_on=event.restored_on)


def _present(was: ConsentRecord, **changes: object) -> ConsentRecord:
    return replace(was, screenings=(*was.screenings[:-1], replace(was.present, **changes)))  # type: ignore[arg-type]


def _consent(event: ConsentObtained | ConsentCorrected) -> Consent:
    return Consent(**{each.name: getattr(event, each.name) for each in fields(Consent)})
