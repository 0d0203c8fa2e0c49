"""What the biomarkers service publishes of specimens: each a chain of custody, one event per step.

Who took a step and when it was recorded stand beside the event; the step's own instant stands in it. Planned specimens
are no events: they follow from the protocol's visits and the infusion, which may be corrected, so readers derive them.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.saying import Says
from shared.contracts.terms import Code, Flag, Instant, Measurement, ParticipantId, Reason
from shared.kernel.events import Event

Celsius = Annotated[Measurement, Field(ge=-200, le=60, description="Degrees Celsius (UCUM Cel), as measured")]
Millilitres = Annotated[Measurement, Field(gt=0, le=10_000, description="mL")]
Cells = Annotated[int, Field(strict=True, gt=0, le=10**13, description="Cells in the tube")]
VisitCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,9}$"),
    Says("a visit's code as the protocol has it, such as D7"),
    Field(description="A visit of the protocol", examples=["D7"]),
]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpecimenType(StrEnum):
    """What was drawn, or made of what was drawn (LBSPEC). Blood stands for a tube of whole blood."""

    BLOOD = "blood"  # C12434
    SERUM = "serum"  # C13325
    PLASMA = "plasma"  # C13356
    CEREBROSPINAL_FLUID = "cerebrospinal-fluid"  # C12692
    BONE_MARROW = "bone-marrow"  # C12431
    EFFUSION = "effusion"
    TUMOUR = "tumour"


class Purpose(StrEnum):
    """What a specimen is for. The protocol's visits ask for the first two."""

    CAR_T_FLOW = "car-t-flow"
    CYTOKINES = "cytokines"
    TRANSGENE = "transgene"


class SpecimenCondition(StrEnum):
    """How a specimen was when it came (as HL7 v2 table 0493, Specimen Condition, tells it, and what it lacks)."""

    ACCEPTABLE = "acceptable"
    AUTOLYSED = "autolysed"  # AUT
    CLOTTED = "clotted"  # CLOT
    CONTAMINATED = "contaminated"  # CON
    HAEMOLYSED = "haemolysed"  # HEM
    THAWED = "thawed"
    LEAKING = "leaking"
    INSUFFICIENT = "insufficient"


class RejectionGround(StrEnum):
    """Why a specimen cannot be used. Source: HL7 v2 table 0490, Specimen Reject Reason; its codes beside."""

    EXPIRED = "expired"  # EX
    QUANTITY_NOT_SUFFICIENT = "quantity-not-sufficient"  # QS
    BROKEN_CONTAINER = "broken-container"  # RB
    CLOTTING = "clotting"  # RC
    COLLECTION_DATE_MISSING = "collection-date-missing"  # RD
    HAEMOLYSIS = "haemolysis"  # RH
    IDENTIFICATION_PROBLEM = "identification-problem"  # RI, and RA, RE, RP, RS: it is not certain whose it is
    LABELLING = "labelling"  # RM
    CONTAMINATION = "contamination"  # RN
    IMPROPER_STORAGE = "improper-storage"  # RR


class NotCollectedGround(StrEnum):
    """Why a specimen that the protocol plans was not taken."""

    REFUSED = "refused"
    UNABLE_TO_DRAW = "unable-to-draw"
    TOO_UNWELL = "too-unwell"
    VOLUME_LIMIT = "volume-limit"  # no more blood may be taken from a child of this weight
    VISIT_MISSED = "visit-missed"
    OMITTED = "omitted"


class LossGround(StrEnum):
    """Where a specimen was last known to be."""

    AT_SITE = "at-site"
    IN_TRANSIT = "in-transit"
    AT_LABORATORY = "at-laboratory"


class Transport(StrEnum):
    """How cold a shipment is to be kept."""

    AMBIENT = "ambient"
    REFRIGERATED = "refrigerated"
    FROZEN = "frozen"
    DRY_ICE = "dry-ice"
    LIQUID_NITROGEN = "liquid-nitrogen"


class Collection(_Fact):
    """A specimen was taken from a participant (FHIR `Specimen.collection`)."""

    type: SpecimenType
    purposes: tuple[Purpose, ...] = Field(min_length=1, max_length=3)
    collected_at: Instant
    volume_ml: Millilitres | None = None
    container: Code | None = Field(None, description="The tube's own code, such as EDTA-4", examples=["EDTA-4"])
    label: Code | None = Field(None, description="The accession number on the tube")


class Absence(_Fact):
    """A specimen that a visit of the protocol plans was not taken."""

    visit: VisitCode
    purpose: Purpose
    noted_at: Instant
    because: NotCollectedGround


class Shipment(_Fact):
    """A specimen left where it was."""

    shipped_at: Instant
    destination: Code = Field(description="The laboratory that it goes to", examples=["CU-CENTRAL"])
    transport: Transport
    temperature_c: Celsius | None = None
    carrier: Code | None = None
    tracking: Code | None = Field(None, description="The number of the consignment")


class Receipt(_Fact):
    """A specimen came to a laboratory (FHIR `Specimen.receivedTime`, `condition`)."""

    received_at: Instant
    laboratory: Code = Field(examples=["CU-CENTRAL"])
    condition: SpecimenCondition
    temperature_c: Celsius | None = None


class Aliquot(_Fact):
    """One tube that was made of a specimen."""

    aliquot_id: UUID
    type: SpecimenType
    volume_ml: Millilitres | None = None
    cells: Cells | None = None
    label: Code | None = Field(None, description="The number on the tube")


class Aliquoting(_Fact):
    """A specimen was divided."""

    aliquoted_at: Instant
    aliquots: tuple[Aliquot, ...] = Field(min_length=1, max_length=50)


class Rejection(_Fact):
    """A specimen cannot be used."""

    rejected_at: Instant
    because: RejectionGround
    note: Reason | None = None


class Loss(_Fact):
    """Nobody knows where a specimen is."""

    noted_at: Instant
    because: LossGround


class ResultKind(StrEnum):
    """What an analysis gave."""

    FLOW_RESULT = "flow-result"
    CYTOKINE_PANEL = "cytokine-panel"
    TRANSGENE_RESULT = "transgene-result"


class ResultRef(_Fact):
    """A result that names a specimen."""

    kind: ResultKind
    id: UUID


class SpecimenCollected(Event, type="biomarkers.specimen-collected", version=1):
    """A specimen was taken from a participant. Its custody begins."""

    specimen_id: UUID
    participant_id: ParticipantId
    collection: Collection


class SpecimenNotCollected(Event, type="biomarkers.specimen-not-collected", version=1):
    """A planned specimen was not taken."""

    specimen_id: UUID
    participant_id: ParticipantId
    absence: Absence


class AliquotMade(Event, type="biomarkers.aliquot-made", version=1):
    """A tube was made of a specimen; its own custody begins, at a laboratory if that had received the specimen."""

    specimen_id: UUID
    participant_id: ParticipantId
    parent_id: UUID
    aliquot: Aliquot
    aliquoted_at: Instant
    at_laboratory: Flag


class SpecimenShipped(Event, type="biomarkers.specimen-shipped", version=1):
    """A specimen left for a laboratory."""

    specimen_id: UUID
    participant_id: ParticipantId
    shipment: Shipment


class SpecimenReceived(Event, type="biomarkers.specimen-received", version=1):
    """A specimen came to a laboratory."""

    specimen_id: UUID
    participant_id: ParticipantId
    receipt: Receipt


class SpecimenAliquoted(Event, type="biomarkers.specimen-aliquoted", version=1):
    """A specimen was divided into tubes, each with a custody of its own."""

    specimen_id: UUID
    participant_id: ParticipantId
    aliquoting: Aliquoting


class SpecimenAnalysed(Event, type="biomarkers.specimen-analysed", version=1):
    """A result that names the specimen went on record, in the same append."""

    specimen_id: UUID
    participant_id: ParticipantId
    result: ResultRef


class SpecimenAnalysisWithdrawn(Event, type="biomarkers.specimen-analysis-withdrawn", version=1):
    """A result was cancelled, or corrected to name another specimen: it is no analysis of this one any more."""

    specimen_id: UUID
    participant_id: ParticipantId
    result: ResultRef


class SpecimenRejected(Event, type="biomarkers.specimen-rejected", version=1):
    """A specimen cannot be used. Results that it gave stay on record, flagged; no further one is taken."""

    specimen_id: UUID
    participant_id: ParticipantId
    rejection: Rejection
    with_parent: Flag  # the specimen that it was made of was rejected


class SpecimenLost(Event, type="biomarkers.specimen-lost", version=1):
    """Nobody knows where a specimen is. It may turn up."""

    specimen_id: UUID
    participant_id: ParticipantId
    loss: Loss


class SpecimenStepCorrected(Event, type="biomarkers.specimen-step-corrected", version=1):
    """What was recorded of one step of the custody was wrong; this is what should have been. `step`: its event."""

    specimen_id: UUID
    participant_id: ParticipantId
    step: int
    details: Collection | Absence | Shipment | Receipt | Rejection | Loss
    reason: Reason


class SpecimenStepRetracted(Event, type="biomarkers.specimen-step-retracted", version=1):
    """The last step of the custody never took place; if it was the first, there never was such a specimen."""

    specimen_id: UUID
    participant_id: ParticipantId
    step: int
    reason: Reason


SpecimenEvent = (
    SpecimenCollected
    | SpecimenNotCollected
    | AliquotMade
    | SpecimenShipped
    | SpecimenReceived
    | SpecimenAliquoted
    | SpecimenAnalysed
    | SpecimenAnalysisWithdrawn
    | SpecimenRejected
    | SpecimenLost
    | SpecimenStepCorrected
    | SpecimenStepRetracted
)
