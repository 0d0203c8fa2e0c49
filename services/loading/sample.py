"""The sample trial as data: nine children and young adults, and one who was screened in vain. All of it is invented.

Files are read strictly (`shared.protocol.strict_yaml`): decimals stand in quotes, no key comes twice, no field is
unknown. What a file leaves to its reader is short hand for the API's own bodies: diameters as "34 x 25", cytokines
as "<2.1", evidence as "1.2 {xULN}".
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from services.loading.sample_adverse_events import AdverseEvent
from services.loading.sample_episodes import ToxicityEpisode
from services.loading.sample_rows import Row, says_one_thing
from services.loading.sample_specimens import NotCollected, Specimen
from shared.contracts.biomarkers import CarSubsets, NotMeasured, ParentPopulation, Percent, Qualifier, ReportedCytokine
from shared.contracts.biomarkers_transgene import TransgeneMethod
from shared.contracts.efficacy_terms import (
    Evaluator,
    LesionDescription,
    LesionState,
    Modality,
    NewLesion,
    NonTargetStatus,
    Response,
    TargetMeasurement,
)
from shared.contracts.enrollment_anticancer_therapy import TherapyKind
from shared.contracts.enrollment_lymphodepletion import DrugsGiven
from shared.contracts.enrollment_terms import ConsentKind, Diagnosis, Disposition, Evidence, Relationship, Route, Sex
from shared.contracts.safety_cases import ListedTerm
from shared.contracts.terms import BirthMonth, Code, Instant, Measurement, PartialDate, Reason, ShortText, SiteId
from shared.kernel.errors import TrialError
from shared.protocol.strict_yaml import NotStrictYaml, read

FOLDER = Path(__file__).parent / "sample_trial"
TRIAL_FILE = "trial.yaml"


class SampleUnusable(TrialError):
    """A file of the sample trial cannot be read; the message names the file and the line."""


class Site(Row):
    name: ShortText
    country: str
    time_zone: str


class Limits(Row):
    """Of quantification, in the assay's unit."""

    lloq: Measurement
    uloq: Measurement


class Assay(Row):
    """How a laboratory measures cytokines. Each analyte has its limits."""

    platform: Code
    kit: Code
    lot: Code
    unit: str
    limits: dict[str, Limits]


class ExpectedTerms(Row):
    """A version of the reference safety information: what the sponsor expects for onsets from a day on."""

    rsi_version: Code
    effective_from: date
    terms: tuple[ListedTerm, ...]


class DosingPause(Row):
    """Dosing is paused before anybody is treated, and resumed."""

    paused_because: Reason
    resumed_because: Reason


class Trial(Row):
    protocol_id: str
    dosing_pause: DosingPause
    reference_safety_information: tuple[ExpectedTerms, ...]
    sites: dict[SiteId, Site]
    assays: dict[SiteId, Assay]


class Screening(Row):
    birth_month: BirthMonth
    sex: Sex
    diagnosis: Diagnosis
    diagnosis_text: ShortText | None = None
    screened_on: date


class Consent(Row):
    kind: ConsentKind
    relationship: Relationship | None = None
    document_version: Code
    language: str
    obtained_on: date


_NUMBER_AND_UNIT = re.compile(r"(\d+(?:\.\d+)?) (\S+)")


def _evidence(given: Any) -> Any:
    """`true`, "never", "1.2 {xULN}" and "POSITIVE" say all that there is to say; else the whole body stands there."""
    if isinstance(given, bool):
        return {"flag": given}
    if not isinstance(given, str):
        return given
    if given == "never":
        return {"never": True}
    number = _NUMBER_AND_UNIT.fullmatch(given)
    return {"number": number[1], "unit": number[2]} if number else {"choice": given}


class Eligibility(Row):
    assessed_on: date
    evidence: dict[Code, Annotated[Evidence, BeforeValidator(_evidence)]]


class Enrolment(Row):
    """`slot`: whether a slot of the dose level that is open is reserved before."""

    slot: bool = False
    enrolled_on: date
    dose_level: Code


class Lymphodepletion(Row):
    """Before the infusion of the course."""

    first_dose_at: Instant | None = None
    drugs: DrugsGiven


class Infusion(Row):
    started_at: Instant
    ended_at: Instant
    route: Route
    lot: Code
    weight_kg: Measurement
    cells_per_kg: Measurement
    total_car_positive_cells: Measurement


_DIAMETERS = re.compile(r"(\d+(?:\.\d+)?) x (\d+(?:\.\d+)?)")


def _measured(given: Any) -> Any:
    """`34 x 25` is the longest diameter and its perpendicular in mm; a word is the state of a lesion not measured."""
    if not isinstance(given, str):
        return given
    diameters = _DIAMETERS.fullmatch(given)
    if diameters is None:
        return {"state": given}
    return {"state": LesionState.MEASURED, "longest_mm": diameters[1], "perpendicular_mm": diameters[2]}


class Target(Row):
    state: LesionState
    longest_mm: Measurement | None = None
    perpendicular_mm: Measurement | None = None

    def of(self, lesion_id: Any) -> TargetMeasurement:
        return TargetMeasurement(lesion_id=lesion_id, **dict(self))


class Override(Row):
    response: Response
    reason: Reason


class TumourAssessment(Row):
    visit: str
    assessed_on: PartialDate
    baseline: bool = False
    modality: Modality
    targets: dict[Code, Annotated[Target, BeforeValidator(_measured)]]
    non_target: NonTargetStatus
    new_lesions: tuple[NewLesion, ...] = ()
    override: Override | None = None


class IndependentReading(Row):
    """What one blinded reader recorded."""

    lesions: tuple[LesionDescription, ...]
    assessments: tuple[TumourAssessment, ...]


class Adjudication(Row):
    time_point: str
    sides_with: Evaluator
    reason: Reason


class IndependentReview(Row):
    """Two blinded readings of the same images, and what the adjudicator decided where they differ."""

    reader_1: IndependentReading
    reader_2: IndependentReading
    adjudications: tuple[Adjudication, ...] = ()


class FlowCorrection(Row):
    reason: Reason
    percent: Percent


class FlowResult(Row):
    """CAR+ cells in blood. Of the same draw: `alc`, lymphocytes in 10*9/L, and `cd3_percent` of them."""

    collected_at: Instant
    parent_population: ParentPopulation = ParentPopulation.CD3
    percent: Percent | None = None
    car_events: int | None = None
    parent_events: int
    alc: Measurement
    cd3_percent: Percent | None = None
    subsets: CarSubsets | None = None
    correct: FlowCorrection | None = None


Level = Annotated[str, Field(pattern=r"^[<>]?\d+(\.\d+)?$|^[a-z-]+$"), BeforeValidator(str)]
"""A value, `<` or `>` and the limit it lies beyond, or why it was not measured."""


class TransgeneResult(Row):
    """Copies of the CAR's gene in blood, per ug of genomic DNA; `<` is below the limit of quantification."""

    collected_at: Instant
    method: TransgeneMethod
    copies: Level
    lloq: Measurement


class PanelCorrection(Row):
    reason: Reason
    levels: dict[str, Level]


class CytokinePanel(Row):
    """Levels in the unit of the site's assay."""

    collected_at: Instant
    after_tocilizumab: bool | None = None
    levels: dict[str, Level]
    correct: PanelCorrection | None = None


class AnticancerTherapy(Row):
    """A new one, begun after the infusion."""

    kind: TherapyKind
    started_on: PartialDate


class FailScreening(Row):
    failed_on: date


class DiscontinueTreatment(Row):
    discontinued_on: PartialDate
    disposition: Disposition


class LossToFollowUp(Row):
    last_contact_on: PartialDate


class WithdrawConsent(Row):
    withdrawn_by: str
    withdrawn_on: date


class CompleteFollowUp(Row):
    completed_on: PartialDate


class RecordDeath(Row):
    died_on: PartialDate


class Ending(Row):
    """How a period of the trial ended: one verb each."""

    fail_screening: FailScreening | None = None
    discontinue_treatment: DiscontinueTreatment | None = None
    record_loss_to_follow_up: LossToFollowUp | None = None
    withdraw_consent: WithdrawConsent | None = None
    complete_follow_up: CompleteFollowUp | None = None
    record_death: RecordDeath | None = None


class Participant(Row):
    """One course. `name` is the file's, from which the ids are made."""

    name: str
    site: SiteId
    screening: Screening
    consents: tuple[Consent, ...]
    eligibility: Eligibility
    enrolment: Enrolment | None = None
    lymphodepletion: Lymphodepletion | None = None
    infusion: Infusion | None = None
    adverse_events: tuple[AdverseEvent, ...] = ()
    toxicity_episodes: tuple[ToxicityEpisode, ...] = ()
    lesions: tuple[LesionDescription, ...] = ()
    assessments: tuple[TumourAssessment, ...] = ()
    independent_review: IndependentReview | None = None
    anticancer_therapies: tuple[AnticancerTherapy, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    not_collected: tuple[NotCollected, ...] = ()
    flow_results: tuple[FlowResult, ...] = ()
    transgene_results: tuple[TransgeneResult, ...] = ()
    cytokine_panels: tuple[CytokinePanel, ...] = ()
    endings: tuple[Annotated[Ending, AfterValidator(says_one_thing)], ...] = ()


class Sample(Row):
    """The whole sample trial, participants in the order in which they were screened."""

    trial: Trial
    participants: tuple[Participant, ...]


R = TypeVar("R", bound=Row)


def read_sample(folder: Path = FOLDER) -> Sample:
    """The sample trial in a folder.

    Raises:
        SampleUnusable: naming the file, the line and what is wrong.
    """
    trial = _read(folder / TRIAL_FILE, Trial)
    files = sorted(path for path in folder.glob("*.yaml") if path.name != TRIAL_FILE)
    people = [_read(path, Participant, name=path.stem) for path in files]
    return Sample(
        trial=trial, participants=tuple(sorted(people, key=lambda each: (each.screening.screened_on, each.name)))
    )


def _read(path: Path, kind: type[R], **given: str) -> R:
    try:
        document = read(path.read_text(encoding="utf-8"))
        return kind.model_validate_json(json.dumps(document.content | given))
    except NotStrictYaml as refused:
        raise SampleUnusable(f"{path.name}:{refused.line}: {refused}") from None
    except ValidationError as invalid:
        places = ((error["loc"], error["msg"]) for error in invalid.errors())
        lines = (f"{path.name}:{document.line(at)}: {'.'.join(map(str, at))}: {why}" for at, why in places)
        raise SampleUnusable("\n".join(lines)) from None


def as_reported(levels: dict[str, Level], assay: Assay) -> Iterator[ReportedCytokine]:
    """Levels as the laboratory reports them, each with the assay's limits."""
    for analyte, said in levels.items():
        if said[0].isalpha():
            yield ReportedCytokine(analyte=analyte, not_measured=NotMeasured(said))
            continue
        limits = assay.limits[analyte]
        qualifier = Qualifier(said[0]) if said[0] in "<>" else None
        yield ReportedCytokine(
            analyte=analyte,
            value=None if qualifier else Decimal(said),
            qualifier=qualifier,
            lloq=limits.lloq,
            uloq=limits.uloq,
            unit=assay.unit,
        )
