"""Dose-limiting toxicity by dose level: how many were treated, are still watched, count, and why others do not.

The rule of who counts is `shared.protocol.dose_limiting_status`, the same that the safety service decides by; the hour
enters, as a window may have ended since the last event.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from services.projector.domain.cohort import ENDS_OF_FOLLOW_UP, in_order_of_dose
from services.projector.domain.figures import Exact, Figure
from services.projector.domain.stopping_rules import FiredRule, StoppingRuleState, stopping_rules
from shared.contracts.enrollment_terms import ParticipantStatus
from shared.contracts.safety_dose_limiting import Decision, DltBasis, ToxicitySource, wants_a_look
from shared.contracts.terms import PartialDate, SiteId, latest
from shared.protocol import Protocol
from shared.protocol.dose_limiting_status import (
    DltStatus,
    DosedCourse,
    NotEvaluable,
    evaluability,
    window_of,
)


@dataclass(frozen=True, slots=True)
class Dosed:
    """Somebody enrolled or infused. `zone` is the site's; `infused_from` None: no infusion stands."""

    participant_id: UUID
    subject_number: str
    site_id: str
    dose_level: str | None
    zone: tzinfo
    infused_from: datetime | None
    infused_to: datetime | None
    cells_per_kg: Decimal | None
    endings: Mapping[ParticipantStatus, str | None]

    def course(self) -> DosedCourse:
        """The first of the endings counts, and of a partial date the last day that it can mean."""
        left = [on for status, on in self.endings.items() if on is not None and status in ENDS_OF_FOLLOW_UP]
        return DosedCourse(self.dose_level, self.cells_per_kg, latest(min(left)) if left else None)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A toxicity that a rule proposed, or an officer named. `decided_on`: the basis at the decision."""

    dlt_id: UUID
    participant_id: UUID
    source: ToxicitySource
    adverse_event_id: UUID
    term: str | None
    basis: DltBasis
    withdrawn: bool
    proposed_at: datetime
    decision: Decision | None
    reason: str | None
    decided_on: DltBasis | None
    decided_at: datetime | None
    decided_by: str | None

    @property
    def wants_a_look(self) -> bool:
        return wants_a_look(self.basis, self.decided_on, self.decision, proposed=not self.withdrawn)


class ToxicityOfParticipant(Figure):
    """One toxicity, what the rules find in it now, and what was decided."""

    dlt_id: UUID
    source: ToxicitySource
    term: str | None = Field(description="Of CTCAE; null: its record has not arrived here yet")
    grade: int | None = Field(description="ASTCT's of an episode, CTCAE's of an adverse event")
    since: PartialDate | None
    rules: tuple[str, ...] = Field(description="Of the protocol; none: no rule holds now")
    withdrawn: bool = Field(description="No rule holds any more, and nobody had decided")
    decision: Decision | None
    reason: str | None
    decided_at: datetime | None
    decided_by: str | None
    wants_a_look: bool = Field(description="Undecided, or decided on another basis than what holds now")


class DosedParticipant(Figure):
    """Where one participant stands for the dose."""

    participant_id: UUID
    subject_number: str
    site_id: SiteId
    dose_level: str | None
    cells_per_kg: Exact | None
    window_begins: datetime | None
    window_ends: datetime | None
    status: DltStatus
    not_evaluable: tuple[NotEvaluable, ...] = Field(description="Why the participant does not count")
    toxicities: tuple[ToxicityOfParticipant, ...]


class ReasonCount(Figure):
    """Participants who do not count for this reason. Somebody may have two."""

    reason: NotEvaluable
    n: int


class DoseLevelToxicity(Figure):
    """One dose level. Those treated are in window, evaluable without DLT, with DLT, or not evaluable."""

    dose_level: str | None = Field(description="null: without a dose level")
    dose_cells_per_kg: Exact | None
    treated: int
    in_window: int
    evaluable_without_dlt: int
    with_dlt: int
    not_evaluable: int
    reasons: tuple[ReasonCount, ...]
    undecided: int = Field(description="Toxicities that an officer has to look at")


class DoseLimitingToxicityTable(Figure):
    """The table, the participants behind it, and the stopping rules."""

    window_days: int | None = Field(description="null: the trial counts no doses")
    levels: tuple[DoseLevelToxicity, ...]
    participants: tuple[DosedParticipant, ...]
    stopping_rules: tuple[StoppingRuleState, ...]


def dose_limiting_table(
    protocol: Protocol, people: Sequence[Dosed], proposed: Iterable[Proposed], fired: Sequence[FiredRule], now: datetime
) -> DoseLimitingToxicityTable:
    """Participants by dose level, then subject number. Every level of the protocol is listed."""
    of_each = proposed_of_each(people, proposed)
    place = {
        level: number for number, level in enumerate(in_order_of_dose(protocol, (each.dose_level for each in people)))
    }
    in_order = sorted(people, key=lambda each: (place[each.dose_level], each.subject_number, each.participant_id))
    listed = [dosed_participant(protocol, each, of_each[each.participant_id], now) for each in in_order]
    return DoseLimitingToxicityTable(
        window_days=None if protocol.dosing is None else protocol.dosing.dlt_window_days.value,
        levels=tuple(_levels(protocol, listed)),
        participants=tuple(listed),
        stopping_rules=tuple(stopping_rules(protocol.stopping.rules, fired, frozenset(of_each))),
    )


def proposed_of_each(people: Iterable[Dosed], proposed: Iterable[Proposed]) -> dict[UUID, list[Proposed]]:
    of_each: dict[UUID, list[Proposed]] = {each.participant_id: [] for each in people}
    for toxicity in proposed:
        if toxicity.participant_id in of_each:
            of_each[toxicity.participant_id].append(toxicity)
    return of_each


def dosed_participant(protocol: Protocol, who: Dosed, proposed: Sequence[Proposed], now: datetime) -> DosedParticipant:
    """Where one participant stands, with the toxicities that were proposed of them."""
    window = None
    if who.infused_from is not None and who.infused_to is not None:
        window = window_of(protocol, who.infused_from, who.infused_to, who.zone)
    has_dlt = any(each.decision == "confirmed" for each in proposed)
    stands = evaluability(who.course(), protocol.dosing, window, has_dlt=has_dlt, now=now)
    return DosedParticipant(
        participant_id=who.participant_id,
        subject_number=who.subject_number,
        site_id=who.site_id,
        dose_level=who.dose_level,
        cells_per_kg=who.cells_per_kg,
        window_begins=None if window is None else window.begins,
        window_ends=None if window is None else window.ends,
        status=stands.status,
        not_evaluable=stands.why,
        toxicities=tuple(_toxicity(each) for each in proposed),
    )


def _toxicity(known: Proposed) -> ToxicityOfParticipant:
    return ToxicityOfParticipant(
        dlt_id=known.dlt_id,
        source=known.source,
        term=known.term,
        grade=known.basis.grade,
        since=known.basis.since,
        rules=known.basis.rules,
        withdrawn=known.withdrawn,
        decision=known.decision,
        reason=known.reason,
        decided_at=known.decided_at,
        decided_by=known.decided_by,
        wants_a_look=known.wants_a_look,
    )


def _levels(protocol: Protocol, people: Iterable[DosedParticipant]) -> Iterator[DoseLevelToxicity]:
    """None in a trial that counts no doses."""
    if protocol.dosing is None:
        return
    doses = {level.name: level.dose_cells_per_kg for level in protocol.dosing.levels.value}
    treated = [each for each in people if each.status is not DltStatus.NOT_INFUSED]
    for name in in_order_of_dose(protocol, [*doses, *(each.dose_level for each in treated)]):
        here = [each for each in treated if each.dose_level == name]
        yield _level(name, doses.get(name or ""), here)


def _level(name: str | None, dose: Decimal | None, treated: Sequence[DosedParticipant]) -> DoseLevelToxicity:
    stand = Counter(each.status for each in treated)
    why = Counter(reason for each in treated for reason in each.not_evaluable)
    return DoseLevelToxicity(
        dose_level=name,
        dose_cells_per_kg=dose,
        treated=len(treated),
        in_window=stand[DltStatus.IN_WINDOW],
        evaluable_without_dlt=stand[DltStatus.EVALUABLE],
        with_dlt=stand[DltStatus.DLT],
        not_evaluable=stand[DltStatus.NOT_EVALUABLE],
        reasons=tuple(ReasonCount(reason=reason, n=why[reason]) for reason in NotEvaluable if why[reason]),
        undecided=sum(toxicity.wants_a_look for each in treated for toxicity in each.toxicities),
    )
