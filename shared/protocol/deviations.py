"""Protocol deviations: what kinds there are, and which of them the protocol calls important.

Source: ICH E3 Q&A (R1, 2012), question 7: a deviation is any change, divergence or departure from the design or
procedures of the protocol; important are those that may significantly affect the completeness, accuracy or reliability
of the data, or a participant's rights, safety or well-being. ICH E6(R3) 3.9.3 asks the sponsor to name them beforehand.
"""

from enum import StrEnum

from shared.protocol.marked import Part, Setting


class DeviationKind(StrEnum):
    """How something departed from the protocol."""

    ENROLLED_CRITERION_NOT_MET = "enrolled-criterion-not-met"
    INFUSION_OUTSIDE_GATE = "infusion-outside-gate"  # the dose escalation forbade it
    GATE_OVERRIDDEN = "gate-overridden"  # two people opened the gate of the dose escalation, and it was given
    CONSENT_LACKING = "consent-lacking"  # on the day of a procedure
    PRODUCT_IDENTITY = "product-identity"  # another lot or bag than the participant's own
    PRODUCT_NOT_RELEASED = "product-not-released"  # or rejected, expired, or failed a test since
    PRODUCT_HANDLING = "product-handling"  # a scan or a thaw that is not on record
    DOSE_OUT_OF_RANGE = "dose-out-of-range"
    SECOND_INFUSION = "second-infusion-outside-protocol"
    VISIT_MISSED = "visit-missed"  # or a year of long-term follow-up without a contact
    VISIT_OUT_OF_WINDOW = "visit-out-of-window"


class Deviations(Part):
    """What the protocol says of deviations."""

    important: Setting[tuple[DeviationKind, ...]]
