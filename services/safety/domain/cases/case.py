"""A case's life: the sponsor assesses it, reports are sent and answered, and clocks run until the duties are done.

Whatever is decided, what follows from the data is decided with it and appended together: the case is or is not held
for a suspected unexpected serious adverse reaction, clocks start, are met, stop, or take a step. So nothing is lost
between two processes, and deciding again adds nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from typing import Annotated, Literal, assert_never
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from services.safety.domain import causality
from services.safety.domain.adverse_event import AdverseEventAlreadyRetracted
from services.safety.domain.cases import reporting_clocks, susar
from services.safety.domain.cases.facts import Facts, on_record
from services.safety.domain.cases.record import Case, Report, evolve
from services.safety.domain.cases.report_content import content
from services.safety.domain.cases.report_frame import frame
from services.safety.domain.record import Retracted
from services.safety.domain.urgency import urgency_of
from shared.contracts.safety import AgentCausality, MeddraCode, SeriousAdverseEventIdentified
from shared.contracts.safety_cases import (
    AcknowledgementForm,
    CaseEvent,
    Expectedness,
    ReportAcknowledged,
    ReportKind,
    ReportSubmitted,
    SponsorAssessed,
    SusarIdentified,
    SusarNoLongerHeld,
)
from shared.contracts.terms import Code, Instant, Narrative, Reason, earliest
from shared.kernel.clock import CLOCK_SKEW
from shared.kernel.decider import Command, Decider
from shared.kernel.errors import Conflict, NotFound, Unacceptable
from shared.protocol import Recipient


class ReviewCase(Command):
    """Look at a case: what follows from the data and from the time? Said by the clocks themselves, never by people."""


class AssessAsSponsor(Command):
    """The sponsor's own judgement of a case. It replaces the sponsor's earlier one, never the investigator's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "causality": [{"agent": "car-t-product", "attribution": "probable"}],
                    "expectedness": "unexpected",
                    "became_aware_at": "2026-03-16T10:00:00+07:00",
                }
            ]
        }
    )

    causality: Annotated[tuple[AgentCausality, ...], Field(max_length=50, description="One opinion per agent")] = ()
    expectedness: Expectedness | None = Field(
        None, description="Against the reference safety information; none: the rule's proposal stands"
    )
    reason: Reason | None = Field(None, description="Needed where expectedness differs from the rule's proposal")
    became_aware_at: Instant = Field(description="When the sponsor first held what this assessment rests on")


class SubmitReport(Command):
    """A report was sent. It is recorded with everything that is known now, complete by itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "initial", "recipient": "thai-fda", "sent_at": "2026-03-18T15:00:00+07:00"}]
        }
    )

    report_id: UUID = Field(default_factory=uuid4)
    kind: ReportKind
    recipient: Recipient
    sent_at: Instant
    reason: Reason | None = Field(None, description="Needed for an amendment and a nullification")
    narrative: Narrative | None = Field(
        None, description="The course of the event, its treatment and outcome; an E2B message needs it"
    )
    narrative_reference: Code | None = Field(None, description="Where further documents are kept, such as the chart")
    reaction_llt: MeddraCode | None = Field(
        None, description="MedDRA's lowest level term of an 'Other, specify'; an E2B message needs it"
    )


class AcknowledgeReport(Command):
    """The recipient answered a report."""

    report_number: int = Field(ge=1)
    form: AcknowledgementForm
    verdict: Literal["accepted", "rejected"]
    receiver_reference: Code | None = None
    acknowledged_at: Instant


CaseCommand = ReviewCase | AssessAsSponsor | SubmitReport | AcknowledgeReport


class NoSuchReport(NotFound):
    """The case has no report of this number."""


class AcknowledgementOfAnotherReport(Conflict):
    """It answers another batch, another case or another recipient's report than this one."""


class NeverSerious(Conflict):
    """The adverse event is not serious and never was, so there is nobody to report it to."""


class NotTheFirst(Conflict):
    """This recipient has a report of the case already: what follows is a follow-up, an amendment or a nullification."""


class NoInitialReport(Conflict):
    """This recipient has no report of the case yet: the first is initial."""


class CaseNullified(Conflict):
    """The case was nullified at this recipient, which ends it there."""


class ReasonMissing(Unacceptable):
    """An amendment, a nullification and an expectedness other than the rule's come with a reason."""


class OnlyNullification(Conflict):
    """The adverse event was retracted: all that can be told of it is that it never was."""


class CaseDatesContradict(Unacceptable):
    """An instant lies in the future, or before what it must follow. The message names it."""


def decide(command: CaseCommand, state: Case, facts: Facts) -> list[CaseEvent]:
    """What a command leads to, and what follows from the data before it and after it."""
    before = _in_turn(state, facts, _held, _duties)
    case = reduce(evolve, before, state)
    own = _carried_out(command, case, facts)
    after = _in_turn(reduce(evolve, own, case), facts, _held, _duties, _met, _stopped, _stepped)
    return [*before, *own, *after]


def _carried_out(command: CaseCommand, case: Case, facts: Facts) -> Sequence[CaseEvent]:
    match command:
        case ReviewCase():
            return ()
        case AssessAsSponsor():
            return _assessed(command, case, facts)
        case SubmitReport():
            return _submitted(command, case, facts)
        case AcknowledgeReport():
            return _acknowledged(command, case, facts)
        case _:
            assert_never(command)


def _assessed(command: AssessAsSponsor, case: Case, facts: Facts) -> Sequence[CaseEvent]:
    event = facts.event
    if isinstance(event, Retracted):
        raise AdverseEventAlreadyRetracted("this adverse event was retracted; there is nothing to assess")
    _refuse_future("became_aware_at", command.became_aware_at, facts)
    if command.became_aware_at.astimezone(facts.zone).date() < earliest(event.onset):
        raise CaseDatesContradict("became_aware_at lies before the onset: nobody knows of an event before it begins")
    proposed = susar.judge(facts, None).proposed
    if command.expectedness not in {None, proposed.expectedness} and command.reason is None:
        raise ReasonMissing(f"the rule proposes {proposed.expectedness}; say why it is {command.expectedness}")
    assessment = SponsorAssessed(
        **_about(facts),
        adverse_event_version=facts.version,
        causality=causality.opinions(command.causality, facts.protocol.causality.agents.value),
        expectedness=command.expectedness,
        proposed=proposed,
        reason=command.reason,
        became_aware_at=command.became_aware_at,
        assessed_at=facts.now,
        protocol=facts.protocol.ref,
    )
    return [] if _says_the_same(assessment, case.assessment) else [assessment]


def _says_the_same(one: SponsorAssessed, other: SponsorAssessed | None) -> bool:
    aside = {"assessed_at", "protocol"}
    return other is not None and one.model_dump(exclude=aside) == other.model_dump(exclude=aside)


def _submitted(command: SubmitReport, case: Case, facts: Facts) -> Sequence[CaseEvent]:
    if any(each.sent.report_id == command.report_id for each in case.reports):
        return []
    told = [each for each in case.reports if each.sent.recipient == command.recipient and not each.rejected]
    _refuse_kind(command, told, facts)
    _refuse_sending(command, told, facts)
    report = ReportSubmitted(
        report_id=command.report_id,
        **_about(facts),
        number=len(case.reports) + 1,
        kind=command.kind,
        recipient=command.recipient,
        sent_at=command.sent_at,
        submitted_at=facts.now,
        reason=command.reason,
        content=content(
            case,
            facts,
            frame(facts, command.recipient),
            narrative=command.narrative,
            narrative_reference=command.narrative_reference,
            reaction_llt=command.reaction_llt,
        ),
        protocol=facts.protocol.ref,
    )
    expects = reporting_clocks.of_report(report, facts)
    return [report, *reporting_clocks.started(case, expects, facts)]


def _refuse_kind(command: SubmitReport, told: Sequence[Report], facts: Facts) -> None:
    """Which kinds may follow what the recipient has been told."""
    first = command.kind is ReportKind.INITIAL
    if first and not on_record(facts.event).alerts:
        raise NeverSerious("the adverse event is not serious and never was; reassess its seriousness first")
    if any(each.sent.kind is ReportKind.NULLIFICATION for each in told):
        raise CaseNullified(f"the case was nullified at {command.recipient}; an event that did happen is reported anew")
    if first and told:
        raise NotTheFirst(f"{command.recipient} has a report; send a follow-up, an amendment or a nullification")
    if not first and not told:
        raise NoInitialReport(f"{command.recipient} has no report of this case yet; the first one is initial")
    if isinstance(facts.event, Retracted) and command.kind is not ReportKind.NULLIFICATION:
        raise OnlyNullification("the adverse event was retracted; send a nullification to whoever has a report")
    if command.kind in {ReportKind.AMENDMENT, ReportKind.NULLIFICATION} and command.reason is None:
        raise ReasonMissing(f"say why, as the recipient of an {command.kind} must know")


def _refuse_sending(command: SubmitReport, told: Sequence[Report], facts: Facts) -> None:
    _refuse_future("sent_at", command.sent_at, facts)
    if command.sent_at < on_record(facts.event).became_aware_at:
        raise CaseDatesContradict("sent_at lies before the site became aware of the event")
    if told and command.sent_at < told[-1].sent.sent_at:
        raise CaseDatesContradict("sent_at lies before the last report to this recipient was sent")


def _acknowledged(command: AcknowledgeReport, case: Case, facts: Facts) -> Sequence[CaseEvent]:
    report = next((each for each in case.reports if each.sent.number == command.report_number), None)
    if report is None:
        raise NoSuchReport("the case has no report of this number")
    _refuse_future("acknowledged_at", command.acknowledged_at, facts)
    answer = ReportAcknowledged(**_about(facts), **dict(command))
    return [] if answer == report.answer else [answer]


def _refuse_future(name: str, at: datetime, facts: Facts) -> None:
    if at > facts.now + CLOCK_SKEW:
        raise CaseDatesContradict(f"{name} lies in the future")


_Consequence = Callable[[Case, Facts], Sequence[CaseEvent]]


def _in_turn(case: Case, facts: Facts, *consequences: _Consequence) -> list[CaseEvent]:
    """Each consequence is asked with what the ones before it led to."""
    found: list[CaseEvent] = []
    for consequence in consequences if _is_watched(facts) else ():
        found += consequence(reduce(evolve, found, case), facts)
    return found


def _is_watched(facts: Facts) -> bool:
    """Whether clocks are kept for the event: it was serious once, and not before this was begun."""
    first = next((each for each in facts.entries if isinstance(each.event, SeriousAdverseEventIdentified)), None)
    begun = facts.protocol.clock_steps.effective_from.value
    return first is not None and (begun is None or first.recorded_at.astimezone(facts.zone).date() >= begun)


def _held(case: Case, facts: Facts) -> Sequence[CaseEvent]:
    """Whether the case is a SUSAR, with the clocks that an identification starts."""
    judgement = susar.judge(facts, case.assessment)
    if judgement.urgency is None:
        return [_no_longer_held(case.susar, judgement, facts)] if case.susar else []
    since = susar.since(facts, case.assessments)
    if case.susar and not _says_more(judgement, since, case.susar):
        return []
    identified = SusarIdentified(
        **_about(facts),
        number=case.identifications + 1,
        urgency=judgement.urgency,
        basis=judgement.basis,
        sponsor_aware_at=since.aware_at,
        protocol=facts.protocol.ref,
    )
    return [identified, *reporting_clocks.started(case, reporting_clocks.of_susar(identified, since, facts), facts)]


def _says_more(judgement: susar.Judgement, since: susar.Since, known: SusarIdentified) -> bool:
    """Whether the reaction is more or less urgent than was known, or known since another instant."""
    return judgement.rank is not urgency_of(known.basis.seriousness) or since.aware_at != known.sponsor_aware_at


def _no_longer_held(was: SusarIdentified, judgement: susar.Judgement, facts: Facts) -> SusarNoLongerHeld:
    return SusarNoLongerHeld(
        **_about(facts),
        number=was.number,
        basis=judgement.basis,
        retracted=judgement.retracted,
        protocol=facts.protocol.ref,
    )


def _duties(case: Case, facts: Facts) -> Sequence[CaseEvent]:
    duties = [*reporting_clocks.of_alerts(facts), *reporting_clocks.of_new_information(case, facts)]
    return reporting_clocks.started(case, duties, facts)


def _met(case: Case, _facts: Facts) -> Sequence[CaseEvent]:
    return reporting_clocks.met(case)


def _stopped(case: Case, facts: Facts) -> Sequence[CaseEvent]:
    return reporting_clocks.stopped(case, retracted=isinstance(facts.event, Retracted))


def _stepped(case: Case, facts: Facts) -> Sequence[CaseEvent]:
    return reporting_clocks.steps(case, facts.now)


def _about(facts: Facts) -> dict[str, object]:
    return {
        "adverse_event_id": facts.event_id,
        "participant_id": facts.subject.participant_id,
        "site_id": facts.subject.site_id,
    }


DECIDER: Decider[CaseCommand, Case, Facts, CaseEvent] = Decider(
    category="case", initial=Case(), evolve=evolve, decide=decide
)
