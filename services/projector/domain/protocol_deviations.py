"""Protocol deviations: everything that departed from the protocol, in one list.

What was given, or to whom, is as it is on record now: an infusion that was taken back departs from nothing. Visits
follow from the schedule, and nobody records them. Which kinds are important is the protocol's to say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field

from services.projector.domain.figures import Figure
from services.projector.domain.site_schedule import ScheduleDeviation
from services.projector.domain.uncovered_data import Uncovered
from shared.contracts.enrollment import CellsInfused, InfusionCorrected, InfusionRetracted, ParticipantEnrolled
from shared.contracts.enrollment_escalation import (
    InfusionJudged,
    InfusionJudgementRetracted,
    InfusionOverrideConfirmed,
    InfusionOverrideRequested,
    Permission,
)
from shared.contracts.enrollment_exceptions import EligibilityExceptionDecided, EligibilityExceptionRequested
from shared.contracts.enrollment_lymphodepletion import (
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.contracts.enrollment_product import InfusionAppraised
from shared.contracts.enrollment_product_terms import ProductFinding
from shared.contracts.terms import SiteId
from shared.kernel.events import Event
from shared.protocol import DeviationKind, Protocol
from shared.protocol.schedule import local_date, sdtm_study_day

OF_DEVIATIONS: tuple[type[Event], ...] = (
    CellsInfused,
    InfusionCorrected,
    InfusionRetracted,
    InfusionAppraised,
    InfusionJudged,
    InfusionJudgementRetracted,
    InfusionOverrideRequested,
    InfusionOverrideConfirmed,
    LymphodepletionRecorded,
    LymphodepletionCorrected,
    LymphodepletionRetracted,
    ParticipantEnrolled,
    EligibilityExceptionRequested,
    EligibilityExceptionDecided,
)

_OF_LYMPHODEPLETION = (LymphodepletionRecorded, LymphodepletionCorrected, LymphodepletionRetracted)
_OF_ENROLMENT = (ParticipantEnrolled, EligibilityExceptionRequested, EligibilityExceptionDecided)

BY_FINDING = {
    ProductFinding.LOT_OF_ANOTHER_PARTICIPANT: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.SCANNED_FOR_ANOTHER_PARTICIPANT: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.LOT_UNKNOWN: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.LOT_DIFFERS: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.BAG_UNKNOWN: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.BAG_USED: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.PARTICIPANT_DIFFERS: DeviationKind.PRODUCT_IDENTITY,
    ProductFinding.NOT_RELEASED: DeviationKind.PRODUCT_NOT_RELEASED,
    ProductFinding.REJECTED: DeviationKind.PRODUCT_NOT_RELEASED,
    ProductFinding.RELEASE_TEST_FAILED: DeviationKind.PRODUCT_NOT_RELEASED,
    ProductFinding.EXPIRED: DeviationKind.PRODUCT_NOT_RELEASED,
    ProductFinding.SECOND_INFUSION_NOT_ALLOWED: DeviationKind.SECOND_INFUSION,
    ProductFinding.SECOND_INFUSION_TOO_EARLY: DeviationKind.SECOND_INFUSION,
    ProductFinding.DOSE_OUT_OF_RANGE: DeviationKind.DOSE_OUT_OF_RANGE,
    ProductFinding.BAG_NOT_THAWED: DeviationKind.PRODUCT_HANDLING,
    ProductFinding.IDENTITY_NOT_VERIFIED: DeviationKind.PRODUCT_HANDLING,
    ProductFinding.TEMPERATURE_OUT_OF_LIMITS: DeviationKind.PRODUCT_HANDLING,
}


class DecidedBy(Figure):
    """Somebody who decided that it be done all the same, and why."""

    actor: str
    role: str
    reason: str | None


class ProtocolDeviation(Figure):
    """One departure from the protocol. Days are those of the participant's site."""

    participant_id: UUID
    subject_number: str
    site_id: SiteId
    kind: DeviationKind
    important: bool | None = Field(description="As the protocol's list says (ICH E3); null: it has no such list")
    occurred_on: date = Field(description="Of a visit that was missed, the last day of its window")
    day: int | None = Field(description="CAR-T day, infusion = day 0; null: there is no infusion to count from")
    study_day: int | None = Field(description="The same in SDTM (--DY), which has no day 0")
    about: str = Field(
        description="The infusion or lymphodepletion by its number, visit and kind of assessment, year of long-term "
        "follow-up and kind of contact, or the kind of data",
        examples=["infusion 1", "D14 cytokines", "Y2 examination"],
    )
    found: tuple[str, ...] = Field(
        description="Codes: what forbade it, what was not as it should be, what consent lacked, which criteria",
        examples=[["stagger", "no-slot"]],
    )
    decided_by: tuple[DecidedBy, ...] = Field(description="Who took the decision, where anybody did")
    recorded_by: str | None = Field(
        description="Null: it follows from the schedule, or from consent, and nobody recorded it"
    )
    recorded_at: datetime | None


class DeviationKey(NamedTuple):
    """The order of deviations: by participant, then in order of time."""

    subject_number: str
    participant_id: UUID
    occurred_on: date
    kind: str
    about: str


def key_of_deviation(line: ProtocolDeviation) -> DeviationKey:
    return DeviationKey(line.subject_number, line.participant_id, line.occurred_on, line.kind.value, line.about)


@dataclass(frozen=True, slots=True)
class Told:
    """An event, with who recorded it, and when."""

    event: Any
    actor: str
    role: str
    recorded_at: datetime

    def decided(self, reason: str | None) -> DecidedBy:
        return DecidedBy(actor=self.actor, role=self.role, reason=reason)


@dataclass(frozen=True, slots=True)
class Whose:
    """A participant. `zone`: of the site; `day_zero` None: no infusion is on record."""

    participant_id: UUID
    subject_number: str
    site_id: str
    zone: str
    day_zero: datetime | None


@dataclass(slots=True)
class _Record:
    """What is on record of one participant now, the latest of each."""

    infusions: dict[int, Told] = field(default_factory=dict)
    appraisals: dict[int, Told] = field(default_factory=dict)
    judged: dict[int, Told] = field(default_factory=dict)
    asked: dict[int, Told] = field(default_factory=dict)
    confirmed: dict[int, Told] = field(default_factory=dict)
    lymphodepletions: dict[UUID, Told] = field(default_factory=dict)
    enrolled: dict[UUID, Told] = field(default_factory=dict)
    exception_asked: dict[UUID, Told] = field(default_factory=dict)
    exception_granted: dict[UUID, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Departure:
    kind: DeviationKind
    on: date
    about: str
    found: tuple[str, ...]
    told: Told
    decided_by: tuple[DecidedBy, ...] = ()


def protocol_deviations(
    protocol: Protocol,
    people: Iterable[Whose],
    told: Mapping[UUID, Sequence[Told]],
    schedule: Iterable[ScheduleDeviation],
    kinds: frozenset[DeviationKind] = frozenset(),
    uncovered: Iterable[Uncovered] = (),
) -> list[ProtocolDeviation]:
    """Every deviation of these people, or those of some kinds. `told`: each one's events, in order of each stream.

    `uncovered`: what was collected without consent.
    """
    known = {who.participant_id: who for who in people}
    of_record = (
        _line(protocol, who, departure)
        for who in known.values()
        for departure in _departures(protocol.in_zone(who.zone), _record(told.get(who.participant_id, ())))
    )
    of_visits = (_of_visit(protocol, known[each.participant_id], each) for each in schedule)
    of_data = (_of_data(protocol, known[each.participant_id], each) for each in uncovered)
    lines = [line for line in (*of_record, *of_visits, *of_data) if not kinds or line.kind in kinds]
    return sorted(lines, key=key_of_deviation)


def _record(told: Iterable[Told]) -> _Record:
    """An event is the latest of its kind, or takes one away."""
    record = _Record()
    kept: dict[type[Event], dict[Any, Told]] = {
        CellsInfused: record.infusions,
        InfusionCorrected: record.infusions,
        InfusionAppraised: record.appraisals,
        InfusionJudged: record.judged,
        InfusionOverrideRequested: record.asked,
        InfusionOverrideConfirmed: record.confirmed,
        LymphodepletionRecorded: record.lymphodepletions,
        LymphodepletionCorrected: record.lymphodepletions,
        ParticipantEnrolled: record.enrolled,
        EligibilityExceptionRequested: record.exception_asked,
        EligibilityExceptionDecided: record.exception_granted,
    }
    gone: dict[type[Event], dict[Any, Told]] = {
        InfusionRetracted: record.infusions,
        InfusionJudgementRetracted: record.judged,
        LymphodepletionRetracted: record.lymphodepletions,
    }
    for each in told:
        kind = type(each.event)
        key = _key(each.event)
        if kind in gone:
            gone[kind].pop(key, None)
        else:
            kept[kind][key] = each
    return record


def _key(event: Any) -> Any:
    """What of a participant an event is about: a course, an infusion, else the enrolment."""
    if isinstance(event, _OF_LYMPHODEPLETION):
        return event.lymphodepletion_id
    return event.participant_id if isinstance(event, _OF_ENROLMENT) else event.infusion_number


def _departures(at_site: Protocol, record: _Record) -> Iterator[_Departure]:
    for enrolled in record.enrolled.values():
        yield from _of_eligibility(enrolled, record)
    for number, infusion in record.infusions.items():
        on = local_date(at_site, infusion.event.started_at)
        yield from _of_gate(number, on, record)
        yield from _of_product(number, on, record.appraisals.get(number))
        yield from _of_consent(f"infusion {number}", on, infusion)
    of_days = {(each.event.began_on, each.event.prepares_infusion): each for each in record.lymphodepletions.values()}
    for given in of_days.values():
        yield from _of_consent(f"lymphodepletion {given.event.prepares_infusion}", given.event.began_on, given)


def _of_eligibility(enrolled: Told, record: _Record) -> Iterator[_Departure]:
    """Two people decided that it be done all the same: who asked, and who granted it."""
    if enrolled.event.criteria_excepted:
        who, found = enrolled.event.participant_id, enrolled.event.criteria_excepted
        by = _said(record.exception_asked.get(who), record.exception_granted.get(who))
        on = enrolled.event.enrolled_on
        yield _Departure(DeviationKind.ENROLLED_CRITERION_NOT_MET, on, "eligibility", found, enrolled, by)


def _of_gate(number: int, on: date, record: _Record) -> Iterator[_Departure]:
    """An override departs from the protocol where an infusion was given by it."""
    judged = record.judged.get(number)
    if judged is None or judged.event.permission is Permission.PERMITTED:
        return
    about, found = f"infusion {number}", tuple(bar.value for bar in judged.event.bars)
    if judged.event.permission is Permission.DEVIATION:
        by = _said(judged)
        yield _Departure(DeviationKind.INFUSION_OUTSIDE_GATE, on, about, found, judged, by)
    else:
        by = _said(record.asked.get(number), record.confirmed.get(number))
        yield _Departure(DeviationKind.GATE_OVERRIDDEN, on, about, found, judged, by)


def _said(*told: Told | None) -> tuple[DecidedBy, ...]:
    """What each of them said to it, in order."""
    return tuple(each.decided(each.event.reason) for each in told if each is not None)


def _of_product(number: int, on: date, appraised: Told | None) -> Iterator[_Departure]:
    """One line per kind. What was found and refused nothing was nobody's decision."""
    if appraised is None:
        return
    despite = appraised.event.given_despite
    by = () if despite is None else (appraised.decided(despite),)
    of_kind: dict[DeviationKind, list[str]] = {}
    for finding in appraised.event.findings:
        of_kind.setdefault(BY_FINDING[finding], []).append(finding.value)
    for kind, found in of_kind.items():
        yield _Departure(kind, on, f"infusion {number}", tuple(found), appraised, by)


def _of_consent(about: str, on: date, given: Told) -> Iterator[_Departure]:
    gaps = tuple(gap.value for gap in given.event.consent_gaps)
    if gaps:
        yield _Departure(DeviationKind.CONSENT_LACKING, on, about, gaps, given)


def _line(protocol: Protocol, who: Whose, departure: _Departure) -> ProtocolDeviation:
    return ProtocolDeviation(
        **_of_whom(protocol, who, departure.kind, departure.on),
        about=departure.about,
        found=departure.found,
        decided_by=departure.decided_by,
        recorded_by=departure.told.actor,
        recorded_at=departure.told.recorded_at,
    )


def _of_visit(protocol: Protocol, who: Whose, each: ScheduleDeviation) -> ProtocolDeviation:
    on = each.closes_on if each.performed_on is None else each.performed_on
    late = () if each.days_after_window is None else (f"days-after-window: {each.days_after_window}",)
    return ProtocolDeviation(
        **_of_whom(protocol, who, DeviationKind(each.kind.value), on),
        about=f"{each.visit} {each.assessment or each.contact}",
        found=late,
        decided_by=(),
        recorded_by=None,
        recorded_at=None,
    )


def _of_data(protocol: Protocol, who: Whose, each: Uncovered) -> ProtocolDeviation:
    return ProtocolDeviation(
        **_of_whom(protocol, who, DeviationKind.CONSENT_LACKING, each.on),
        about=each.what,
        found=tuple(gap.value for gap in each.gaps),
        decided_by=(),
        recorded_by=None,
        recorded_at=None,
    )


def _of_whom(protocol: Protocol, who: Whose, kind: DeviationKind, on: date) -> dict[str, Any]:
    listed = None if protocol.deviations is None else protocol.deviations.important.value
    day = None if who.day_zero is None else (on - local_date(protocol.in_zone(who.zone), who.day_zero)).days
    return {
        "participant_id": who.participant_id,
        "subject_number": who.subject_number,
        "site_id": who.site_id,
        "kind": kind,
        "important": None if listed is None else kind in listed,
        "occurred_on": on,
        "day": day,
        "study_day": None if day is None else sdtm_study_day(day),
    }
