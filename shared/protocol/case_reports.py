"""What an individual case safety report says beside the case itself: who sends it, about which study and product.

Numbers are elements of ICH E2B(R3). A value that is null is not known, and a report that needs it is not written.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Part, Setting
from shared.protocol.safety import Recipient

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2
# A hyphen would end the name within C.1.1, `country-organisation-number`.
OrganisationCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,30}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.]{1,60}$")]
MeddraVersion = Annotated[str, StringConstraints(pattern=r"^\d{1,2}\.\d$")]


def _text(longest: int) -> object:
    return StringConstraints(min_length=1, max_length=longest, strip_whitespace=True)


class SenderType(StrEnum):
    """C.3.1."""

    COMPANY = "pharmaceutical-company"
    REGULATOR = "regulatory-authority"
    HEALTH_PROFESSIONAL = "health-professional"
    REGIONAL_CENTRE = "regional-pharmacovigilance-centre"
    WHO_CENTRE = "who-collaborating-centre"
    OTHER = "other"


class Qualification(StrEnum):
    """C.2.r.4: of whoever told of the event first."""

    PHYSICIAN = "physician"
    PHARMACIST = "pharmacist"
    OTHER_HEALTH_PROFESSIONAL = "other-health-professional"
    LAWYER = "lawyer"
    CONSUMER = "consumer"


class StudyType(StrEnum):
    """C.5.4."""

    CLINICAL_TRIAL = "clinical-trial"
    INDIVIDUAL_USE = "individual-patient-use"
    OTHER = "other-study"


class Receiver(Part):
    """What a recipient is called in messages (N.1.4, N.2.r.3), as the two have agreed."""

    recipient: Recipient
    identifier: Identifier


class CaseReports(Part):
    """Sender, study and product as reports to regulators name them."""

    country: Setting[Country | None]  # C.1.1, C.2.r.3, E.i.9
    organisation_code: Setting[OrganisationCode | None]  # the middle of C.1.1; never changed once a report was sent
    sender_type: Setting[SenderType | None]
    sender_organisation: Setting[Annotated[str, _text(100)] | None]  # C.3.2
    sender_identifier: Setting[Identifier | None]  # N.1.3, N.2.r.2
    receivers: Setting[tuple[Receiver, ...]]
    reporter_qualification: Setting[Qualification | None]
    registration_country: Setting[Country | None]  # C.5.1.r.2
    sponsor_study_number: Setting[Annotated[str, _text(50)] | None]  # C.5.3
    study_type: Setting[StudyType | None]
    product_name: Setting[Annotated[str, _text(250)] | None]  # G.k.2.2
    meddra_version: Setting[MeddraVersion | None] = Field(description="One version for the whole report")

    @model_validator(mode="after")
    def _calls_each_recipient_by_one_name(self) -> Self:
        recipients = [each.recipient for each in self.receivers.value]
        if len(set(recipients)) < len(recipients):
            raise ValueError("a recipient has one identifier")
        return self
