"""What enrollment tells the trial of long-term follow-up: that a participant was seen or reached, and what was asked.

Gene-modified cells are followed for years after the last visit of the study. What is asked each time are the events
that may come late. A yes is no report: the event itself is reported as an adverse event.
Source: FDA, Long Term Follow-Up After Administration of Human Gene Therapy Products, January 2020, section V.
"""

from datetime import date
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.terms import ParticipantId, ProtocolRef, Reason, SiteId
from shared.kernel.events import Event


class ContactWay(StrEnum):
    """How a participant was seen or reached."""

    EXAMINATION = "examination"  # at the site
    QUESTIONNAIRE = "questionnaire"  # in person, by telephone or in writing


class Said(StrEnum):
    """An answer. What was not asked has none."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class LateEvents(BaseModel):
    """Whether, since the contact before, any of these has come up or grown worse. Null: not asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new_malignancy: Said | None = None
    neurologic_disorder: Said | None = Field(None, description="New, or one that grew worse")
    autoimmune_disorder: Said | None = Field(None, description="New, or one that grew worse; rheumatologic too")
    haematologic_disorder: Said | None = Field(None, description="New")
    infection: Said | None = Field(None, description="New, and possibly due to the product")


class FollowUpContactRecorded(Event, type="enrollment.follow-up-contact-recorded", version=1):
    """A participant was seen or reached, alive, on a day of long-term follow-up."""

    participant_id: ParticipantId
    site_id: SiteId
    contact_id: UUID
    contacted_on: date
    way: ContactWay
    late_events: LateEvents
    protocol: ProtocolRef


class FollowUpContactRetracted(Event, type="enrollment.follow-up-contact-retracted", version=1):
    """A contact on record was entered in error, as when it is another participant's."""

    participant_id: ParticipantId
    contact_id: UUID
    reason: Reason
    protocol: ProtocolRef


FollowUpContactEvent = FollowUpContactRecorded | FollowUpContactRetracted
