"""What lesions, their measurements and responses are said with: terms and values, before anything has happened."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.saying import Says
from shared.contracts.terms import Code, Flag, Measurement, PartialDate, ShortText


class LesionRole(StrEnum):
    """How a lesion known at baseline is followed (SDTM TUSTRESC)."""

    TARGET = "target"
    NON_TARGET = "non-target"


class Organ(StrEnum):
    """Where a lesion lies (SDTM TULOC, codelist C74456), as organs are counted when targets are chosen."""

    ABDOMINAL_CAVITY = "abdominal-cavity"
    ADRENAL_GLAND = "adrenal-gland"
    BLADDER = "bladder"
    BONE = "bone"
    BONE_MARROW = "bone-marrow"
    BOWEL = "bowel"
    BRAIN = "brain"
    BREAST = "breast"
    CHEST = "chest"
    CHEST_WALL = "chest-wall"
    HEAD_AND_NECK = "head-and-neck"
    HEART = "heart"
    KIDNEY = "kidney"
    LIVER = "liver"
    LUNG = "lung"
    LYMPH_NODE = "lymph-node"
    MEDIASTINUM = "mediastinum"
    MENINGES = "meninges"
    ORBIT = "orbit"
    OVARY = "ovary"
    PANCREAS = "pancreas"
    PELVIS = "pelvis"
    PERITONEUM = "peritoneum"
    PLEURA = "pleura"
    PROSTATE = "prostate"
    RETROPERITONEUM = "retroperitoneum"
    SKIN = "skin"
    SOFT_TISSUE = "soft-tissue"
    SPINAL_CORD = "spinal-cord"
    SPLEEN = "spleen"
    STOMACH = "stomach"
    TESTIS = "testis"
    THYROID = "thyroid"
    UTERUS = "uterus"
    OTHER = "other"


class Laterality(StrEnum):
    """The side of a lesion (SDTM TULAT)."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"
    BILATERAL = "bilateral"


class Modality(StrEnum):
    """How the lesions were seen (SDTM TUMETHOD and TRMETHOD, codelist C85492)."""

    CT = "ct"
    MRI = "mri"
    PET_CT = "pet-ct"
    PET_MRI = "pet-mri"
    SCINTIGRAPHY = "scintigraphy"
    ULTRASOUND = "ultrasound"
    X_RAY = "x-ray"
    PHYSICAL_EXAMINATION = "physical-examination"
    OTHER = "other"


class Evaluator(StrEnum):
    """Who read the images (SDTM TUEVAL and TUEVALID, codelists C78735 and C96777).

    `independent-review` is what the two blinded readers agree on, or the adjudicator decides between them.
    """

    INVESTIGATOR = "investigator"
    INDEPENDENT_READER_1 = "independent-reader-1"
    INDEPENDENT_READER_2 = "independent-reader-2"
    INDEPENDENT_REVIEW = "independent-review"


class LesionState(StrEnum):
    """What became of a target lesion at one assessment. There is no default: missing is never zero.

    `merged`: it grew together with another target, under whose measurement the whole is given; when that mass is
    gone, both are `absent`.
    """

    MEASURED = "measured"
    ABSENT = "absent"
    TOO_SMALL = "too-small"
    MERGED = "merged"
    NOT_ASSESSED = "not-assessed"


class LocalTherapy(StrEnum):
    """What was done to one lesion alone; what it does afterwards no longer tells of the cells (SDTM TRREASND)."""

    RESECTED = "resected"
    IRRADIATED = "irradiated"


class NonTargetStatus(StrEnum):
    """All non-target lesions together (SDTM RS NTRGRESP). `none`: there were none at baseline."""

    CR = "cr"
    NON_CR_NON_PD = "non-cr-non-pd"
    PD = "pd"
    NE = "ne"
    NONE = "none"


class ResponseOf(StrEnum):
    """What a stated response is of (SDTM RSTESTCD: OVRLRESP, TRGRESP, NTRGRESP)."""

    OVERALL = "overall"
    TARGET = "target"
    NON_TARGET = "non-target"


class Certainty(StrEnum):
    """How sure the reader is that a lesion is new; only an unequivocal one is progression."""

    UNEQUIVOCAL = "unequivocal"
    EQUIVOCAL = "equivocal"


class Course(StrEnum):
    """How something that is judged without measure compares with the baseline."""

    BETTER = "better"
    STABLE = "stable"
    WORSE = "worse"


class Uptake(StrEnum):
    """The uptake of the primary tumour in scintigraphy or PET, compared with the baseline (INRC 2017)."""

    NEGATIVE = "negative"
    IMPROVED = "improved"
    STABLE = "stable"
    INCREASED = "increased"


class Response(StrEnum):
    """The response at one assessment (SDTM RSSTRESC, codelist C96785).

    `MR` is a minor response (RAPNO for low-grade glioma, INRC); `NON-CR/NON-PD` is disease that was never measurable
    and neither went nor grew; those with an `i` are of iRECIST.
    """

    CR = "CR"
    PR = "PR"
    MR = "MR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    NON_ICR_NON_IUPD = "NON-iCR/NON-iUPD"
    IUPD = "iUPD"
    ICPD = "iCPD"


def _to_the_micrometre(value: Decimal) -> Decimal:
    if value != round(value, 3):
        raise ValueError("at most 3 decimal places of a millimetre")
    return Decimal(format(value.normalize(), "f"))  # 12.50 and 12.5 are one content


Diameter = Annotated[
    Measurement,
    Field(gt=0, le=1000, description="Millimetres, above 0; a lesion that is gone is `absent`", examples=["24.5"]),
    AfterValidator(_to_the_micrometre),
]

Criteria = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z0-9_]{2,32}$"),
    Says("a set of response criteria by its name, such as SEED_V1"),
    Field(description="The set of response criteria (SDTM RSCAT)", examples=["SEED_V1"]),
]

Rule = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
    Says("a rule by its name, such as growth-over-nadir"),
    Field(description="A rule or a measure of the criteria, by name", examples=["growth-over-nadir"]),
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LesionPlace(_Value):
    """Where a lesion is: the organ by code (`other` needs `organ_text`), the side, and whether it is a node."""

    organ: Organ
    organ_text: ShortText | None = Field(None, description="The organ in words; needed where it is `other`")
    laterality: Laterality | None = None
    node: Flag = Field(False, description="A lymph node: judged by its short axis, the perpendicular diameter")

    @model_validator(mode="after")
    def _place_is_whole(self) -> "LesionPlace":
        if (self.organ is Organ.OTHER) != (self.organ_text is not None):
            raise ValueError("organ_text is given where organ is 'other', and only there")
        if self.organ is Organ.LYMPH_NODE and not self.node:
            raise ValueError("an organ of 'lymph-node' needs node: true")
        return self


class LesionDescription(LesionPlace):
    """A lesion known at baseline. `label` is how the readers call it (SDTM TULNKID): T01, NT02."""

    label: Code
    role: LesionRole


class NewLesion(LesionPlace):
    """A lesion that was not there at baseline. It is listed at every assessment at which it is seen."""

    label: Code
    certainty: Certainty
    longest_mm: Diameter | None = Field(None, description="Where it was measured: iRECIST follows its growth")


class LesionPart(_Value):
    """One of the parts into which a target lesion has fallen. Both diameters, in millimetres."""

    longest_mm: Diameter
    perpendicular_mm: Diameter

    @model_validator(mode="after")
    def _longest_is_longest(self) -> "LesionPart":
        if self.perpendicular_mm > self.longest_mm:
            raise ValueError("perpendicular_mm may not exceed longest_mm")
        return self


class MeasuredLesion(_Value):
    """What became of a lesion at one assessment: both diameters where it was measured, none where it was not.

    The perpendicular is the longest diameter at right angles to the longest (SDTM LDIAM and LPERP); of a node
    it is the short axis. A lesion that has fallen into parts is the sum of them: the first in the two diameters, the
    others in `further_parts` (SDTM TRGRPID of a split lesion).
    """

    state: LesionState
    longest_mm: Diameter | None = None
    perpendicular_mm: Diameter | None = None
    further_parts: tuple[LesionPart, ...] = Field((), max_length=9, description="The other parts of a split lesion")
    local_therapy: LocalTherapy | None = Field(
        None, description="Done to this lesion since baseline; from then on it can show progression, no response"
    )
    modality: Modality | None = Field(None, description="Where it differs from the assessment's")

    @model_validator(mode="after")
    def _diameters_fit_the_state(self) -> Self:
        given = self.longest_mm is not None, self.perpendicular_mm is not None
        if self.state is LesionState.MEASURED and given != (True, True):
            raise ValueError("a measured lesion needs longest_mm and perpendicular_mm")
        if self.state is not LesionState.MEASURED and given != (False, False):
            raise ValueError(f"a lesion that is {self.state.value} has no diameters: leave them out")
        if self.further_parts and self.state is not LesionState.MEASURED:
            raise ValueError("only a measured lesion has further_parts")
        if (
            self.longest_mm is not None
            and self.perpendicular_mm is not None
            and self.perpendicular_mm > self.longest_mm
        ):
            raise ValueError("perpendicular_mm may not exceed longest_mm")
        return self


class TargetMeasurement(MeasuredLesion):
    """One target lesion at one assessment."""

    lesion_id: UUID


def _one_each(measurements: tuple[TargetMeasurement, ...]) -> tuple[TargetMeasurement, ...]:
    if len({each.lesion_id for each in measurements}) != len(measurements):
        raise ValueError("each target lesion is given once")
    return tuple(sorted(measurements, key=lambda each: each.lesion_id))


def _one_label_each(lesions: tuple[NewLesion, ...]) -> tuple[NewLesion, ...]:
    if len({each.label for each in lesions}) != len(lesions):
        raise ValueError("each new lesion is given once, under its own label")
    return tuple(sorted(lesions, key=lambda each: each.label))


class NeuroOncologyFindings(_Value):
    """What RANO and RAPNO ask beside diameters, compared with the baseline. null: not known, which is not stable."""

    t2_flair: Course | None = Field(None, description="Disease without enhancement, on T2 or FLAIR")
    clinical: Course | None = Field(None, description="Clinical state, where no other cause explains a change")
    dexamethasone_mg_per_day: Measurement | None = Field(
        None, ge=0, le=1000, description="Corticosteroid dose as dexamethasone, mg/d; 0: none", examples=["4"]
    )


class NeuroblastomaFindings(_Value):
    """What INRC 2017 asks beside diameters. null: not known, which is not negative."""

    primary_uptake: Uptake | None = Field(None, description="MIBG or FDG uptake of the primary tumour")
    mibg_score: Annotated[int, Field(strict=True, ge=0, le=72)] | None = Field(
        None, description="Absolute score of metastases (Curie, to 30, or SIOPEN, to 72); the same scale every time"
    )
    marrow_percent: Measurement | None = Field(
        None, ge=0, le=100, description="Infiltration of the marrow, worst of the samples, in percent; 0: none found"
    )


class Findings(_Value):
    """What one reader saw at one time point: raw measurements, before any criteria are applied."""

    assessed_on: PartialDate
    visit: ShortText | None = Field(None, description="The visit it was planned for, if any", examples=["D30"])
    modality: Modality
    targets: Annotated[tuple[TargetMeasurement, ...], AfterValidator(_one_each)] = Field(
        (), max_length=50, description="Every target lesion with its state; one not seen is `not-assessed`"
    )
    non_target: NonTargetStatus
    new_lesions: Annotated[tuple[NewLesion, ...], AfterValidator(_one_label_each)] = Field((), max_length=50)
    neuro_oncology: NeuroOncologyFindings | None = Field(None, description="For RANO and RAPNO")
    neuroblastoma: NeuroblastomaFindings | None = Field(None, description="For INRC")


class ResponseBasis(_Value):
    """The numbers a response rests on, by the measure of the criteria, in `unit` (UCUM: mm or mm2).

    `sum` is missing where a target was not assessed or there is none; `seen_sum` adds those that were seen.
    Percentages are rounded to two places for reading, the limits are exact: decisions are made on the sums
    themselves. The nadir is the smallest sum before this assessment, baseline included.
    """

    measure: Rule
    unit: str
    sum: Measurement | None = None
    seen_sum: Measurement | None = None
    baseline_on: PartialDate | None = None
    baseline_sum: Measurement | None = None
    percent_from_baseline: Measurement | None = None
    nadir_on: PartialDate | None = None
    nadir_sum: Measurement | None = None
    percent_from_nadir: Measurement | None = None
    progression_above: Measurement | None = Field(None, description="A sum beyond this is progression")
    response_below: Measurement | None = Field(None, description="A sum beyond this is a partial response")
    not_assessed: tuple[UUID, ...] = Field((), description="Targets without which the sum is missing")
    too_small: tuple[UUID, ...] = Field((), description="Targets counted with the default diameter")
    default_diameter_mm: Measurement | None = Field(None, description="What each axis of those counted for")
    below_minimum: tuple[UUID, ...] = Field((), description="Too small at baseline for these criteria: not in the sum")
    locally_treated: tuple[UUID, ...] = Field((), description="Targets that can no longer show a response")
    modality_changed: tuple[UUID, ...] = Field((), description="Targets seen by another modality than at baseline")
    unknown: tuple[Rule, ...] = Field((), description="What the criteria ask beside diameters, and nobody gave")


class SupportiveResponse(_Value):
    """What another set of criteria makes of the same measurements. null: it does not cover such disease, and why."""

    criteria: Criteria
    response: Response | None
    rule: Rule
    explanation: str
    basis: ResponseBasis
