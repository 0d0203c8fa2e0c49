"""The clocks of a case: what starts one, the steps it takes, what does its duty, what ends it.

A clock takes its steps from the protocol when it starts and keeps them. Site clocks come with the alerts, which have
fixed them already. Each function gives the events that follow from a case, none where nothing is new: asking again
adds nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from services.safety.domain.cases import clock_steps
from services.safety.domain.cases.clock_steps import Step, StepKind
from services.safety.domain.cases.facts import Facts
from services.safety.domain.cases.record import Case, Clock, Report
from services.safety.domain.cases.susar import Since, case_urgency
from shared.contracts.safety import AlertCause, SeriousAdverseEventIdentified
from shared.contracts.safety_cases import (
    CaseUrgency,
    ClockBasis,
    ClockCause,
    ClockDueSoon,
    ClockEscalated,
    ClockEvent,
    ClockMet,
    ClockMissed,
    ClockStarted,
    ClockStopped,
    ReportKind,
    ReportSubmitted,
    SponsorAssessed,
    StopCause,
    SusarIdentified,
)
from shared.protocol import AppliesWhen, Recipient, ReportingClock, StartsFrom
from shared.protocol.schedule import deadline

REGULATORS = frozenset({Recipient.THAI_FDA, Recipient.US_FDA, Recipient.REGULATORS})

_SUSAR_CLOCKS = {
    CaseUrgency.FATAL_OR_LIFE_THREATENING: AppliesWhen.FATAL_OR_LIFE_THREATENING_SUSAR,
    CaseUrgency.OTHER: AppliesWhen.OTHER_SUSAR,
}


def tells(recipient: str, to: str) -> bool:
    """Whether a report to `recipient` reaches whom a duty names: any regulator is among the regulators."""
    return recipient == to or (to == Recipient.REGULATORS and recipient in REGULATORS)


@dataclass(frozen=True, slots=True)
class Duty:
    """What a clock is to be started for."""

    clock: str
    to: str
    basis: ClockBasis
    since: datetime
    due_at: datetime


def started(case: Case, duties: Iterable[Duty], facts: Facts) -> list[ClockEvent]:
    """The clocks of these duties that were never started."""
    new = [each for each in duties if not any(_is_of(clock, each) for clock in case.clocks)]
    return [_start(each, number, facts) for number, each in enumerate(new, start=len(case.clocks) + 1)]


def _is_of(clock: Clock, duty: Duty) -> bool:
    """Whether a clock was started for this very duty, or runs for another identification of the same reaction."""
    begun = clock.started
    if (begun.clock, begun.basis.cause) != (duty.clock, duty.basis.cause):
        return False
    again = duty.basis.cause is ClockCause.SUSAR and clock.stopped is None and begun.since == duty.since
    return again or begun.basis.reference == duty.basis.reference


def _start(duty: Duty, number: int, facts: Facts) -> ClockStarted:
    steps = clock_steps.fixed(duty.since, duty.due_at, facts.protocol.clock_steps)
    return ClockStarted(
        clock_id=f"{facts.event_id}-clock-{number}",
        adverse_event_id=facts.event_id,
        participant_id=facts.subject.participant_id,
        site_id=facts.subject.site_id,
        clock=duty.clock,
        to=duty.to,
        due_at=duty.due_at.astimezone(UTC),
        number=number,
        basis=duty.basis,
        since=duty.since.astimezone(UTC),
        due_soon_at=steps.due_soon_at,
        escalate_at=steps.escalate_at,
        protocol=facts.protocol.ref,
    )


def of_alerts(facts: Facts) -> Iterator[Duty]:
    """The clocks that the site's awareness started, as the alerts fixed them."""
    told_by = 0
    for entry in facts.entries:
        if isinstance(alert := entry.event, SeriousAdverseEventIdentified):
            # A corrected awareness is nothing new: what was reported before told of the event all the same.
            told_by = told_by if alert.because is AlertCause.AWARENESS_CORRECTED else entry.version
            urgency = case_urgency(alert.seriousness)
            basis = ClockBasis(
                cause=ClockCause.ALERT,
                reference=alert.alert_id,
                urgency=urgency,
                site_aware_at=alert.became_aware_at,
                adverse_event_version=told_by,
            )
            for notice in alert.notices:
                yield Duty(notice.clock, notice.to, basis, alert.became_aware_at, notice.due_at)


def of_susar(identified: SusarIdentified, since: Since, facts: Facts) -> Iterator[Duty]:
    """The clocks of a suspected unexpected reaction: from the sponsor's awareness, or from the determination."""
    starts = {StartsFrom.SPONSOR_AWARENESS: since.aware_at, StartsFrom.QUALIFICATION: facts.now}
    basis = ClockBasis(
        cause=ClockCause.SUSAR,
        reference=str(identified.number),
        urgency=identified.urgency,
        site_aware_at=since.site_aware_at,
        adverse_event_version=since.adverse_event_version,
    )
    for clock in facts.protocol.clocks:
        if clock.enabled and clock.starts_from in starts and clock.applies_when is _SUSAR_CLOCKS[identified.urgency]:
            yield _of(clock, basis, starts[clock.starts_from], facts)


def of_report(report: ReportSubmitted, facts: Facts) -> Iterator[Duty]:
    """The clocks by which an expedited first report of a fatal or life-threatening case is to be completed."""
    urgent = report.content.sponsor.susar is CaseUrgency.FATAL_OR_LIFE_THREATENING
    if report.kind is not ReportKind.INITIAL or not urgent:
        return
    basis = _after(ClockCause.REPORT, report)
    for clock in facts.protocol.clocks:
        follows = clock.starts_from is StartsFrom.INITIAL_REPORT
        if clock.enabled and follows and clock.to == report.recipient:
            yield _of(clock, basis, report.sent_at, facts)


def of_new_information(case: Case, facts: Facts) -> Iterator[Duty]:
    """The clocks of what became known after the last expedited report: one per report, from the first such news."""
    for clock in facts.protocol.clocks:
        if clock.enabled and clock.starts_from is StartsFrom.NEW_INFORMATION:
            last = _last_expedited(case, clock)
            since = _news_after(last, case, facts) if last else None
            if last is not None and since is not None:
                yield _of(clock, _after(ClockCause.NEW_INFORMATION, last), since, facts)


def _after(cause: ClockCause, report: ReportSubmitted) -> ClockBasis:
    told = report.content.adverse_event
    return ClockBasis(
        cause=cause,
        reference=str(report.number),
        urgency=case_urgency(told.seriousness),
        site_aware_at=told.became_aware_at,
        adverse_event_version=told.version,
    )


def _last_expedited(case: Case, clock: ReportingClock) -> ReportSubmitted | None:
    """The last report that whom the clock names has, if one of them was of a suspected unexpected reaction."""
    told = [each.sent for each in case.reports if not each.rejected and tells(each.sent.recipient, clock.to)]
    expedited = any(report.content.sponsor.susar for report in told)
    return told[-1] if expedited and told[-1].kind is not ReportKind.NULLIFICATION else None


def _news_after(report: ReportSubmitted, case: Case, facts: Facts) -> datetime | None:
    """When the sponsor first knew more than the report told; None: it told everything."""
    news = [
        entry.recorded_at
        for entry in facts.entries
        if entry.version > report.content.adverse_event.version
        and not isinstance(entry.event, SeriousAdverseEventIdentified)
    ]
    judged = [each.became_aware_at for each in case.assessments if _is_news(each, report)]
    return min([*news, *judged], default=None)


def _is_news(assessment: SponsorAssessed, report: ReportSubmitted) -> bool:
    told = report.content.sponsor
    expectedness = assessment.expectedness or assessment.proposed.expectedness
    differs = (assessment.causality, expectedness) != (told.causality, told.expectedness)
    return assessment.assessed_at > report.submitted_at and differs


def _of(clock: ReportingClock, basis: ClockBasis, since: datetime, facts: Facts) -> Duty:
    return Duty(clock.id, clock.to, basis, since, deadline(clock, since, facts.zone))


def met(case: Case) -> list[ClockEvent]:
    """The running clocks whose duty a report on record has done, each by the first such report."""
    found: list[ClockEvent] = []
    for clock in case.clocks:
        report = next((each.sent for each in case.reports if _does(each, clock)), None) if clock.runs else None
        if report is not None:
            late = report.sent_at > clock.started.due_at
            told = {"report_number": report.number, "met_at": report.sent_at, "late": late}
            found.append(ClockMet(**_about(clock), **told))
    return found


def _does(report: Report, clock: Clock) -> bool:
    """Whether a report does a clock's duty: it went to whom the clock names, and tells of what the clock is about."""
    sent, basis = report.sent, clock.started.basis
    if report.rejected or not tells(sent.recipient, clock.started.to):
        return False
    if basis.cause in {ClockCause.REPORT, ClockCause.NEW_INFORMATION}:
        return sent.number > int(basis.reference)
    if sent.kind is ReportKind.NULLIFICATION:
        return True
    told = sent.sent_at >= basis.site_aware_at and sent.content.adverse_event.version >= basis.adverse_event_version
    return told and (basis.cause is ClockCause.ALERT or sent.content.sponsor.susar is not None)


def stopped(case: Case, *, retracted: bool) -> list[ClockEvent]:
    """The running clocks whose duty has ceased. What a report started, or asks for, goes on."""
    held = case.susar.urgency if case.susar else None
    found: list[ClockEvent] = []
    for clock in case.clocks:
        because = _why_stopped(clock.started.basis, held, retracted=retracted) if clock.runs else None
        if because is not None:
            found.append(ClockStopped(**_about(clock), because=because))
    return found


def _why_stopped(basis: ClockBasis, held: CaseUrgency | None, *, retracted: bool) -> StopCause | None:
    if basis.cause not in {ClockCause.ALERT, ClockCause.SUSAR}:
        return None
    if retracted:
        return StopCause.RETRACTED
    if basis.cause is ClockCause.ALERT:
        return None
    if held is None:
        return StopCause.NO_LONGER_SUSAR
    urgent = basis.urgency is CaseUrgency.FATAL_OR_LIFE_THREATENING
    return StopCause.LESS_URGENT if urgent and held is CaseUrgency.OTHER else None


def steps(case: Case, now: datetime) -> list[ClockEvent]:
    """What time alone has brought about: due soon, escalated, missed, in order of the instants."""
    running = [clock for clock in case.clocks if clock.runs]
    found = [(step, clock) for clock in running for step in clock_steps.taken(clock.started, clock, now)]
    return [_event(clock, step) for step, clock in sorted(found, key=lambda each: each[0][:2])]


def _event(clock: Clock, step: Step) -> ClockEvent:
    match step.kind:
        case StepKind.DUE_SOON:
            return ClockDueSoon(**_about(clock), at=step.at)
        case StepKind.MISSED:
            return ClockMissed(**_about(clock))
        case StepKind.ESCALATED:
            return ClockEscalated(**_about(clock), level=step.level, at=step.at)
        case _:
            assert_never(step.kind)


def _about(clock: Clock) -> dict[str, object]:
    names = {"clock_id", "adverse_event_id", "participant_id", "site_id", "clock", "to", "due_at"}
    return clock.started.model_dump(include=names)
