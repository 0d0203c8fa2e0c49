"""The protocol of a trial, as one validated value that is never changed."""

from collections.abc import Iterable
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, computed_field

from shared.protocol.alerting import Alerting
from shared.protocol.biomarkers import Analyte, Cytokines, Persistence
from shared.protocol.car_t_toxicity import CarTToxicity
from shared.protocol.case_reports import CaseReports
from shared.protocol.criteria import Consent, Criterion, Enrolment
from shared.protocol.deviations import Deviations
from shared.protocol.dose_limiting import DoseLimiting, Stopping
from shared.protocol.efficacy import ResponseCriteria
from shared.protocol.endpoints import Endpoints
from shared.protocol.escalation import DoseEscalation
from shared.protocol.long_term import LongTermFollowUp
from shared.protocol.lymphodepletion import Lymphodepletion
from shared.protocol.marked import Part, Setting, Text
from shared.protocol.product import Product
from shared.protocol.safety import Causality, ClockSteps, Dosing, GradingCriteria, ReportingClock
from shared.protocol.visits import Assessment, OutcomeMeasure, Schedule, Visit

T = TypeVar("T")


class Protocol(Part):
    """What the trial has decided beforehand. Every derived decision records the `ref` it was made under."""

    protocol_id: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,19}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]  # of the content; the loader computes it

    title: Setting[Text]
    registry_id: Setting[Text]
    sponsor: Setting[Text]
    phase: Setting[Text]
    planned_participants: Setting[Annotated[int, Field(gt=0)]]

    outcome_measures: Annotated[tuple[OutcomeMeasure, ...], Field(min_length=1)]
    schedule: Schedule
    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]
    long_term_follow_up: LongTermFollowUp | None  # none where nothing stays in those who took part
    ctcae: GradingCriteria
    causality: Causality
    car_t_toxicity: CarTToxicity
    response: ResponseCriteria
    endpoints: Endpoints
    persistence: Persistence
    cytokines: Cytokines
    eligibility: tuple[Criterion, ...]
    enrolment: Enrolment
    consent: Consent
    clocks: tuple[ReportingClock, ...]
    clock_steps: ClockSteps
    alerting: Alerting
    case_reports: CaseReports | None  # none where no report is written as an electronic message
    lymphodepletion: Lymphodepletion | None  # none where nothing prepares for the product
    product: Product | None  # none where nothing is manufactured for one participant
    dosing: Dosing | None  # none where the product is not counted in cells
    dose_escalation: DoseEscalation | None = None  # none where doses are not escalated by a design
    dose_limiting: DoseLimiting
    stopping: Stopping
    deviations: Deviations | None = None  # none where nobody has said which are important

    @computed_field  # type: ignore[prop-decorator] # mypy knows no decorator above a property
    @property
    def ref(self) -> str:
        """Protocol and version, as derived decisions record it."""
        return f"{self.protocol_id}@{self.version}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.schedule.time_zone.value)

    def in_zone(self, time_zone: str) -> Self:
        """The same protocol, its days those of another time zone, as a site's own calendar has them."""
        setting = self.schedule.time_zone.model_copy(update={"value": time_zone})
        return self.model_copy(update={"schedule": self.schedule.model_copy(update={"time_zone": setting})})

    def visits_for(self, assessment: Assessment) -> tuple[Visit, ...]:
        """The visits at which an assessment is due, in order of time."""
        return tuple(visit for visit in self.visits if assessment in visit.due)

    def visit(self, code: str) -> Visit:
        return _known("visit", code, ((visit.code, visit) for visit in self.visits))

    def measure(self, measure_id: str) -> OutcomeMeasure:
        return _known("outcome measure", measure_id, ((measure.id, measure) for measure in self.outcome_measures))

    def criterion(self, criterion_id: str) -> Criterion:
        return _known("criterion", criterion_id, ((criterion.id, criterion) for criterion in self.eligibility))

    def clock(self, clock_id: str) -> ReportingClock:
        return _known("clock", clock_id, ((clock.id, clock) for clock in self.clocks))

    def analyte(self, key: str) -> Analyte:
        return _known("analyte", key, ((analyte.key, analyte) for analyte in self.cytokines.analytes))


def _known(what: str, code: str, named: Iterable[tuple[str, T]]) -> T:
    found = dict(named)
    if code not in found:
        raise LookupError(f"the protocol has no {what} {code}; it has {', '.join(found) or 'none'}")
    return found[code]
