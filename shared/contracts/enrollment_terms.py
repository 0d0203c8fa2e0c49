"""The terms in which enrollment speaks of participants: where they stand, who consented, what an answer rests on."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.saying import Says
from shared.contracts.terms import Code, Day, Flag, Measurement

SubjectNumber = Annotated[
    str,
    Field(
        description="Site and running number: what the site's own list knows the participant by", examples=["CU-001"]
    ),
]
ScreeningNumber = Annotated[
    str, Field(description="Subject number and how often the person was screened", examples=["CU-001-S1"])
]
TimeZone = Annotated[str, Field(description="An IANA time zone", examples=["Asia/Bangkok"])]
UcumUnit = Annotated[
    str,
    StringConstraints(pattern=r"""^[A-Za-z0-9%{}\[\]()*^./_'"+-]{1,40}$"""),
    Says("a UCUM unit of at most 40 characters without blanks, such as mg/dL"),
    Field(description="A UCUM unit", examples=["{xULN}"]),
]
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$"),
    Says("a language by its code, such as th or en-GB"),
    Field(description="Language of the document, ISO 639", examples=["th"]),
]


class Sex(StrEnum):
    """Sex as recorded at screening (CDISC DM.SEX, codelist C66731)."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"
    UNDIFFERENTIATED = "UNDIFFERENTIATED"


class Diagnosis(StrEnum):
    """The tumour for which a participant is screened; `other` is told in words beside it."""

    NEUROBLASTOMA = "neuroblastoma"
    OSTEOSARCOMA = "osteosarcoma"
    EWING_SARCOMA = "ewing-sarcoma"
    RHABDOMYOSARCOMA = "rhabdomyosarcoma"
    OTHER_SOFT_TISSUE_SARCOMA = "other-soft-tissue-sarcoma"
    DESMOPLASTIC_SMALL_ROUND_CELL_TUMOUR = "desmoplastic-small-round-cell-tumour"
    MALIGNANT_RHABDOID_TUMOUR = "malignant-rhabdoid-tumour"
    NEPHROBLASTOMA = "nephroblastoma"
    CLEAR_CELL_SARCOMA_OF_KIDNEY = "clear-cell-sarcoma-of-kidney"
    HEPATOBLASTOMA = "hepatoblastoma"
    HEPATOCELLULAR_CARCINOMA = "hepatocellular-carcinoma"
    GERM_CELL_TUMOUR = "germ-cell-tumour"
    RETINOBLASTOMA = "retinoblastoma"
    ADRENOCORTICAL_CARCINOMA = "adrenocortical-carcinoma"
    NASOPHARYNGEAL_CARCINOMA = "nasopharyngeal-carcinoma"
    MELANOMA = "melanoma"
    MEDULLOBLASTOMA = "medulloblastoma"
    EPENDYMOMA = "ependymoma"
    HIGH_GRADE_GLIOMA = "high-grade-glioma"
    DIFFUSE_MIDLINE_GLIOMA = "diffuse-midline-glioma"
    ATYPICAL_TERATOID_RHABDOID_TUMOUR = "atypical-teratoid-rhabdoid-tumour"
    OTHER = "other"


class ParticipantStatus(StrEnum):
    """Where a participant stands in the trial."""

    SCREENING = "screening"
    SCREEN_FAILED = "screen-failed"
    ENROLLED = "enrolled"
    INFUSED = "infused"
    OFF_TREATMENT = "off-treatment"  # no further infusion; follow-up goes on
    LOST_TO_FOLLOW_UP = "lost-to-follow-up"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"
    DIED = "died"


class ConsentKind(StrEnum):
    """Who agreed: the guardian for a minor, the child beside the guardian, or the participant of full age."""

    GUARDIAN = "guardian"
    ASSENT = "assent"
    OWN = "own"


class Relationship(StrEnum):
    """What the guardian who consents is to the child."""

    MOTHER = "mother"
    FATHER = "father"
    GRANDPARENT = "grandparent"
    OTHER_RELATIVE = "other-relative"
    LEGAL_GUARDIAN = "legal-guardian"
    STATE_AUTHORITY = "state-authority"


class ConsentScope(StrEnum):
    """What a consent is to, and may be withdrawn from."""

    TREATMENT = "treatment"  # lymphodepletion and infusions
    FOLLOW_UP = "follow-up"  # visits and what is assessed at them
    SAMPLES = "samples"  # new samples, and results of samples


class ConsentGap(StrEnum):
    """What a participant's consent lacked on a day."""

    GUARDIAN_CONSENT_MISSING = "guardian-consent-missing"
    GUARDIAN_CONSENT_OUTDATED = "guardian-consent-outdated"
    ASSENT_MISSING = "assent-missing"
    ASSENT_OUTDATED = "assent-outdated"
    OWN_CONSENT_MISSING = "own-consent-missing"
    OWN_CONSENT_OUTDATED = "own-consent-outdated"
    TREATMENT_WITHDRAWN = "treatment-withdrawn"
    FOLLOW_UP_WITHDRAWN = "follow-up-withdrawn"
    SAMPLES_WITHDRAWN = "samples-withdrawn"


class Answer(StrEnum):
    """One criterion's answer, always said of what eligibility asks.

    An inclusion criterion is met where what it describes is there; an exclusion criterion is met where what it
    describes is absent. So `met` always speaks for the participant, and what is unknown is never met.
    """

    MET = "met"
    NOT_MET = "not-met"
    NOT_EVALUABLE = "not-evaluable"


class Eligibility(StrEnum):
    """The outcome of an assessment: one criterion not met decides; else one that is open does."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not-eligible"
    NOT_EVALUABLE = "not-evaluable"


class Route(StrEnum):
    """How cells or a drug were given (CDISC EX.EXROUTE, codelist C66729)."""

    INTRAVENOUS = "intravenous"  # C38276
    INTRAVENTRICULAR = "intraventricular"  # C38277
    INTRATHECAL = "intrathecal"
    INTRATUMORAL = "intratumoral"
    INTRAPERITONEAL = "intraperitoneal"
    INTRAPLEURAL = "intrapleural"
    SUBCUTANEOUS = "subcutaneous"
    ORAL = "oral"
    TRANSDERMAL = "transdermal"
    OTHER = "other"


class Disposition(StrEnum):
    """How a period of the trial ended (CDISC DS.DSDECOD, codelist NCOMPLT, C66727)."""

    COMPLETED = "COMPLETED"  # C25250
    DEATH = "DEATH"  # C28554
    SCREEN_FAILURE = "SCREEN FAILURE"  # C49628
    WITHDRAWAL_BY_GUARDIAN = "WITHDRAWAL BY PARENT/GUARDIAN"  # C102355
    WITHDRAWAL_BY_SUBJECT = "WITHDRAWAL BY SUBJECT"  # C49634
    PROGRESSIVE_DISEASE = "PROGRESSIVE DISEASE"  # C35571
    LOST_TO_FOLLOW_UP = "LOST TO FOLLOW-UP"  # C48227
    ADVERSE_EVENT = "ADVERSE EVENT"
    LACK_OF_EFFICACY = "LACK OF EFFICACY"
    PHYSICIAN_DECISION = "PHYSICIAN DECISION"
    PROTOCOL_DEVIATION = "PROTOCOL DEVIATION"
    STUDY_TERMINATED = "STUDY TERMINATED BY SPONSOR"
    OTHER = "OTHER"


class ConsentOccasion(StrEnum):
    """Why a consent was obtained at this time."""

    INITIAL = "initial"
    CAME_OF_AGE = "came-of-age"
    NEWER_DOCUMENT = "newer-document"
    RENEWED = "renewed"


class CriterionCategory(StrEnum):
    """CDISC IE.IECAT, codelist C66797."""

    INCLUSION = "inclusion"  # C25532
    EXCLUSION = "exclusion"  # C25370


class Why(StrEnum):
    """What one criterion's answer rests on."""

    COMPARED = "compared"  # with the protocol's threshold
    DOES_NOT_APPLY = "does-not-apply"  # not asked of participants of this sex or age: met
    MISSING = "missing"
    STALE = "stale"  # older than the protocol allows
    DATE_MISSING = "date-missing"  # the protocol limits the age of the result, and its date is not known
    DATED_LATER = "dated-later"  # observed after the day of the assessment
    WRONG_UNIT = "wrong-unit"
    IMPOSSIBLE = "impossible"  # below 0, or above what the quantity can be: a slip, or another unit
    WRONG_KIND = "wrong-kind"  # a number where yes or no is asked, or the like
    THRESHOLD_UNSET = "threshold-unset"  # the protocol knows no number yet
    BIRTHDAY_UNKNOWN = "birthday-unknown"  # the day of birth, which is not taken, would decide
    HALF_LIFE_UNKNOWN = "half-life-unknown"


class Evidence(BaseModel):
    """What is known towards one criterion: a number with its UCUM unit, yes or no, or a choice; and of which day.

    A number asked in multiples of the upper limit of normal (`{xULN}`) may be given in the laboratory's unit with
    `upper_limit_of_normal` in that same unit. Where days since something are asked, `never` says that it never took
    place. No value at all says that it is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Measurement | None = None
    unit: UcumUnit | None = None
    upper_limit_of_normal: Annotated[Measurement, Field(gt=0)] | None = None
    flag: Flag | None = None
    choice: Code | None = None
    never: Literal[True] | None = None
    half_life_days: Annotated[Measurement, Field(gt=0)] | None = None
    observed_on: Day | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if sum(value is not None for value in (self.number, self.flag, self.choice, self.never)) > 1:
            raise ValueError("one of number, flag, choice and never")
        return self


class CriterionAnswer(BaseModel):
    """One criterion's answer and what it rests on. `counts` is false where the protocol lets it keep nobody out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion_id: Code
    category: CriterionCategory
    answer: Answer
    why: Why
    counts: bool
    evidence: Evidence | None
