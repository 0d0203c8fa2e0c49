"""What the safety service publishes about episodes of CAR-T toxicities: CRS, ICANS and IEC-HS.

An episode is a series of observations, each with the two grades derived from it at that instant: ASTCT's and CTCAE's,
side by side. What is null was not observed, which is never "none". Where a correction changes what another
observation amounts to, as when a fever before it turns out to have been none, an event regrades that one.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.safety import AgentCausality, Outcome, Part, Seriousness
from shared.contracts.terms import Code, Flag, Instant, Measurement, ParticipantId, ProtocolRef, Reason, ShortText
from shared.kernel.events import Event


class EpisodeKind(StrEnum):
    CRS = "crs"  # cytokine release syndrome
    ICANS = "icans"  # immune effector cell-associated neurotoxicity syndrome
    IEC_HS = "iec-hs"  # immune effector cell-associated haemophagocytic lymphohistiocytosis-like syndrome


class HypotensionSupport(StrEnum):
    """What keeps the blood pressure, by the norms of the child's age."""

    NONE = "none"
    FLUIDS = "fluids"
    ONE_VASOPRESSOR = "one-vasopressor"
    ONE_VASOPRESSOR_AND_VASOPRESSIN = "one-vasopressor-and-vasopressin"
    VASOPRESSIN_ALONE = "vasopressin-alone"
    MULTIPLE_VASOPRESSORS = "multiple-vasopressors"  # not counting vasopressin


class OxygenDevice(StrEnum):
    ROOM_AIR = "room-air"
    LOW_FLOW_CANNULA = "low-flow-cannula"
    BLOW_BY = "blow-by"
    HIGH_FLOW_CANNULA = "high-flow-cannula"
    FACE_MASK = "face-mask"
    VENTURI_MASK = "venturi-mask"
    NON_REBREATHER = "non-rebreather"
    CPAP = "cpap"
    BIPAP = "bipap"
    VENTILATION = "ventilation"


class Consciousness(StrEnum):
    """What awakens the child."""

    AWAKE = "awake"  # by itself
    VOICE = "voice"
    TOUCH = "touch"
    VIGOROUS = "vigorous"  # only vigorous or repeated touch
    UNAROUSABLE = "unarousable"  # stupor or coma


class Seizure(StrEnum):
    NONE = "none"
    BRIEF = "brief"  # clinical, focal or generalised, that resolves fast
    EEG_ONLY = "eeg-only"  # nonconvulsive, resolves with treatment
    PROLONGED = "prolonged"  # over 5 minutes
    REPETITIVE = "repetitive"  # without return to baseline between


class Oedema(StrEnum):
    """Of the brain, on imaging or by its signs. Bleeding does not count."""

    NONE = "none"
    FOCAL = "focal"
    DIFFUSE = "diffuse"  # or posturing, sixth-nerve palsy, papilloedema, Cushing's triad


class IecHsFinding(StrEnum):
    """What speaks for IEC-HS (Hines 2023, unverified). Ferritin is required; none of it makes the diagnosis."""

    FERRITIN = "ferritin"  # over 2 x ULN or baseline, or rising fast
    TRANSAMINASES = "transaminases"  # over 5 x ULN, or 5 x an abnormal baseline
    FIBRINOGEN = "fibrinogen"  # below 150 mg/dL or LLN
    CYTOPENIA = "cytopenia"  # new or worse
    HAEMOPHAGOCYTOSIS = "haemophagocytosis"
    LDH = "ldh"
    COAGULOPATHY = "coagulopathy"
    DIRECT_BILIRUBIN = "direct-bilirubin"
    SPLENOMEGALY = "splenomegaly"
    FEVER = "fever"
    NEUROLOGICAL = "neurological"
    PULMONARY = "pulmonary"
    RENAL = "renal"
    TRIGLYCERIDES = "triglycerides"  # fasting, over 265 mg/dL


class Treatment(StrEnum):
    """What was given for the toxicity. An antipyretic or anticytokine drug may mask fever from then on."""

    ANTIPYRETIC = "antipyretic"
    TOCILIZUMAB = "tocilizumab"
    SILTUXIMAB = "siltuximab"
    CORTICOSTEROID = "corticosteroid"
    ANAKINRA = "anakinra"
    RUXOLITINIB = "ruxolitinib"
    EMAPALUMAB = "emapalumab"
    VASOPRESSOR = "vasopressor"
    FLUIDS = "fluids"
    OXYGEN = "oxygen"
    ANTISEIZURE = "antiseizure"
    OTHER = "other"


MASKS_FEVER = frozenset(Treatment) - {
    Treatment.VASOPRESSOR,
    Treatment.FLUIDS,
    Treatment.OXYGEN,
    Treatment.ANTISEIZURE,
    Treatment.OTHER,
}

Celsius = Annotated[Measurement, Field(ge=25, le=45)]
Percent = Annotated[Measurement, Field(ge=20, le=100)]
LitresPerMinute = Annotated[Measurement, Field(ge=0, le=100)]
ScaleGrade = Annotated[int, Field(strict=True, ge=0, le=5, description="0: none")]


class CrsObservation(Part):
    """What was seen of a cytokine release syndrome at one instant."""

    kind: Literal["crs"] = "crs"
    temperature_c: Celsius | None = Field(None, description="The highest since the observation before")
    fever_has_other_cause: Flag | None = None
    fever_earlier: Flag | None = Field(None, description="Fever in this episode before its first observation")
    antipyretic_or_anticytokine: Flag | None = Field(
        None, description="Such a drug holds fever down; treatments of the episode count by themselves"
    )
    hypotension: HypotensionSupport | None = None
    oxygen_device: OxygenDevice | None = None
    flow_l_per_min: LitresPerMinute | None = None
    fio2_percent: Percent | None = None
    oxygen_need_due_to_crs: Flag | None = Field(None, description="false: a tube to protect the airway, or a procedure")
    life_threatening: Flag | None = Field(None, description="The physician's judgement; CTCAE grade 4")
    death: Flag | None = Field(None, description="Death due to the syndrome, with no other main cause")


class IcansObservation(Part):
    """What was seen of ICANS at one instant, as far as nothing else explains it."""

    kind: Literal["icans"] = "icans"
    ice: Annotated[int, Field(strict=True, ge=0, le=10)] | None = None
    capd: Annotated[int, Field(strict=True, ge=0, le=32)] | None = None
    consciousness: Consciousness | None = None
    seizure: Seizure | None = None
    motor_weakness: Flag | None = Field(None, description="Deep focal weakness, such as hemiparesis")
    oedema: Oedema | None = None
    death: Flag | None = Field(None, description="Death due to ICANS, with no other main cause")


class IecHsObservation(Part):
    """What a physician made of IEC-HS at one instant. The severity is a judgement; the findings are its grounds."""

    kind: Literal["iec-hs"] = "iec-hs"
    severity: ScaleGrade | None = Field(
        None, description="1 observed, 2 treated, 3 severe, 4 life-threatening, 5 death; 0 over"
    )
    findings: tuple[IecHsFinding, ...] = Field((), max_length=len(IecHsFinding))


Observation = Annotated[CrsObservation | IcansObservation | IecHsObservation, Field(discriminator="kind")]


class Grades(Part):
    """Both grades of one observation. null: cannot be graded, and `missing` names what would tell."""

    astct: ScaleGrade | None
    ctcae: ScaleGrade | None
    explanation: str
    missing: tuple[str, ...] = ()
    rule: str = Field(description="The published rules it was read by", examples=["ASTCT 2019, CTCAE 5.0"])


Number = Annotated[int, Field(ge=1, description="1 for the episode's first; never given twice")]


class ToxicityEpisodeOpened(Event, type="safety.toxicity-episode-opened", version=1):
    """A toxicity of the CAR-T cells began. `adverse_event_id` is the adverse event that follows the episode.

    `developmental_delay` true, with its reason, asks for CAPD at any age; null: not known. `seriousness` is what the
    investigator says of it: no grade makes an event serious.
    """

    episode_id: UUID
    participant_id: ParticipantId
    adverse_event_id: UUID
    kind: EpisodeKind
    onset: Instant
    became_aware_at: Instant
    developmental_delay: Flag | None
    delay_reason: ShortText | None
    seriousness: tuple[Seriousness, ...]
    causality: tuple[AgentCausality, ...]
    protocol: ProtocolRef


class ToxicityObserved(Event, type="safety.toxicity-observed", version=1):
    """The toxicity was looked at. `seriousness` null: nothing new about it."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    observed_at: Instant
    observation: Observation
    grades: Grades
    seriousness: tuple[Seriousness, ...] | None
    protocol: ProtocolRef


class ToxicityObservationCorrected(Event, type="safety.toxicity-observation-corrected", version=1):
    """An observation was entered wrongly; this is how it should have read from the start."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    observed_at: Instant
    observation: Observation
    grades: Grades
    reason: Reason
    protocol: ProtocolRef


class ToxicityObservationRetracted(Event, type="safety.toxicity-observation-retracted", version=1):
    """An observation should never have been entered; it counts no more."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    reason: Reason


class ToxicityObservationRegraded(Event, type="safety.toxicity-observation-regraded", version=1):
    """What an observation amounts to has changed, because something before it was entered late or put right."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    previous: Grades
    grades: Grades
    protocol: ProtocolRef


class ToxicityTreated(Event, type="safety.toxicity-treated", version=1):
    """Something was given for the toxicity. A dose has its unit (UCUM)."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    treatment: Treatment
    given_at: Instant
    dose: Measurement | None
    unit: Code | None


class ToxicityTreatmentRetracted(Event, type="safety.toxicity-treatment-retracted", version=1):
    """A treatment on record was not given."""

    episode_id: UUID
    participant_id: ParticipantId
    number: Number
    reason: Reason


class ToxicityEpisodeEnded(Event, type="safety.toxicity-episode-ended", version=1):
    """The toxicity and the signs that defined it are gone, or the participant died of it."""

    episode_id: UUID
    participant_id: ParticipantId
    ended_at: Instant
    outcome: Outcome


class ToxicityEpisodeReopened(Event, type="safety.toxicity-episode-reopened", version=1):
    """The end on record was an error: the episode goes on."""

    episode_id: UUID
    participant_id: ParticipantId
    reason: Reason


class ToxicityEpisodeRetracted(Event, type="safety.toxicity-episode-retracted", version=1):
    """The episode should never have been opened: another participant's, a duplicate, another disease."""

    episode_id: UUID
    participant_id: ParticipantId
    reason: Reason


class AdverseEventNotFollowed(Event, type="safety.adverse-event-not-followed", version=1):
    """The adverse event of an episode could not take what the episode says: somebody has to look at it.

    `problem` is the code of the rule that it breaks, as when the event was retracted or edited by hand.
    """

    episode_id: UUID
    participant_id: ParticipantId
    adverse_event_id: UUID
    problem: Code


EpisodeEvent = (
    ToxicityEpisodeOpened
    | ToxicityObserved
    | ToxicityObservationCorrected
    | ToxicityObservationRetracted
    | ToxicityObservationRegraded
    | ToxicityTreated
    | ToxicityTreatmentRetracted
    | ToxicityEpisodeEnded
    | ToxicityEpisodeReopened
    | ToxicityEpisodeRetracted
    | AdverseEventNotFollowed
)
