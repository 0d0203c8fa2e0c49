"""Adverse events in the sample trial's files, and what became of each: its alert, its case, its bearing on the dose."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.loading.sample_rows import Row, says_one_thing
from shared.contracts.safety import Attribution, Grade, Outcome, Seriousness
from shared.contracts.safety_cases import ReportKind
from shared.contracts.safety_dose_limiting import Decision
from shared.contracts.terms import Code, Instant, PartialDate, Reason, ReferenceNumber, ShortText
from shared.protocol import Recipient


class Regrade(Row):
    grade: Grade
    since: PartialDate


class ReassessSeriousness(Row):
    seriousness: tuple[Seriousness, ...]
    became_aware_at: Instant


class Resolve(Row):
    ended_on: PartialDate
    outcome: Outcome


class CorrectEvent(Row):
    reason: Reason
    grade: Grade | None = None
    onset: PartialDate | None = None


class Retract(Row):
    reason: Reason


class Acknowledge(Row):
    """Of the event's alert by its number."""

    alert: int = 1
    note: ShortText | None = None


class AssessAsSponsor(Row):
    """The sponsor's opinion, which stands beside the investigator's."""

    causality: dict[Code, Attribution]
    became_aware_at: Instant


class Report(Row):
    """A report of the event that was sent to somebody."""

    kind: ReportKind
    recipient: Recipient
    sent_at: Instant


class AcknowledgeReport(Row):
    """The letter by which a recipient answered the event's report of this number."""

    number: int
    recipient: Recipient
    received_at: Instant
    verdict: Literal["accepted", "rejected"]
    reference_number: ReferenceNumber


class DecideDoseLimiting(Row):
    """A safety officer's decision, once the protocol's rules have proposed the event as dose-limiting on this basis."""

    rules: tuple[Code, ...]
    grade: Grade
    decision: Decision
    reason: Reason


class FollowUp(Row):
    """What became of an adverse event after its report: one verb each."""

    regrade: Regrade | None = None
    reassess_seriousness: ReassessSeriousness | None = None
    resolve: Resolve | None = None
    correct: CorrectEvent | None = None
    retract: Retract | None = None
    acknowledge: Acknowledge | None = None
    assess_as_sponsor: AssessAsSponsor | None = None
    report: Report | None = None
    acknowledge_report: AcknowledgeReport | None = None
    decide_dose_limiting: DecideDoseLimiting | None = None


class AdverseEvent(Row):
    term: ShortText
    specification: ShortText | None = None
    grade: Grade
    onset: PartialDate
    became_aware_at: Instant
    seriousness: tuple[Seriousness, ...] = ()
    causality: dict[Code, Attribution] = Field(default_factory=dict)
    outcome: Outcome = Outcome.NOT_RECOVERED
    ended_on: PartialDate | None = None
    then: tuple[Annotated[FollowUp, AfterValidator(says_one_thing)], ...] = ()
