"""What a report of a case says beside the case: who sends it to whom, about which study and product."""

from pydantic import Field

from shared.contracts.enrollment_terms import TimeZone
from shared.contracts.safety import Agent, Part


class ReportFrame(Part):
    """What the protocol said of sender, study and product when the report was recorded. None: it is not known.

    It is kept with each report, so that a report reads the same whatever a later protocol says. Numbers are elements
    of ICH E2B(R3).
    """

    time_zone: TimeZone = Field(description="The site's, in which the report's instants are told")
    country: str | None = Field(description="ISO 3166-1 alpha-2: of the sender and of the site (C.1.1, C.2.r.3, E.i.9)")
    organisation_code: str | None = Field(description="The middle of the case's number (C.1.1)")
    sender_identifier: str | None = Field(description="N.1.3, N.2.r.2")
    receiver_identifier: str | None = Field(description="N.1.4, N.2.r.3")
    sender_type: str | None = Field(description="C.3.1")
    sender_organisation: str | None = Field(description="C.3.2")
    reporter_qualification: str | None = Field(description="C.2.r.4")
    registration_number: str | None = Field(description="C.5.1.r.1")
    registration_country: str | None = Field(description="C.5.1.r.2")
    study_name: str | None = Field(description="C.5.2")
    sponsor_study_number: str | None = Field(description="C.5.3")
    study_type: str | None = Field(description="C.5.4")
    product: Agent = Field(description="The agent that is the study product")
    product_name: str | None = Field(description="G.k.2.2")
    meddra_version: str | None = Field(description="E.i.2.1a")
