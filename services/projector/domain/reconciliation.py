"""What is open about the safety of each participant, so that nothing waits unseen between records, people and reports.

An item closes by an event alone: a report that was sent, a decision, an acknowledgement, a correction. Time opens none
but makes a clock that runs one that is overdue.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from services.projector.domain.dose_limiting_table import Proposed
from services.projector.domain.figures import Figure
from shared.contracts.safety_cases import ReportKind
from shared.contracts.safety_laboratory import QuarantineProblem


class OpenKind(StrEnum):
    """What somebody has to do something about."""

    REPORT_MISSING = "report-missing"  # serious, and no report was sent to anybody
    REPORT_REJECTED = "report-rejected"  # by its recipient, who has accepted none since
    NULLIFICATION_MISSING = "nullification-missing"  # reported, and the event was retracted since
    CLOCK_MISSED = "clock-missed"  # the duty was due, and is not done
    CLOCK_RUNNING = "clock-running"
    ALERT_UNACKNOWLEDGED = "alert-unacknowledged"
    DLT_UNDECIDED = "dlt-undecided"
    DLT_BASIS_CHANGED = "dlt-basis-changed"  # decided on another basis than what holds now
    CANDIDATE_UNDECIDED = "candidate-undecided"  # laboratory values that may be an adverse event
    CANDIDATE_CHANGED = "candidate-changed"  # worse than when it was decided; or taken for an event, and gone since
    ROW_QUARANTINED = "row-quarantined"  # of a laboratory; nobody can read what it says yet
    PERIODIC_REPORT_MISSED = "periodic-report-missed"  # of the trial; it was due, and is not on record
    PERIODIC_REPORT_WAITING = "periodic-report-waiting"
    EVENT_NOT_FOLLOWED = "adverse-event-not-followed"  # an episode says what its adverse event could not take


class OpenItem(Figure):
    """One thing that is open. `about` is the id of the adverse event, clock, alert, toxicity or episode."""

    kind: OpenKind
    about: str
    adverse_event_id: UUID | None
    term: str | None = Field(description="Of the adverse event; null: it has not arrived here yet")
    since: datetime | None = Field(description="When it opened; null: no event says")
    due_at: datetime | None
    detail: str = Field(description="The clock and whom to tell, the rules, the problem")


class OpenOfParticipant(Figure):
    """What is open about one participant, the most urgent first."""

    participant_id: UUID
    subject_number: str | None = Field(description="null: the participant has not arrived here yet")
    site_id: str | None
    items: tuple[OpenItem, ...]


class OpenRow(Figure):
    """A laboratory's row that nobody can read. It may name somebody, so nothing of its content is told."""

    quarantine_id: UUID
    laboratory_id: str
    site_id: str
    problem: QuarantineProblem
    since: datetime


class OpenReport(Figure):
    """A report of the trial that recurs and was not sent for this period."""

    kind: OpenKind
    clock_id: str
    clock: str = Field(description="Its id in the protocol")
    to: str
    since: datetime
    due_at: datetime


class OpenCount(Figure):
    kind: OpenKind
    n: int


class SafetyReconciliation(Figure):
    """Everything open, by participant; beside it what is about nobody. Who is not listed has nothing open."""

    open: tuple[OpenCount, ...] = Field(description="Every kind, 0 where nothing of it is open")
    participants: tuple[OpenOfParticipant, ...]
    quarantine: tuple[OpenRow, ...] = Field(description="Of laboratories, the oldest first")
    periodic_reports: tuple[OpenReport, ...] = Field(description="Of the trial, by the instant due")


@dataclass(frozen=True, slots=True)
class Records:
    """What is on record, as the read models keep it: rows by column."""

    adverse_events: Sequence[Mapping[str, Any]]
    cases: Mapping[UUID, Mapping[str, Any]]
    alerts: Sequence[Mapping[str, Any]]
    toxicities: Sequence[Proposed]
    episodes: Sequence[Mapping[str, Any]]
    candidates: Sequence[Mapping[str, Any]]
    quarantine: Sequence[Mapping[str, Any]]
    periodic_clocks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Open:
    participant_id: UUID
    item: OpenItem


Who = tuple[str, str]
"""Subject number and site."""


def reconciliation(records: Records, people: Mapping[UUID, Who], *, now: datetime) -> SafetyReconciliation:
    """By subject number; those who have not arrived here yet come last."""
    found = [
        *_reports(records),
        *_clocks(records, now),
        *_alerts(records),
        *_toxicities(records),
        *_candidates(records),
        *_episodes(records),
    ]
    counted = Counter(each.item.kind for each in found)
    counted[OpenKind.ROW_QUARANTINED] = len(records.quarantine)
    recurring = tuple(_recurring(clock, now) for clock in records.periodic_clocks)
    counted.update(each.kind for each in recurring)
    of_each: dict[UUID, list[OpenItem]] = {}
    for each in found:
        of_each.setdefault(each.participant_id, []).append(each.item)
    order = sorted(of_each, key=lambda who: (who not in people, people.get(who, ("", "")), who))
    return SafetyReconciliation(
        open=tuple(OpenCount(kind=kind, n=counted[kind]) for kind in OpenKind),
        participants=tuple(_of_participant(who, people.get(who), of_each[who]) for who in order),
        quarantine=tuple(map(_row, records.quarantine)),
        periodic_reports=recurring,
    )


def _recurring(clock: Mapping[str, Any], now: datetime) -> OpenReport:
    kind = OpenKind.PERIODIC_REPORT_MISSED if now > clock["due_at"] else OpenKind.PERIODIC_REPORT_WAITING
    return OpenReport(kind=kind, **{name: clock[name] for name in ("clock_id", "clock", "to", "since", "due_at")})


def _row(row: Mapping[str, Any]) -> OpenRow:
    named = {name: row[name] for name in ("quarantine_id", "laboratory_id", "site_id", "problem")}
    return OpenRow(**named, since=row["received_at"])


def _of_participant(participant_id: UUID, who: Who | None, items: Iterable[OpenItem]) -> OpenOfParticipant:
    subject_number, site_id = who or (None, None)
    return OpenOfParticipant(
        participant_id=participant_id,
        subject_number=subject_number,
        site_id=site_id,
        items=tuple(sorted(items, key=_urgency)),
    )


def _urgency(item: OpenItem) -> tuple[bool, str, int, str]:
    """What is due, by its instant; then the rest by kind."""
    due = "" if item.due_at is None else item.due_at.isoformat()
    return item.due_at is None, due, list(OpenKind).index(item.kind), item.about


def _reports(records: Records) -> Iterator[_Open]:
    for event in records.adverse_events:
        reports = records.cases.get(event["adverse_event_id"], {}).get("reports", ())
        if event["serious"] and not event["retracted"] and not reports:
            yield _of_event(event, OpenKind.REPORT_MISSING, event["became_aware_at"], "no report was sent")
        if event["retracted"] and reports and all(each["kind"] != ReportKind.NULLIFICATION for each in reports):
            yield _of_event(event, OpenKind.NULLIFICATION_MISSING, None, f"reported {len(reports)} times")
        for number, recipient, since in _rejected(reports):
            detail = f"report {number} to {recipient}"
            yield _of_event(event, OpenKind.REPORT_REJECTED, since, detail)


def _rejected(reports: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str, datetime]]:
    """The latest report to each recipient, where it was rejected."""
    latest = {each["recipient"]: each for each in sorted(reports, key=lambda each: int(each["number"]))}
    for recipient, report in latest.items():
        if report["answered"] == "rejected":
            yield report["number"], recipient, report["answered_at"]


def _of_event(event: Mapping[str, Any], kind: OpenKind, since: datetime | None, detail: str) -> _Open:
    item = OpenItem(
        kind=kind,
        about=str(event["adverse_event_id"]),
        adverse_event_id=event["adverse_event_id"],
        term=event["term"],
        since=since,
        due_at=None,
        detail=detail,
    )
    return _Open(event["participant_id"], item)


def _clocks(records: Records, now: datetime) -> Iterator[_Open]:
    events = {each["adverse_event_id"]: each for each in records.adverse_events}
    for adverse_event_id, case in records.cases.items():
        for clock in case["clocks"]:
            if clock["met_at"] is not None or clock["stopped_because"] is not None:
                continue
            missed = clock["missed"] or now > clock["due_at"]
            item = OpenItem(
                kind=OpenKind.CLOCK_MISSED if missed else OpenKind.CLOCK_RUNNING,
                about=clock["clock_id"],
                adverse_event_id=adverse_event_id,
                term=events[adverse_event_id]["term"] if adverse_event_id in events else None,
                since=clock["since"],
                due_at=clock["due_at"],
                detail=f"{clock['clock']} to {clock['to']}",
            )
            yield _Open(clock["participant_id"], item)


def _alerts(records: Records) -> Iterator[_Open]:
    for alert in records.alerts:
        if alert["acknowledged_at"] is None:
            item = OpenItem(
                kind=OpenKind.ALERT_UNACKNOWLEDGED,
                about=alert["alert_id"],
                adverse_event_id=alert["adverse_event_id"],
                term=alert["term"],
                since=alert["raised_at"],
                due_at=None,
                detail=alert["because"],
            )
            yield _Open(alert["participant_id"], item)


def _toxicities(records: Records) -> Iterator[_Open]:
    for toxicity in records.toxicities:
        if toxicity.wants_a_look:
            item = OpenItem(
                kind=OpenKind.DLT_UNDECIDED if toxicity.decision is None else OpenKind.DLT_BASIS_CHANGED,
                about=str(toxicity.dlt_id),
                adverse_event_id=toxicity.adverse_event_id,
                term=toxicity.term,
                since=toxicity.proposed_at if toxicity.decision is None else toxicity.decided_at,
                due_at=None,
                detail=", ".join(toxicity.basis.rules) or "no rule holds now",
            )
            yield _Open(toxicity.participant_id, item)


def _candidates(records: Records) -> Iterator[_Open]:
    for candidate in records.candidates:
        kind = _of_candidate(candidate)
        if kind is None:
            continue
        undecided = kind is OpenKind.CANDIDATE_UNDECIDED
        grade = "withdrawn" if candidate["withdrawn"] else f"worst grade {candidate['worst_grade']}"
        item = OpenItem(
            kind=kind,
            about=str(candidate["candidate_id"]),
            adverse_event_id=candidate["adverse_event_id"],
            term=candidate["term"],
            since=candidate["opened_at"] if undecided else candidate["decided_at"],
            due_at=None,
            detail=grade if undecided else f"{candidate['decision']}, now {grade}",
        )
        yield _Open(candidate["participant_id"], item)


def _of_candidate(candidate: Mapping[str, Any]) -> OpenKind | None:
    if candidate["decision"] is None:
        return None if candidate["withdrawn"] else OpenKind.CANDIDATE_UNDECIDED
    if candidate["withdrawn"]:
        return None if candidate["adverse_event_id"] is None else OpenKind.CANDIDATE_CHANGED
    return OpenKind.CANDIDATE_CHANGED if candidate["worst_grade"] > candidate["decided_grade"] else None


def _episodes(records: Records) -> Iterator[_Open]:
    for episode in records.episodes:
        item = OpenItem(
            kind=OpenKind.EVENT_NOT_FOLLOWED,
            about=str(episode["episode_id"]),
            adverse_event_id=episode["adverse_event_id"],
            term=episode["term"],
            since=None,
            due_at=None,
            detail=episode["problem"],
        )
        yield _Open(episode["participant_id"], item)
