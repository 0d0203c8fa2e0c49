"""Who lacks which consent, and who will before long: by age, or because a newer version of a form asks for it.

Of everybody whose consent still matters: participants in long-term follow-up too, nobody who failed screening, has
withdrawn, was lost or died. Days are the site's. Source: ICH E6(R3) 2.8.2 (consent anew on new information) and 2.8
(where a minor reaches the age of legal consent).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from shared.consent.age import age_on
from shared.consent.coverage import Coverage
from shared.contracts.enrollment_terms import ConsentGap, ConsentKind, ConsentScope, ParticipantStatus

AHEAD = timedelta(days=90)  # how far ahead is looked if nobody says: our choice, longer than the usual days of grace


class GapState(StrEnum):
    """How a gap stands today."""

    LACKING = "lacking"  # a consent is to be obtained: what is gated is refused meanwhile
    DUE = "due"  # the consent on record suffices today, and no longer from a day on
    WITHDRAWN = "withdrawn"  # nobody has to do anything: this part of the trial is not allowed


class WhyAsked(StrEnum):
    """Why a consent is asked for."""

    NEVER_GIVEN = "never-given"
    NEWER_DOCUMENT = "newer-document"
    AGE_OF_ASSENT = "age-of-assent"  # the child has reached it, or will
    CAME_OF_AGE = "came-of-age"  # the participant has, or will: the guardian's consent ends
    WITHDRAWN = "withdrawn"


class ConsentGapOf(Figure):
    """One thing that one participant's consent lacks, or will."""

    participant_id: UUID
    subject_number: str
    site_id: str
    status: ParticipantStatus
    gap: ConsentGap
    state: GapState
    why: WhyAsked
    since: date = Field(
        description="The first day on which it is or will be lacking; the day before it ends the days of grace. In the "
        "month of a birthday the day is not known, so the first of the month counts"
    )
    document_version: str | None = Field(
        description="The version of the form to sign, the newest in use on that day; null: none is listed"
    )


class GapKey(NamedTuple):
    """What is lacking comes first, then what is due, the longest or soonest first."""

    place: int
    since: date
    subject_number: str
    participant_id: UUID
    gap: str


@dataclass(frozen=True, slots=True)
class Consenting:
    """A participant, where they stand, and what their consent covers."""

    participant_id: UUID
    subject_number: str
    status: ParticipantStatus
    covered: Coverage


_ASKED = frozenset(
    {
        ParticipantStatus.SCREENING,
        ParticipantStatus.ENROLLED,
        ParticipantStatus.INFUSED,
        ParticipantStatus.OFF_TREATMENT,
        ParticipantStatus.COMPLETED,
    }
)
_KINDS = {
    ConsentGap.GUARDIAN_CONSENT_MISSING: ConsentKind.GUARDIAN,
    ConsentGap.GUARDIAN_CONSENT_OUTDATED: ConsentKind.GUARDIAN,
    ConsentGap.ASSENT_MISSING: ConsentKind.ASSENT,
    ConsentGap.ASSENT_OUTDATED: ConsentKind.ASSENT,
    ConsentGap.OWN_CONSENT_MISSING: ConsentKind.OWN,
    ConsentGap.OWN_CONSENT_OUTDATED: ConsentKind.OWN,
}
_OUTDATED = frozenset(
    {ConsentGap.GUARDIAN_CONSENT_OUTDATED, ConsentGap.ASSENT_OUTDATED, ConsentGap.OWN_CONSENT_OUTDATED}
)


def consent_gaps(
    people: Iterable[Consenting], *, now: datetime, until: date | None = None, states: frozenset[GapState] = frozenset()
) -> list[ConsentGapOf]:
    """What participants lack today and up to `until`; `states`: only what stands so, none named: all."""
    found = (line for each in people if each.status in _ASKED for line in _of(each, now, until))
    return sorted((line for line in found if not states or line.state in states), key=key_of_gap)


def key_of_gap(line: ConsentGapOf) -> GapKey:
    place = tuple(GapState).index(line.state)
    return GapKey(place, line.since, line.subject_number, line.participant_id, line.gap.value)


def _of(who: Consenting, now: datetime, until: date | None) -> Iterator[ConsentGapOf]:
    covered, today = who.covered, who.covered.record.day_of(now)
    for gap in covered.gaps(today, *ConsentScope):
        state = GapState.LACKING if gap in _KINDS else GapState.WITHDRAWN
        yield _line(who, gap, state, covered.lacking_since(gap, today), today)
    for day, gap in covered.coming_gaps(today, until or today + AHEAD, *ConsentScope):
        yield _line(who, gap, GapState.DUE, day, day)


def _line(who: Consenting, gap: ConsentGap, state: GapState, since: date, asked_on: date) -> ConsentGapOf:
    kind = _KINDS.get(gap)
    return ConsentGapOf(
        participant_id=who.participant_id,
        subject_number=who.subject_number,
        site_id=who.covered.record.site_id,
        status=who.status,
        gap=gap,
        state=state,
        why=_why(who.covered, gap, since),
        since=since,
        document_version=None if kind is None else who.covered.version_asked(kind, asked_on),
    )


def _why(covered: Coverage, gap: ConsentGap, since: date) -> WhyAsked:
    if gap not in _KINDS:
        return WhyAsked.WITHDRAWN
    if gap in _OUTDATED:
        return WhyAsked.NEWER_DOCUMENT
    record, ages = covered.record, covered.protocol.consent
    began = age_on(record.birth_month, record.screening_of(since).begins)
    if gap is ConsentGap.OWN_CONSENT_MISSING and began.at_most < ages.majority_age_years.value:
        return WhyAsked.CAME_OF_AGE
    if gap is ConsentGap.ASSENT_MISSING and began.at_most < ages.assent_from_age_years.value:
        return WhyAsked.AGE_OF_ASSENT
    return WhyAsked.NEVER_GIVEN
