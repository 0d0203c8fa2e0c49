"""Tells events as the services publish them, naming only what matters; each child's story in its own streams."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from shared.contracts import biomarkers as bio
from shared.contracts import biomarkers_transgene as pcr
from shared.contracts import efficacy as eff
from shared.contracts import efficacy_terms as read
from shared.contracts import enrollment as enr
from shared.contracts import enrollment_terms as terms
from shared.contracts import safety as saf
from shared.contracts.enrollment_anticancer_therapy import (
    AnticancerTherapyCorrected,
    AnticancerTherapyRecorded,
    AnticancerTherapyRetracted,
    TherapyKind,
)
from shared.contracts.enrollment_lymphodepletion import (
    DrugGiven,
    LymphodepletionCorrected,
    LymphodepletionRecorded,
    LymphodepletionRetracted,
)
from shared.kernel.events import Envelope, Event
from shared.protocol import load_protocol

PROTOCOL = load_protocol()
SPACE = UUID("6c1d5f1e-0000-5000-8000-000000000000")
BEGAN = datetime(2026, 4, 19, 1, 0, tzinfo=UTC)

TERMS = {
    "Cytokine release syndrome": ("10052015", "Immune system disorders"),
    "Fever": ("10016558", "General disorders and administration site conditions"),
    "Nausea": ("10028813", "Gastrointestinal disorders"),
    "Anemia": ("10002272", "Blood and lymphatic system disorders"),
    "Headache": ("10019211", "Nervous system disorders"),
    "Sepsis": ("10040047", "Infections and infestations"),
}


def named(name: str) -> UUID:
    """An id that a test can name again."""
    return uuid5(SPACE, name)


def term(name: str) -> saf.AdverseEventTerm:
    code, soc = TERMS[name]
    return saf.AdverseEventTerm(edition="5.0", meddra_code=code, name=name, soc=soc)


class Chronicle:
    """Events in the order in which they were recorded, one minute apart, each with its topic."""

    def __init__(self, actor: str = "dr-mali") -> None:
        self.told: list[tuple[str, Envelope]] = []
        self.actor = actor
        self._versions: dict[str, int] = {}

    def tell(self, stream: str, event: Event, *, at: datetime | None = None, actor: str | None = None) -> Envelope:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        envelope = Envelope(
            event_id=named(f"{stream}@{version}"),
            stream=stream,
            version=version,
            type=event.event_type,
            schema_version=event.schema_version,
            subject=str(getattr(event, "participant_id", "CU")),
            recorded_at=at or BEGAN + timedelta(minutes=len(self.told)),
            actor=actor or self.actor,
            role="investigator",
            reason=getattr(event, "reason", None),
            correlation_id=named("correlation"),
            causation_id=named(f"command of {stream}@{version}"),
            traceparent=None,
            data=event.to_json(),
        )
        self.told.append((f"trial.{event.event_type.partition('.')[0]}", envelope))
        return envelope

    def child(self, subject_number: str) -> "Child":
        return Child(self, subject_number)


class Child:
    """One participant. `subject_number` begins with the site."""

    def __init__(self, chronicle: Chronicle, subject_number: str) -> None:
        self.chronicle = chronicle
        self.subject_number = subject_number
        self.id = named(subject_number)
        self.site = subject_number.partition("-")[0]
        self.stream = f"participant:{self.id}"
        self.infusions = 0

    def _tell(self, event: Event) -> Envelope:
        return self.chronicle.tell(self.stream, event)

    def screened(self) -> "Child":
        self._tell(
            enr.ParticipantScreened(
                participant_id=self.id,
                site_id=self.site,
                time_zone="Asia/Bangkok",
                subject_number=self.subject_number,
                screening_number=f"{self.subject_number}-S1",
                subject_label=None,
                birth_month="2017-03",
                sex=terms.Sex.FEMALE,
                diagnosis=terms.Diagnosis.NEUROBLASTOMA,
                diagnosis_text=None,
                screened_on=date(2025, 12, 1),
                status=terms.ParticipantStatus.SCREENING,
            )
        )
        return self

    def enrolled(self, dose_level: str | None = "DL1") -> "Child":
        self._tell(
            enr.ParticipantEnrolled(
                participant_id=self.id,
                site_id=self.site,
                subject_number=self.subject_number,
                enrolled_on=date(2025, 12, 15),
                criteria_excepted=(),
                dose_level=dose_level,
                status=terms.ParticipantStatus.ENROLLED,
                protocol=PROTOCOL.ref,
            )
        )
        return self

    def infused(self, at: datetime, *, day_zero: datetime | None = None) -> "Child":
        self.infusions += 1
        self._tell(
            enr.CellsInfused(
                participant_id=self.id,
                site_id=self.site,
                status=terms.ParticipantStatus.INFUSED,
                **self._infusion(at, day_zero),
            )
        )
        return self

    def prepared(self, began_on: date, first_dose_at: datetime | None = None) -> "Child":
        told = self._lymphodepletion(began_on, first_dose_at)
        self._tell(LymphodepletionRecorded(site_id=self.site, **told))
        return self

    def lymphodepletion_corrected(self, began_on: date) -> "Child":
        self._tell(LymphodepletionCorrected(reason="Misread day", **self._lymphodepletion(began_on, None)))
        return self

    def lymphodepletion_retracted(self) -> "Child":
        told = self._lymphodepletion(date(2026, 1, 1), None)
        kept = {name: told[name] for name in ("participant_id", "lymphodepletion_id", "protocol")}
        self._tell(LymphodepletionRetracted(reason="Entered for the wrong participant", **kept))
        return self

    def began_therapy(self, started_on: str, kind: TherapyKind = TherapyKind.SYSTEMIC) -> "Child":
        told = {**self._therapy, "kind": kind, "started_on": started_on}
        self._tell(AnticancerTherapyRecorded.model_validate({**told, "site_id": self.site}))
        return self

    def therapy_corrected(self, started_on: str) -> "Child":
        told = {**self._therapy, "kind": TherapyKind.RADIOTHERAPY, "started_on": started_on}
        self._tell(AnticancerTherapyCorrected.model_validate({**told, "reason": "Misread day"}))
        return self

    def therapy_retracted(self) -> "Child":
        told = {**self._therapy, "reason": "Entered for the wrong participant"}
        self._tell(AnticancerTherapyRetracted.model_validate(told))
        return self

    @property
    def _therapy(self) -> dict[str, Any]:
        key = named(f"therapy of {self.subject_number}")
        return {"participant_id": self.id, "therapy_id": key, "protocol": PROTOCOL.ref}

    def _lymphodepletion(self, began_on: date, first_dose_at: datetime | None) -> dict[str, Any]:
        drug = {"drug": "fludarabine", "dose": "30.0", "unit": "mg/m2", "route": "intravenous", "days": [began_on]}
        return {
            "participant_id": self.id,
            "lymphodepletion_id": named(f"lymphodepletion of {self.subject_number}"),
            "prepares_infusion": 1,
            "began_on": began_on,
            "first_dose_at": first_dose_at,
            "drugs": (DrugGiven.model_validate(drug),),
            "consent_gaps": (),
            "protocol": PROTOCOL.ref,
        }

    def infusion_corrected(self, at: datetime) -> "Child":
        told = self._infusion(at, None)
        self._tell(enr.InfusionCorrected(participant_id=self.id, reason="Misread clock", **told))
        return self

    def infusion_retracted(self, day_zero: datetime | None = None) -> "Child":
        status = terms.ParticipantStatus.ENROLLED if day_zero is None else terms.ParticipantStatus.INFUSED
        self._tell(
            enr.InfusionRetracted(
                participant_id=self.id,
                infusion_number=self.infusions,
                day_zero=day_zero,
                reason="Entered for the wrong participant",
                status=status,
                protocol=PROTOCOL.ref,
            )
        )
        self.infusions -= 1
        return self

    def _infusion(self, at: datetime, day_zero: datetime | None) -> dict[str, Any]:
        return {
            "infusion_number": self.infusions,
            "started_at": at,
            "ended_at": at + timedelta(minutes=30),
            "route": terms.Route.INTRAVENOUS,
            "lot": "LOT-7",
            "weight_kg": Decimal("22.50"),
            "cells_per_kg": Decimal(1000000),
            "total_car_positive_cells": Decimal(22500000),
            "day_zero": day_zero or at,
            "consent_gaps": (),
            "protocol": PROTOCOL.ref,
        }

    def _ending(self, disposition: terms.Disposition, status: terms.ParticipantStatus) -> dict[str, Any]:
        return {"participant_id": self.id, "disposition": disposition, "status": status}

    def died(self, on: str) -> "Child":
        ending = self._ending(terms.Disposition.DEATH, terms.ParticipantStatus.DIED)
        self._tell(enr.ParticipantDied(died_on=on, **ending))
        return self

    def lost(self, on: str) -> "Child":
        ending = self._ending(terms.Disposition.LOST_TO_FOLLOW_UP, terms.ParticipantStatus.LOST_TO_FOLLOW_UP)
        self._tell(enr.ParticipantLostToFollowUp(last_contact_on=on, **ending))
        return self

    def found_again(self) -> "Child":
        self._tell(
            enr.DiscontinuationRetracted(
                participant_id=self.id,
                retracted=terms.ParticipantStatus.LOST_TO_FOLLOW_UP,
                reason="The family moved and was reached",
                status=terms.ParticipantStatus.INFUSED,
            )
        )
        return self

    def adverse_event(self, name: str, grade: int, onset: str, **told: Any) -> "AdverseEvent":
        return AdverseEvent(self, name, grade, onset, **told)

    def assessed(
        self, on: str, response: str | None, *, name: str | None = None, change: tuple[str, str] | None = None
    ) -> "Assessment":
        """An assessment; a baseline has no response. `change`: the percentage, and the baseline's date."""
        return Assessment(self, on, response, name or f"{self.subject_number} {on}", change)

    def flow(
        self, at: datetime, cells: str | None, *, lloq: str = "1", percent: str | None = "5", **subsets: str
    ) -> UUID:
        """CAR-T cells/uL in blood; `<`: below the limit; None: a percentage that gives no count."""
        result = named(f"{self.subject_number} flow {at.isoformat()}")
        told = self._flow(result, at, cells, lloq, percent)
        if subsets:
            found = bio.CarSubsets.model_validate(subsets)
            told["count"] = told["count"].model_copy(update={"subsets": found})
        self.chronicle.tell(f"flow-result:{result}", bio.FlowResultRecorded(**told))
        return result

    def flow_corrected(self, result: UUID, at: datetime, cells: str) -> None:
        told = self._flow(result, at, cells, "1", "5")
        self.chronicle.tell(f"flow-result:{result}", bio.FlowResultCorrected(**told, reason="Wrong dilution"))

    def flow_cancelled(self, result: UUID) -> None:
        told = {"flow_result_id": result, "participant_id": self.id, "ground": bio.Ground.CANCELLED}
        self.chronicle.tell(f"flow-result:{result}", bio.FlowResultCancelled(**told, reason="Clotted tube"))

    def copies(self, at: datetime, copies: str | None, *, lloq: str = "50", compartment: str = "blood") -> UUID:
        """Transgene copies per ug of DNA by qPCR; None: below the limit."""
        result = named(f"{self.subject_number} copies {at.isoformat()} {compartment}")
        self.chronicle.tell(
            f"transgene-result:{result}",
            pcr.TransgeneResultRecorded(**self._copies(result, at, copies, lloq, compartment)),
        )
        return result

    def copies_corrected(self, result: UUID, at: datetime, copies: str | None) -> None:
        told = self._copies(result, at, copies, "50", "blood")
        self.chronicle.tell(f"transgene-result:{result}", pcr.TransgeneResultCorrected(**told, reason="Wrong dilution"))

    def copies_cancelled(self, result: UUID) -> None:
        told = {"transgene_result_id": result, "participant_id": self.id, "ground": bio.Ground.CANCELLED}
        self.chronicle.tell(
            f"transgene-result:{result}", pcr.TransgeneResultCancelled(**told, reason="Control amplified")
        )

    def _copies(self, result: UUID, at: datetime, copies: str | None, lloq: str, compartment: str) -> dict[str, Any]:
        number = None if copies is None else Decimal(copies)
        report = pcr.TransgeneReport(
            specimen=pcr.TransgeneSpecimen(type=bio.FlowSpecimenType(compartment), collected_at=at),
            method=pcr.TransgeneMethod.QPCR,
            copies_per_ug=number,
            qualifier=bio.Qualifier.BELOW if number is None else None,
            lloq_copies_per_ug=Decimal(lloq),
        )
        level = pcr.TransgeneLevel(
            below_lloq=number is None,
            detectable=number is not None,
            copies_per_ug=number,
            lloq_copies_per_ug=Decimal(lloq),
            lod_copies_per_ug=None,
            copies_per_ml=None,
            copies_per_cell=None,
            flags=(),
        )
        told = {"transgene_result_id": result, "participant_id": self.id, "report": report, "level": level}
        return {**told, "protocol": PROTOCOL.ref}

    def _flow(self, result: UUID, at: datetime, cells: str | None, lloq: str, percent: str | None) -> dict[str, Any]:
        below = cells == "<"
        report = bio.FlowReport(
            specimen=bio.FlowSpecimen(collected_at=at),
            parent_population=bio.ParentPopulation.CD3,
            percent=None if below or percent is None else Decimal(percent),
            qualifier=bio.Qualifier.BELOW if below else None,
        )
        count = bio.CarTCount(
            below_lloq=below,
            detectable=not below,
            percent=report.percent,
            lloq_percent=Decimal("0.1"),
            lloq_basis=bio.LimitBasis.REPORTED,
            cells_per_ul=None if below or cells is None else Decimal(cells),
            cells_basis=None if below or cells is None else bio.CountBasis.DERIVED,
            lloq_cells_per_ul=Decimal(lloq),
            derived_cells_per_ul=None,
            not_derived=None,
            flags=(),
        )
        told = {"flow_result_id": result, "participant_id": self.id, "report": report, "count": count}
        return {**told, "protocol": PROTOCOL.ref}

    def cytokines(self, at: datetime, *, platform: str = "luminex", flagged: bool = False, **values: str) -> UUID:
        """Cytokines in pg/mL by key: "38.4", "<2", ">1000". The others of the panel were not reported."""
        panel = named(f"{self.subject_number} panel {at.isoformat()}")
        told = self._panel(panel, at, platform, values, flagged=flagged)
        self.chronicle.tell(f"cytokine-panel:{panel}", bio.CytokinePanelRecorded(**told))
        return panel

    def cytokines_corrected(self, panel: UUID, at: datetime, **values: str) -> None:
        told = self._panel(panel, at, "luminex", values, flagged=False)
        self.chronicle.tell(f"cytokine-panel:{panel}", bio.CytokinePanelCorrected(**told, reason="Wrong plate"))

    def cytokines_cancelled(self, panel: UUID) -> None:
        told = {"cytokine_panel_id": panel, "participant_id": self.id, "ground": bio.Ground.CANCELLED}
        self.chronicle.tell(f"cytokine-panel:{panel}", bio.CytokinePanelCancelled(**told, reason="Haemolysed"))

    def _panel(
        self, panel: UUID, at: datetime, platform: str, values: dict[str, str], *, flagged: bool
    ) -> dict[str, Any]:
        report = bio.CytokineReport(
            specimen=bio.CytokineSpecimen(collected_at=at),
            platform=platform,
            results=tuple(
                bio.ReportedCytokine(analyte=key, value=Decimal(value.strip("<>")), unit="pg/mL")
                for key, value in values.items()
            ),
        )
        results = tuple(
            _cytokine(analyte.key, values.get(analyte.key), flagged) for analyte in PROTOCOL.cytokines.analytes
        )
        told = {"cytokine_panel_id": panel, "participant_id": self.id, "report": report, "results": results}
        return {**told, "protocol": PROTOCOL.ref}


def _cytokine(key: str, value: str | None, flagged: bool) -> bio.CytokineResult:
    if value is None:
        return bio.CytokineResult(analyte=key, not_measured=bio.NotMeasured.NOT_REPORTED)
    flags = (bio.CytokineFlag.AFTER_TOCILIZUMAB,) if flagged and key == "IL6" else ()
    number = Decimal(value.strip("<>"))
    if value.startswith("<"):
        return bio.CytokineResult(analyte=key, qualifier=bio.Qualifier.BELOW, lloq_pg_ml=number, flags=flags)
    if value.startswith(">"):
        return bio.CytokineResult(analyte=key, qualifier=bio.Qualifier.ABOVE, uloq_pg_ml=number, flags=flags)
    return bio.CytokineResult(analyte=key, value_pg_ml=number, flags=flags)


class AdverseEvent:
    """One adverse event, told from its report on."""

    def __init__(
        self,
        child: Child,
        name: str,
        grade: int,
        onset: str,
        *,
        serious: Sequence[str] = (),
        related: str | None = None,
        aware: datetime | None = None,
    ) -> None:
        self.child = child
        self.id = named(f"{child.subject_number} {name} {onset}")
        self.stream = f"adverse-event:{self.id}"
        self.grades = [saf.GradeSince(grade=grade, since=onset)]
        self.aware = aware or datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
        self.alerts = 0
        self.seriousness = tuple(saf.Seriousness(each) for each in sorted(serious))
        self._tell(
            saf.AdverseEventReported,
            term=term(name),
            grade=grade,
            grade_basis=saf.GradeBasis(),
            onset=onset,
            became_aware_at=self.aware,
            ended_on=None,
            seriousness=self.seriousness,
            causality=() if related is None else (opinion("car-t-product", related),),
            action_taken=saf.ActionTaken.UNKNOWN,
            outcome=saf.Outcome.UNKNOWN,
            protocol=PROTOCOL.ref,
        )
        if serious:
            self.alert(saf.AlertCause.REPORTED_SERIOUS)

    def _tell(self, kind: type[Event], **told: Any) -> "AdverseEvent":
        who: dict[str, Any] = {"adverse_event_id": self.id, "participant_id": self.child.id}
        event = kind(**who, **told)
        self.child.chronicle.tell(self.stream, event)
        return self

    @property
    def alert_id(self) -> str:
        return f"{self.id}-{self.alerts}"

    def alert(self, because: saf.AlertCause) -> "AdverseEvent":
        self.alerts += 1
        due = self.aware + timedelta(hours=24)
        return self._tell(
            saf.SeriousAdverseEventIdentified,
            alert_id=self.alert_id,
            site_id=self.child.site,
            number=self.alerts,
            because=because,
            seriousness=self.seriousness,
            grade=self.grades[-1].grade,
            became_aware_at=self.aware,
            notices=(saf.Notice(clock="investigator-to-sponsor", to="sponsor", due_at=due),),
            protocol=PROTOCOL.ref,
        )

    def regraded(self, grade: int, since: str) -> "AdverseEvent":
        previous = self.grades[-1].grade
        self.grades.append(saf.GradeSince(grade=grade, since=since))
        told = {"grade": grade, "grade_basis": saf.GradeBasis(), "since": since}
        return self._tell(saf.AdverseEventRegraded, previous_grade=previous, **told)

    def corrected_to_grade(self, grade: int) -> "AdverseEvent":
        now = (*self.grades[:-1], saf.GradeSince(grade=grade, since=self.grades[-1].since))
        grades = saf.Replaced[tuple[saf.GradeSince, ...]](was=tuple(self.grades), now=now)
        self.grades = list(now)
        return self._tell(saf.AdverseEventCorrected, reason="Misread chart", grades=grades)

    def corrected(self, **told: Any) -> "AdverseEvent":
        return self._tell(saf.AdverseEventCorrected, reason="Misread chart", **told)

    def judged(self, agent: str, attribution: str) -> "AdverseEvent":
        return self._tell(saf.CausalityAssessed, causality=(opinion(agent, attribution),))

    def resolved(self, on: str, outcome: str = "recovered") -> "AdverseEvent":
        return self._tell(saf.AdverseEventResolved, ended_on=on, outcome=saf.Outcome(outcome))

    def no_longer_serious(self) -> "AdverseEvent":
        told = {"previous": self.seriousness, "seriousness": (), "became_aware_at": self.aware}
        return self._tell(saf.SeriousnessReassessed, **told)

    def retracted(self) -> "AdverseEvent":
        return self._tell(saf.AdverseEventRetracted, reason="Another participant's")

    def delivered(self, at: datetime) -> "AdverseEvent":
        told = {"channel": "webhook", "recipient": "webhook", "level": 1, "number": 1}
        event = saf.AlertDelivered(**told, delivered_at=at, **self._alert())
        self.child.chronicle.tell(f"alert:{self.alert_id}", event)
        return self

    def acknowledged(self, at: datetime, *, by: str) -> "AdverseEvent":
        event = saf.AlertAcknowledged(note="Sponsor called", **self._alert())
        self.child.chronicle.tell(f"alert:{self.alert_id}", event, at=at, actor=by)
        return self

    def _alert(self) -> dict[str, Any]:
        return {"alert_id": self.alert_id, "adverse_event_id": self.id, "participant_id": self.child.id}


def opinion(agent: str, attribution: str) -> saf.AgentCausality:
    return saf.AgentCausality(agent=agent, attribution=saf.Attribution(attribution))


class Assessment:
    """One tumour assessment and its response, in the investigator's stream of the child."""

    def __init__(
        self, child: Child, on: str, response: str | None, name: str, change: tuple[str, str] | None = None
    ) -> None:
        self.child = child
        self.id = named(name)
        self.change = change
        self.on = on
        self.response = response
        self._found(eff.TumourAssessed)
        if response is not None:
            self.assigned(response)

    def _tell(self, kind: type[Event], **told: Any) -> "Assessment":
        who = {"participant_id": self.child.id, "assessment_id": self.id, "evaluator": read.Evaluator.INVESTIGATOR}
        self.child.chronicle.tell(f"tumour-burden:{self.child.id}", kind(**who, **told))
        return self

    def _found(self, kind: type[Event], **told: Any) -> "Assessment":
        findings = read.Findings(assessed_on=self.on, modality=read.Modality.MRI, non_target=read.NonTargetStatus.NONE)
        return self._tell(kind, baseline=self.response is None, findings=findings, **told)

    def assigned(self, response: str) -> "Assessment":
        return self._tell(
            eff.ResponseAssigned,
            assessed_on=self.on,
            visit=None,
            criteria="SEED_V1",
            response=read.Response(response),
            rule="told-by-a-test",
            explanation="Told by a test.",
            basis=self._basis(),
            protocol=PROTOCOL.ref,
        )

    def _basis(self) -> read.ResponseBasis:
        told: dict[str, Any] = {"measure": "sum-of-diameters", "unit": "mm"}
        if self.change is not None:
            percent, baseline_on = self.change
            told |= {"percent_from_baseline": Decimal(percent), "baseline_on": baseline_on}
        return read.ResponseBasis(**told)

    def moved_to(self, on: str) -> "Assessment":
        self.on = on
        return self._found(eff.AssessmentCorrected, reason="Date of another scan")

    def overridden(self, response: str, assigned: str) -> "Assessment":
        told = {"assigned": read.Response(assigned), "response": read.Response(response), "criteria": "SEED_V1"}
        return self._tell(eff.ResponseOverridden, reason="Pseudoprogression", **told)

    def override_withdrawn(self, assigned: str) -> "Assessment":
        told = {"assigned": read.Response(assigned), "criteria": "SEED_V1"}
        return self._tell(eff.OverrideWithdrawn, reason="Read again", **told)

    def retracted(self) -> "Assessment":
        return self._tell(eff.AssessmentRetracted, reason="Another participant's")
