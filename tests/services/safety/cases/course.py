"""One case as it goes on, without input or output: commands of the site and of the sponsor, and time that passes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.safety.domain import adverse_event
from services.safety.domain.cases import case, reference_safety_information
from services.safety.domain.cases.case import AcknowledgeReport, AssessAsSponsor, CaseCommand, ReviewCase, SubmitReport
from services.safety.domain.cases.facts import Entry, Facts, Listed, Subject
from services.safety.domain.cases.record import Case, Clock
from services.safety.domain.cases.reference_safety_information import (
    RecordReferenceSafetyInformation,
    WithdrawReferenceSafetyInformation,
)
from shared.contracts.enrollment_terms import Sex
from shared.contracts.safety_cases import CaseEvent, ReportedInfusion
from shared.kernel.events import decode
from shared.protocol import Protocol
from tests.services.safety.builders import AWARE, BANGKOK, CHILD, CRS, PROTOCOL, a_report
from tests.services.safety.builders import facts as ae_facts

INFUSION = ReportedInfusion(
    number=1,
    started_at=datetime(2026, 3, 14, 16, 30, tzinfo=BANGKOK),
    ended_at=datetime(2026, 3, 14, 17, 0, tzinfo=BANGKOK),
    route="intravenous",
    lot="LOT-7",
    cells_per_kg="1000000",
    total_car_positive_cells="21500000",
)
SUBJECT = Subject(
    participant_id=CHILD,
    site_id="CU",
    subject_number="CU-001",
    sex=Sex.FEMALE,
    birth_month="2017-03",
    weight_kg=Decimal("21.5"),
    infusions=(INFUSION,),
)
PRODUCT = "car-t-product"


def opinion(attribution: str, agent: str = PRODUCT) -> list[dict[str, str]]:
    return [{"agent": agent, "attribution": attribution}]


@dataclass
class Course:
    """What has happened so far. `now` stands still until the test moves it."""

    protocol: Protocol = PROTOCOL
    now: datetime = AWARE
    entries: list[Entry] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    happened: list[CaseEvent] = field(default_factory=list)

    def wait(self, **time: float) -> "Course":
        self.now += timedelta(**time)
        return self

    def reported(self, **changed: Any) -> "Course":
        serious = {"seriousness": ["hospitalisation"], "grade": 3, "became_aware_at": self.now}
        return self.site(a_report(**{**serious, **changed}))

    def site(self, command: adverse_event.AdverseEventCommand) -> "Course":
        state = adverse_event.DECIDER.fold(entry.event for entry in self.entries)
        for event in adverse_event.decide(command, state, ae_facts(self.now)):
            self.entries.append(Entry(len(self.entries) + 1, self.now, event))
        return self

    def lists(self, version: str = "IB-1", effective_from: str = "2026-01-01", **terms: Any) -> "Course":
        """`terms`: a list of terms, or the worst grade of CRS and whether it may be fatal."""
        listed = terms.get("terms") or [{"meddra_code": CRS.meddra_code, "max_grade": 3, **terms}]
        command = RecordReferenceSafetyInformation.model_validate(
            {"rsi_version": version, "effective_from": effective_from, "terms": listed}
        )
        return self._list(command, version)

    def withdraws(self, version: str) -> "Course":
        return self._list(WithdrawReferenceSafetyInformation(reason="Entered wrongly"), version)

    def _list(
        self, command: RecordReferenceSafetyInformation | WithdrawReferenceSafetyInformation, version: str
    ) -> "Course":
        state = reference_safety_information.DECIDER.fold(each.event for each in self.listed)
        for event in reference_safety_information.decide(command, state, version):
            self.listed.append(Listed(self.now, event))
        return self

    def assessed(self, **given: Any) -> list[CaseEvent]:
        return self.does(AssessAsSponsor.model_validate({"became_aware_at": self.now, **given}))

    def sent(self, number: int, kind: str = "initial", recipient: str = "thai-fda", **given: Any) -> list[CaseEvent]:
        stated = {"report_id": UUID(int=number), "kind": kind, "recipient": recipient, "sent_at": self.now, **given}
        return self.does(SubmitReport.model_validate(stated))

    def answered(self, number: int, verdict: str = "accepted", **given: Any) -> list[CaseEvent]:
        stated = {"report_number": number, "form": "e2b", "verdict": verdict, "acknowledged_at": self.now, **given}
        return self.does(AcknowledgeReport.model_validate(stated))

    def reviewed(self) -> list[CaseEvent]:
        return self.does(ReviewCase())

    def does(self, command: CaseCommand) -> list[CaseEvent]:
        decided = self.decides(command)
        self.happened += decided
        return decided

    def decides(self, command: CaseCommand) -> list[CaseEvent]:
        return case.decide(command, self.case, self.facts)

    @property
    def facts(self) -> Facts:
        return Facts(self.now, BANGKOK, self.protocol, SUBJECT, tuple(self.entries), tuple(self.listed))

    @property
    def case(self) -> Case:
        # Through the storage format and back, so that nothing is tested that cannot be stored.
        stored = [decode(e.event_type, e.schema_version, e.to_json()) for e in self.happened]
        return case.DECIDER.fold(stored)  # type: ignore[arg-type]

    def clock(self, clock: str, number: int = 1) -> Clock:
        """The n-th clock of this id of the protocol."""
        return [each for each in self.case.clocks if each.started.clock == clock][number - 1]

    def running(self) -> list[str]:
        return [each.started.clock for each in self.case.clocks if each.runs]


def kinds(events: Sequence[CaseEvent]) -> list[str]:
    """`clock-started investigator-to-sponsor`: what happened, and to which clock."""
    return [f"{each.event_type.removeprefix('safety.')} {getattr(each, 'clock', '')}".strip() for each in events]
