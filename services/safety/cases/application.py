"""The commands and questions about cases: gathers the facts that a decision may not fetch, then decides."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.safety import references
from services.safety.cases import subjects as case_subjects
from services.safety.domain import adverse_event
from services.safety.domain.adverse_event import NoSuchAdverseEvent
from services.safety.domain.cases import case, reference_safety_information, report_changes
from services.safety.domain.cases.case import (
    AcknowledgeReport,
    AssessAsSponsor,
    CaseCommand,
    NoSuchReport,
    ReviewCase,
    SubmitReport,
)
from services.safety.domain.cases.facts import Entry, Facts, Listed
from services.safety.domain.cases.record import Case, Report, evolve
from services.safety.domain.cases.report_changes import FieldChange
from services.safety.domain.cases.reporting_clocks import REGULATORS
from services.safety.references import Participant
from shared.contracts.safety_cases import ReportSubmitted
from shared.db import Database
from shared.eventstore.store import EventStore, Receipt
from shared.kernel.actor import Actor, Role
from shared.kernel.clock import Clock
from shared.kernel.errors import Forbidden, Unacceptable
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.telemetry import tracing

OFFICERS = frozenset({Role.SAFETY_OFFICER, Role.SPONSOR})


class NotYoursToReport(Forbidden):
    """A site reports to the sponsor and to its ethics committee; a regulator hears from the sponsor."""


class NotAnEarlierReport(Unacceptable):
    """Changes are told since an earlier report."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as it follows from everything known now, and the version of its stream."""

    case: Case
    facts: Facts
    version: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at, and when time alone brings about the next step."""

    adverse_event_version: int
    case_version: int
    expectations_version: int
    look_again_at: datetime | None


class Cases:
    """What the routes of cases and the clocks call. A case of a site that the actor may not see does not exist."""

    def __init__(self, db: Database, store: EventStore, protocol: Protocol, clock: Clock) -> None:
        self._db = db
        self._store = store
        self._protocol = protocol
        self._clock = clock
        self._expectations = expectations_stream(protocol)

    async def assess(self, adverse_event_id: UUID, command: AssessAsSponsor, *, by: Actor, command_id: UUID) -> Receipt:
        facts = await self._facts(adverse_event_id, by)
        return await self._carry_out(adverse_event_id, command, facts, by, command_id)

    async def submit(self, adverse_event_id: UUID, command: SubmitReport, *, by: Actor) -> tuple[Receipt, int]:
        """The receipt, and the number that the report got."""
        if command.recipient in REGULATORS and not by.roles & OFFICERS:
            raise NotYoursToReport("regulators hear from the sponsor; a safety officer reports to them")
        facts = await self._facts(adverse_event_id, by)
        receipt = await self._carry_out(adverse_event_id, command, facts, by, command.report_id)
        state, _ = await self._store.load(case.DECIDER, adverse_event_id)
        number = next(each.sent.number for each in state.reports if each.sent.report_id == command.report_id)
        return receipt, number

    async def acknowledge(
        self, adverse_event_id: UUID, command: AcknowledgeReport, *, by: Actor, command_id: UUID
    ) -> Receipt:
        """What the recipient of a report answered."""
        facts = await self._facts(adverse_event_id, by)
        return await self._carry_out(adverse_event_id, command, facts, by, command_id)

    async def review(self, adverse_event_id: UUID, *, by: Actor) -> Look:
        """Record what follows from the data and from the time; nothing, where it is on record."""
        facts = await self._facts(adverse_event_id, by)
        frame = tracing.recording(by, at=facts.now, subject=facts.subject.participant_id)
        receipt = await self._store.execute(case.DECIDER, adverse_event_id, ReviewCase(), facts, frame)
        state, version = await self._store.load(case.DECIDER, adverse_event_id)
        seen = receipt.version if version == receipt.version else 0  # somebody wrote since: look again
        return Look(facts.version, seen, len(facts.listed), state.next_at)

    async def case(self, adverse_event_id: UUID, *, by: Actor) -> CaseFile:
        """The case with what follows from it at this moment, whether or not the clocks have recorded it yet."""
        facts = await self._facts(adverse_event_id, by)
        state, version = await self._store.load(case.DECIDER, adverse_event_id)
        follows = case.decide(ReviewCase(), state, facts)
        return CaseFile(reduce(evolve, follows, state), facts, version)

    async def history(self, adverse_event_id: UUID, *, by: Actor) -> list[Envelope]:
        await self._participant_of(adverse_event_id, by)
        return await self._store.history(case.DECIDER.stream(adverse_event_id))

    async def reports(self, adverse_event_id: UUID, *, by: Actor) -> tuple[Report, ...]:
        await self._participant_of(adverse_event_id, by)
        state, _ = await self._store.load(case.DECIDER, adverse_event_id)
        return state.reports

    async def report(self, adverse_event_id: UUID, number: int, *, by: Actor) -> Report:
        """Raises: NoSuchReport."""
        return _numbered(await self.reports(adverse_event_id, by=by), number)

    async def changes(self, adverse_event_id: UUID, number: int, since: int | None, *, by: Actor) -> list[FieldChange]:
        """What report `number` tells otherwise than report `since`, and who made it so.

        Without `since`: than the report before it to the same recipient; the first differs from none.

        Raises: NoSuchReport, NotAnEarlierReport.
        """
        reports = await self.reports(adverse_event_id, by=by)
        later = _numbered(reports, number).sent
        if since is not None and since > number:
            raise NotAnEarlierReport(f"report {since} was sent after report {number}; ask the other way round")
        earlier = _before(reports, later) if since is None else _numbered(reports, since).sent
        event = await self._store.history(adverse_event.DECIDER.stream(adverse_event_id))
        life = await self._store.history(case.DECIDER.stream(adverse_event_id))
        return report_changes.changes(earlier, later, event, life)

    async def _carry_out(
        self, adverse_event_id: UUID, command: CaseCommand, facts: Facts, by: Actor, command_id: UUID
    ) -> Receipt:
        frame = tracing.recording(
            by,
            at=facts.now,
            subject=facts.subject.participant_id,
            command_id=command_id,
            reason=command.stated_reason,
        )
        return await self._store.execute(case.DECIDER, adverse_event_id, command, facts, frame)

    async def _facts(self, adverse_event_id: UUID, by: Actor) -> Facts:
        participant = await self._participant_of(adverse_event_id, by)
        entries = await self._store.history(adverse_event.DECIDER.stream(adverse_event_id))
        listed = await self._store.history(self._expectations)
        return Facts(
            now=self._clock(),
            zone=participant.zone,
            protocol=self._protocol,
            subject=await case_subjects.subject(self._db, participant),
            entries=tuple(Entry.of(each) for each in entries),
            listed=tuple(Listed.of(each) for each in listed),
        )

    async def _participant_of(self, adverse_event_id: UUID, by: Actor) -> Participant:
        stream = adverse_event.DECIDER.stream(adverse_event_id)
        participant = await references.participant_of(self._db, stream)
        if participant is None or not by.may_see(participant.site_id):
            raise NoSuchAdverseEvent("no adverse event has this id, or none at your sites")
        return participant


def expectations_stream(protocol: Protocol) -> str:
    return reference_safety_information.DECIDER.stream(protocol.protocol_id)


def _before(reports: tuple[Report, ...], later: ReportSubmitted) -> ReportSubmitted:
    """The report before it to the same recipient; itself, if it is the first."""
    to_them = [each.sent for each in reports if each.sent.recipient == later.recipient]
    return to_them[max(to_them.index(later) - 1, 0)]


def _numbered(reports: tuple[Report, ...], number: int) -> Report:
    for report in reports:
        if report.sent.number == number:
            return report
    raise NoSuchReport("the case has no report of this number")
