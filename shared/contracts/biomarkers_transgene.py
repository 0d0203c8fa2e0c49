"""What the biomarkers service publishes of transgene copies: the CAR's gene counted in genomic DNA by PCR.

Copies and cells are two series and are never mixed: a copy is found after no cell bears the receptor any more, so
persistence by PCR lasts longer than by flow cytometry (JULIET: 693 and 554 days in responders, Blood Adv 2020;4:560).
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.biomarkers import Concentration, FlowSpecimenType, Ground, Qualifier
from shared.contracts.terms import Code, Instant, Measurement, ParticipantId, ProtocolRef, Reason
from shared.kernel.events import Event

Nanograms = Annotated[Measurement, Field(gt=0, le=100_000)]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TransgeneMethod(StrEnum):
    """How copies were counted."""

    QPCR = "qpcr"  # quantitative PCR, against a standard curve
    DDPCR = "ddpcr"  # droplet digital PCR, by counting droplets


class TransgeneSpecimen(_Fact):
    """The sample that DNA was extracted from. Compartments are those of flow cytometry."""

    type: FlowSpecimenType = FlowSpecimenType.BLOOD
    collected_at: Instant
    specimen_id: UUID | None = Field(None, description="The specimen on record; without it nothing tells its custody")


class TransgeneReport(_Fact):
    """What the laboratory reported, as it reported it."""

    specimen: TransgeneSpecimen
    method: TransgeneMethod
    copies_per_ug: Concentration | None = Field(
        None, description="Copies per microgram of genomic DNA", examples=["15200"]
    )
    qualifier: Qualifier | None = Field(None, description="`<`: below the limit of quantification")
    lloq_copies_per_ug: Concentration | None = Field(None, description="Lower limit of quantification")
    lod_copies_per_ug: Concentration | None = Field(None, description="Limit of detection")
    copies_per_ml: Concentration | None = Field(None, description="Copies per mL of the specimen, if that is reported")
    dna_input_ng: Nanograms | None = Field(None, description="Genomic DNA in the reaction, ng")
    assay: Code | None = Field(None, description="The laboratory's own code of the assay (target, primers, kit)")


class TransgeneFlag(StrEnum):
    """What a reader should know before relying on a result."""

    LLOQ_UNKNOWN = "lloq-unknown"
    SPECIMEN_OUTSIDE_PROTOCOL = "specimen-outside-protocol"


class TransgeneLevel(_Fact):
    """What the report says of transgene copies. Below the limit of quantification there is no number.

    `copies_per_cell` is an estimate for comparison alone: of all cells whose DNA was extracted, CAR+ or not.
    """

    below_lloq: bool
    detectable: bool = Field(description="By the protocol's rule: from the limit of quantification, or of detection")
    copies_per_ug: Measurement | None
    lloq_copies_per_ug: Measurement | None
    lod_copies_per_ug: Measurement | None
    copies_per_ml: Measurement | None
    copies_per_cell: Measurement | None = Field(
        description="6.6 pg of DNA in a diploid cell; three significant digits", examples=["0.1"]
    )
    flags: tuple[TransgeneFlag, ...]


class TransgeneResultRecorded(Event, type="biomarkers.transgene-result-recorded", version=1):
    """A laboratory's count of transgene copies in one sample went on record."""

    transgene_result_id: UUID
    participant_id: ParticipantId
    report: TransgeneReport
    level: TransgeneLevel
    protocol: ProtocolRef


class TransgeneResultCorrected(Event, type="biomarkers.transgene-result-corrected", version=1):
    """A corrected report supersedes the one before it, which stays on record."""

    transgene_result_id: UUID
    participant_id: ParticipantId
    report: TransgeneReport
    level: TransgeneLevel
    reason: Reason
    protocol: ProtocolRef


class TransgeneResultCancelled(Event, type="biomarkers.transgene-result-cancelled", version=1):
    """The result no longer counts. What it said stays readable."""

    transgene_result_id: UUID
    participant_id: ParticipantId
    ground: Ground
    reason: Reason
