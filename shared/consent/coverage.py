"""What a participant's consent covers: whose is needed at which age, and what of it is lacking on a day.

A minor's guardian consents, and from the protocol's age on the child assents beside the guardian; from the age of
majority the participant consents, and the guardian's consent ends. Age is known by the month (see `age`): in the
month of the birthday that brings majority, both the guardian's and the participant's own consent are needed, and an
assent is asked for from the first day on which the child may have reached its age.

Source: ICH E6(R3) 2.8 and E11(R1) 2; the ages and the days of grace are the protocol's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from shared.consent.age import Age, age_on, first_possible_birthday
from shared.consent.documents import NO_FORMS, Forms, of_kind, still_suffices
from shared.consent.record import Consent, ConsentRecord
from shared.contracts.enrollment_terms import ConsentGap, ConsentKind, ConsentScope
from shared.contracts.terms import earliest, latest
from shared.kernel.errors import Conflict

if TYPE_CHECKING:  # a worker that only keeps consents is spared the protocol
    from shared.protocol import Protocol

DAY = timedelta(days=1)


class ConsentDoesNotCover(Conflict):
    """The participant's consent, as known here, does not cover data of that day.

    The message names what is lacking and no date: a blinded reader gets it too.
    """


def consents_needed(age: Age, protocol: "Protocol") -> frozenset[ConsentKind]:
    """The kinds of consent that a participant of this age needs."""
    majority = protocol.consent.majority_age_years.value
    needed = set()
    if age.at_least < majority:
        needed.add(ConsentKind.GUARDIAN)
    if age.at_most >= majority:
        needed.add(ConsentKind.OWN)
    elif age.at_most >= protocol.consent.assent_from_age_years.value:
        needed.add(ConsentKind.ASSENT)
    return frozenset(needed)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One participant's consent under the protocol, and the forms of the sites."""

    record: ConsentRecord
    protocol: "Protocol"
    forms: Forms = NO_FORMS

    def gaps(self, on: date, *scopes: ConsentScope) -> tuple[ConsentGap, ...]:
        """What consent to these parts of the trial lacks on a day, in a stable order; empty if it is valid.

        Consents count from the day on which they were obtained, and as long as no newer version of their document is
        required. Where the protocol does not ask for a new consent at majority, the guardian's goes on.
        """
        screening = self.record.screening_of(on)
        given = [consent for consent in screening.consents if consent.obtained_on <= on]
        needed = consents_needed(age_on(self.record.birth_month, on), self.protocol)
        if not self.protocol.consent.reconsent_at_majority.value and self._consented_as_a_minor(given):
            needed = needed - {ConsentKind.OWN} | {ConsentKind.GUARDIAN}
        lacking = [self._gap(kind, given, on) for kind in ConsentKind if kind in needed]
        withdrawn = [_WITHDRAWN[each] for each in ConsentScope if each in scopes and each in screening.withdrawn(on)]
        return (*(gap for gap in lacking if gap is not None), *withdrawn)

    def gaps_of(self, partial: str, *scopes: ConsentScope) -> tuple[ConsentGap, ...]:
        """What is lacking on a date as far as it is known: nothing, if nothing is on a day that it can mean."""
        first, last = earliest(partial), latest(partial)
        found: tuple[ConsentGap, ...] = ()
        for number in range((last - first).days + 1):
            found = self.gaps(first + number * DAY, *scopes)
            if not found:
                return ()
        return found

    def refuse_uncovered(self, partial: str, scope: ConsentScope) -> None:
        """Raises: ConsentDoesNotCover."""
        gaps = self.gaps_of(partial, scope)
        if gaps:
            raise ConsentDoesNotCover(
                f"consent does not cover that day: {', '.join(gaps)}; let enrollment record what is missing, and "
                "send this again; what was recorded a moment ago may still be on its way"
            )

    def coming_gaps(self, after: date, until: date, *scopes: ConsentScope) -> tuple[tuple[date, ConsentGap], ...]:
        """What the consent on record will come to lack, each with the first day of it: by age, or a newer document."""
        told, found = set(self.gaps(after, *scopes)), []
        for day in sorted(each for each in self._turns() if after < each <= until):
            come = [gap for gap in self.gaps(day, *scopes) if gap not in told]
            told.update(come)
            found += [(day, gap) for gap in come]
        return tuple(found)

    def lacking_since(self, gap: ConsentGap, on: date) -> date:
        """The first day of a gap that is there on a day, within the screening of that day."""
        screening = self.record.screening_of(on)
        ended = [each.withdrawn_on for each in screening.withdrawals]
        ended += [] if screening.withdrawn_on is None else [screening.withdrawn_on]
        days = self._turns() | {each.obtained_on for each in screening.consents} | {each + DAY for each in ended}
        for day in sorted((each for each in days if screening.begins < each <= on), reverse=True):
            if gap not in self.gaps(day - DAY, *ConsentScope):
                return day
        return screening.begins

    def version_asked(self, kind: ConsentKind, on: date) -> str | None:
        """The newest version of a form that is in use on a day; None where none is listed for that day."""
        listed = of_kind(self.forms.on(on), kind)
        if listed:
            used = [each.document_version for each in listed if each.effective_from <= on]
            return used[-1] if used else None
        own = [each for each in self.protocol.consent.documents if each.kind.value == kind.value]
        required = [each.version for each in own if each.required_from is None or each.required_from <= on]
        return required[-1] if required else None

    def _turns(self) -> set[date]:
        """The days from which more is asked for than before: by age, or of a newer document."""
        born, consent = first_possible_birthday(self.record.birth_month), self.protocol.consent
        ages = (consent.assent_from_age_years.value, consent.majority_age_years.value)
        own = {born.replace(year=born.year + age) for age in ages}
        trials = {each.required_from for each in consent.documents if each.required_from is not None}
        return own | self.forms.turns | trials

    def _consented_as_a_minor(self, given: Iterable[Consent]) -> bool:
        majority = self.protocol.consent.majority_age_years.value
        return any(
            consent.kind is ConsentKind.GUARDIAN
            and age_on(self.record.birth_month, consent.obtained_on).at_most < majority
            for consent in given
        )

    def _gap(self, kind: ConsentKind, given: Iterable[Consent], on: date) -> ConsentGap | None:
        own = [consent for consent in given if consent.kind is kind]
        missing, outdated = _LACKING[kind]
        if not own:
            return missing
        return None if any(self._suffices(consent, on) for consent in own) else outdated

    def _suffices(self, consent: Consent, on: date) -> bool:
        """A site that has documents of a kind on record goes by them, any other by the protocol's."""
        listed = of_kind(self.forms.on(on), consent.kind)
        if listed:
            return still_suffices(consent.document_version, consent.obtained_on, on, listed)
        versions = sufficient_versions(consent.kind, on, self.protocol)
        return versions is None or consent.document_version in versions


_LACKING = {
    ConsentKind.GUARDIAN: (ConsentGap.GUARDIAN_CONSENT_MISSING, ConsentGap.GUARDIAN_CONSENT_OUTDATED),
    ConsentKind.ASSENT: (ConsentGap.ASSENT_MISSING, ConsentGap.ASSENT_OUTDATED),
    ConsentKind.OWN: (ConsentGap.OWN_CONSENT_MISSING, ConsentGap.OWN_CONSENT_OUTDATED),
}
_WITHDRAWN = {
    ConsentScope.TREATMENT: ConsentGap.TREATMENT_WITHDRAWN,
    ConsentScope.FOLLOW_UP: ConsentGap.FOLLOW_UP_WITHDRAWN,
    ConsentScope.SAMPLES: ConsentGap.SAMPLES_WITHDRAWN,
}


def sufficient_versions(kind: ConsentKind, on: date, protocol: "Protocol") -> frozenset[str] | None:
    """The versions of the protocol's document on which a consent suffices on a day: that in force and those after it.

    None where the protocol lists no document of this kind: then any version suffices.
    """
    listed = [document for document in protocol.consent.documents if document.kind.value == kind.value]
    if not listed:
        return None
    in_force = [
        place for place, document in enumerate(listed) if document.required_from is None or document.required_from <= on
    ]
    start = in_force[-1] if in_force else 0
    return frozenset(document.version for document in listed[start:])
