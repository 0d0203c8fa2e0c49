"""One version of a report in full: everything the recipient is told, as it was known when the report was recorded."""

from datetime import datetime

from services.safety.domain.age import completed_months
from services.safety.domain.cases import susar
from services.safety.domain.cases.facts import Entry, Facts, event_after, on_record
from services.safety.domain.cases.record import Case
from services.safety.domain.record import Retracted
from shared.contracts.safety_cases import (
    AgeAtOnset,
    ReportContent,
    ReportedAssessment,
    ReportedEvent,
    ReportedParticipant,
)
from shared.contracts.safety_reports import ReportFrame
from shared.contracts.terms import earliest, latest


def content(
    case: Case,
    facts: Facts,
    frame: ReportFrame,
    *,
    narrative: str | None,
    narrative_reference: str | None,
    reaction_llt: str | None,
) -> ReportContent:
    received = [entry.recorded_at for entry in facts.entries]
    judged = [each.became_aware_at for each in case.assessments]
    return ReportContent(
        adverse_event=reported_event(facts.entries),
        participant=_participant(facts),
        infusions=facts.subject.infusions,
        sponsor=_sponsor(case, facts),
        first_received_at=_first_received(case, facts),
        latest_information_at=max([*received, *judged]),
        narrative=narrative,
        narrative_reference=narrative_reference,
        reaction_llt=reaction_llt,
        frame=frame,
    )


def _first_received(case: Case, facts: Facts) -> datetime:
    """When the sponsor first held the case: as it was entered, or earlier where it says so."""
    return min([facts.entries[0].recorded_at, *(each.became_aware_at for each in case.assessments)])


def reported_event(entries: tuple[Entry, ...]) -> ReportedEvent:
    """The adverse event as it stands after these entries."""
    event = event_after(entries)
    record = on_record(event)
    return ReportedEvent(
        adverse_event_id=record.adverse_event_id,
        version=entries[-1].version,
        term=record.term,
        grades=record.grades,
        onset=record.onset,
        became_aware_at=record.became_aware_at,
        ended_on=record.ended_on,
        seriousness=record.seriousness,
        action_taken=record.action_taken,
        outcome=record.outcome,
        causality=record.causality,
        retracted=isinstance(event, Retracted),
        retraction_reason=event.reason if isinstance(event, Retracted) else None,
    )


def _participant(facts: Facts) -> ReportedParticipant:
    subject = facts.subject
    return ReportedParticipant(
        participant_id=subject.participant_id,
        site_id=subject.site_id,
        subject_number=subject.subject_number,
        sex=subject.sex,
        age_at_onset=age_at(on_record(facts.event).onset, subject.birth_month),
        weight_kg=subject.weight_kg,
    )


def age_at(onset: str, birth_month: str | None) -> AgeAtOnset | None:
    """Completed months of age at a partial date, of somebody born on some day of a month. None: born when, is unknown.

    The fewest if born on the last day of the month and the onset was on its first day; the most the other way round.
    """
    if birth_month is None:
        return None
    youngest = completed_months(latest(birth_month), earliest(onset))
    oldest = completed_months(earliest(birth_month), latest(onset))
    return AgeAtOnset(months_at_least=max(youngest, 0), months_at_most=max(oldest, 0))


def _sponsor(case: Case, facts: Facts) -> ReportedAssessment:
    judgement = susar.judge(facts, case.assessment)
    return ReportedAssessment(
        causality=case.assessment.causality if case.assessment else (),
        expectedness=judgement.basis.expectedness,
        expectedness_by=judgement.basis.expectedness_by,
        proposed=judgement.proposed,
        reason=case.assessment.reason if case.assessment else None,
        susar=judgement.urgency,
    )
