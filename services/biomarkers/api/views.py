"""A result as it stands, folded from its own stream, with every report that was superseded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainSerializer

from services.biomarkers.domain.specimens import results as specimen_results
from services.biomarkers.domain.specimens.custody import Custody, State, StepKind
from services.biomarkers.references import Participant
from shared.contracts.biomarkers import (
    CarTCount,
    CytokinePanelCancelled,
    CytokineReport,
    CytokineResult,
    CytokineSpecimen,
    FlowReport,
    FlowResultCancelled,
    FlowSpecimen,
    Ground,
)
from shared.contracts.biomarkers_assayed import AssayUsed
from shared.contracts.biomarkers_specimens import Rejection
from shared.contracts.biomarkers_transgene import (
    TransgeneLevel,
    TransgeneReport,
    TransgeneResultCancelled,
    TransgeneSpecimen,
)
from shared.contracts.specimen_flags import SpecimenFlag
from shared.kernel.events import Envelope
from shared.protocol import Protocol
from shared.protocol.fold_change import Bound, FoldChange, NoFoldChange
from shared.protocol.schedule import study_day

_CANCELLED = (FlowResultCancelled, CytokinePanelCancelled, TransgeneResultCancelled)

Ratio = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json")]


class Status(StrEnum):
    """Whether a result counts (FHIR `Observation.status`)."""

    FINAL = "final"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Cancellation(BaseModel):
    """Why a result no longer counts."""

    ground: Ground
    reason: str
    cancelled_at: datetime


class Timing(BaseModel):
    """When a sample was drawn, on the schedule of its participant. None: no infusion is known yet."""

    collected_at: datetime
    before_infusion: bool | None
    study_day: int | None = Field(description="Day 0 is the day of the infusion, in the trial's time zone")


class SpecimenOfResult(BaseModel):
    """The specimen that the report names, as it stands now."""

    specimen_id: UUID | None
    status: StepKind | None = Field(description="Null where the report names none, or it was retracted")
    flags: list[SpecimenFlag]
    rejection: Rejection | None = Field(description="Why it cannot be used, if it was rejected after the result")


class FlowVersion(BaseModel):
    """A report, what was read from it, and how long it stood."""

    report: FlowReport
    count: CarTCount
    protocol: str
    recorded_at: datetime
    superseded_at: datetime | None = None
    correction_reason: str | None = Field(None, description="Why this report superseded the one before it")


class FlowResult(BaseModel):
    """CAR-T cells in one sample: the report that counts, and those it superseded, the earliest first."""

    flow_result_id: UUID
    participant_id: UUID
    status: Status
    timing: Timing
    specimen: SpecimenOfResult
    current: FlowVersion
    superseded: list[FlowVersion]
    cancellation: Cancellation | None


class TransgeneVersion(BaseModel):
    """A report, what was read from it, and how long it stood."""

    report: TransgeneReport
    level: TransgeneLevel
    protocol: str
    recorded_at: datetime
    superseded_at: datetime | None = None
    correction_reason: str | None = Field(None, description="Why this report superseded the one before it")


class TransgeneResult(BaseModel):
    """Transgene copies in one sample: the report that counts, and those it superseded, the earliest first."""

    transgene_result_id: UUID
    participant_id: UUID
    status: Status
    timing: Timing
    specimen: SpecimenOfResult
    current: TransgeneVersion
    superseded: list[TransgeneVersion]
    cancellation: Cancellation | None


class FoldChangeView(BaseModel):
    """Fold change over the pre-infusion sample, or why there is none; derived now, from all that stands on record."""

    analyte: str
    ratio: Ratio | None = Field(description="Value over baseline", examples=["9.5"])
    bound: Bound | None = Field(description="`at-least` or `at-most` where a value lies beyond a limit")
    missing: NoFoldChange | None
    baseline_panel_id: UUID | None
    differs: list[str] = Field(description="What is not as it was at the baseline: kit, lot, specimen")


class CytokineVersion(BaseModel):
    """A report, what was read from it, and how long it stood."""

    report: CytokineReport
    results: list[CytokineResult]
    assay: AssayUsed | None = Field(None, description="The registered lot whose limits were taken, as it was then")
    protocol: str
    recorded_at: datetime
    superseded_at: datetime | None = None
    correction_reason: str | None = Field(None, description="Why this report superseded the one before it")


class CytokinePanel(BaseModel):
    """The cytokines of one sample: the report that counts, and those it superseded, the earliest first."""

    cytokine_panel_id: UUID
    participant_id: UUID
    status: Status
    timing: Timing
    specimen: SpecimenOfResult
    current: CytokineVersion
    fold_changes: list[FoldChangeView] = Field(description="Empty for a cancelled panel")
    fold_change_protocol: str = Field(description="Protocol and version by which fold changes are derived")
    superseded: list[CytokineVersion]
    cancellation: Cancellation | None


Named = tuple[State, State] | None  # the specimen that a result names, and what it was made of


def flow_result(history: Sequence[Envelope], participant: Participant, protocol: Protocol, named: Named) -> FlowResult:
    versions = [FlowVersion(report=event.report, count=event.count, **frame) for event, frame in _reports(history)]
    return FlowResult(
        flow_result_id=_first(history).flow_result_id,
        current=versions[-1],
        superseded=versions[:-1],
        timing=_timing(versions[-1].report.specimen.collected_at, participant, protocol),
        specimen=_specimen(versions[-1].report.specimen, named),
        **_standing(history, participant),
    )


def transgene_result(
    history: Sequence[Envelope], participant: Participant, protocol: Protocol, named: Named
) -> TransgeneResult:
    versions = [TransgeneVersion(report=event.report, level=event.level, **frame) for event, frame in _reports(history)]
    return TransgeneResult(
        transgene_result_id=_first(history).transgene_result_id,
        current=versions[-1],
        superseded=versions[:-1],
        timing=_timing(versions[-1].report.specimen.collected_at, participant, protocol),
        specimen=_specimen(versions[-1].report.specimen, named),
        **_standing(history, participant),
    )


def cytokine_panel(
    history: Sequence[Envelope],
    participant: Participant,
    protocol: Protocol,
    folds: Mapping[str, FoldChange],
    named: Named,
) -> CytokinePanel:
    versions = [
        CytokineVersion(report=event.report, results=list(event.results), assay=event.assay, **frame)
        for event, frame in _reports(history)
    ]
    return CytokinePanel(
        cytokine_panel_id=_first(history).cytokine_panel_id,
        current=versions[-1],
        superseded=versions[:-1],
        fold_changes=[_fold_change(fold) for fold in folds.values()],
        fold_change_protocol=protocol.ref,
        timing=_timing(versions[-1].report.specimen.collected_at, participant, protocol),
        specimen=_specimen(versions[-1].report.specimen, named),
        **_standing(history, participant),
    )


def specimen_named(history: Sequence[Envelope]) -> UUID | None:
    """The specimen that the report that counts names."""
    specimen_id: UUID | None = _reports(history)[-1][0].report.specimen.specimen_id
    return specimen_id


def _specimen(sample: FlowSpecimen | CytokineSpecimen | TransgeneSpecimen, named: Named) -> SpecimenOfResult:
    state, origin = named or (None, None)
    found = state if isinstance(state, Custody) else None
    return SpecimenOfResult(
        specimen_id=sample.specimen_id,
        status=found and found.status,
        flags=list(specimen_results.flags(state, origin, type_=sample.type.value, collected_at=sample.collected_at)),
        rejection=found and found.rejection,
    )


def _first(history: Sequence[Envelope]) -> Any:
    return history[0].event()


def _reports(history: Sequence[Envelope]) -> list[tuple[Any, dict[str, Any]]]:
    """Each event that carries a report, with what stands around it."""
    told: list[tuple[Envelope, Any]] = [(envelope, envelope.event()) for envelope in history]
    reports = [(envelope, event) for envelope, event in told if not isinstance(event, _CANCELLED)]
    ends = [*(envelope.recorded_at for envelope, _ in reports[1:]), None]
    return [
        (
            event,
            {
                "protocol": event.protocol,
                "recorded_at": envelope.recorded_at,
                "superseded_at": end,
                "correction_reason": getattr(event, "reason", None),
            },
        )
        for (envelope, event), end in zip(reports, ends, strict=True)
    ]


def _standing(history: Sequence[Envelope], participant: Participant) -> dict[str, Any]:
    last, event = history[-1], history[-1].event()
    cancellation = None
    if isinstance(event, _CANCELLED):
        cancellation = Cancellation(ground=event.ground, reason=event.reason, cancelled_at=last.recorded_at)
        status = Status(event.ground.value)
    else:
        status = Status.FINAL if len(history) == 1 else Status.CORRECTED
    return {"participant_id": participant.participant_id, "status": status, "cancellation": cancellation}


def _timing(collected_at: datetime, participant: Participant, protocol: Protocol) -> Timing:
    day_zero = participant.day_zero
    return Timing(
        collected_at=collected_at,
        before_infusion=None if day_zero is None else collected_at < day_zero,
        study_day=None if day_zero is None else study_day(protocol, collected_at, day_zero),
    )


def _fold_change(fold: FoldChange) -> FoldChangeView:
    return FoldChangeView(
        analyte=fold.analyte,
        ratio=fold.ratio,
        bound=fold.bound,
        missing=fold.missing,
        baseline_panel_id=fold.baseline_id,
        differs=list(fold.differs),
    )
