"""What enrollment tells the trial of new anticancer therapy: treatment of the tumour, other than the trial's product,
that a participant began after the infusion.

Which kind it is comes from a closed list, and no drug is named: what the endpoints need is that and when it began.
Source: FDA 2018, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics; the kinds as admiralonco
gathers them (vignette "Creating and Using New Anti-Cancer Start Date"): radiotherapy and surgery from CDISC PR,
systemic therapy from CDISC CM.
"""

from enum import StrEnum
from uuid import UUID

from shared.contracts.terms import PartialDate, ParticipantId, ProtocolRef, Reason, SiteId
from shared.kernel.events import Event


class TherapyKind(StrEnum):
    """What was begun against the tumour."""

    SYSTEMIC = "systemic"  # chemotherapy, targeted, hormonal or immune therapy (CM)
    RADIOTHERAPY = "radiotherapy"  # PR
    SURGERY = "surgery"  # of the tumour (PR)
    CELL_THERAPY = "cell-therapy"  # another than the trial's product
    STEM_CELL_TRANSPLANTATION = "stem-cell-transplantation"
    OTHER_INVESTIGATIONAL = "other-investigational"  # of another trial
    OTHER = "other"


class AnticancerTherapyRecorded(Event, type="enrollment.anticancer-therapy-recorded", version=1):
    """A participant began a new anticancer therapy, on a date as far as it is known."""

    participant_id: ParticipantId
    site_id: SiteId
    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate
    protocol: ProtocolRef


class AnticancerTherapyCorrected(Event, type="enrollment.anticancer-therapy-corrected", version=1):
    """The record of an anticancer therapy was wrong; these are its values as they should have been from the start."""

    participant_id: ParticipantId
    therapy_id: UUID
    kind: TherapyKind
    started_on: PartialDate
    reason: Reason
    protocol: ProtocolRef


class AnticancerTherapyRetracted(Event, type="enrollment.anticancer-therapy-retracted", version=1):
    """An anticancer therapy on record was entered in error, as when it is another participant's."""

    participant_id: ParticipantId
    therapy_id: UUID
    reason: Reason
    protocol: ProtocolRef


AnticancerTherapyEvent = AnticancerTherapyRecorded | AnticancerTherapyCorrected | AnticancerTherapyRetracted
