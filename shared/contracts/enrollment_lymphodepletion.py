"""What enrollment tells the trial of lymphodepletion: the chemotherapy that prepares a participant for an infusion.

A course is known by the id that its recorder made, and names the infusion it prepares. Days are dates at the site.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.enrollment_terms import ConsentGap, Route, UcumUnit
from shared.contracts.saying import Says
from shared.contracts.terms import Day, Instant, Measurement, ParticipantId, ProtocolRef, Reason, SiteId
from shared.kernel.events import Event


def _in_order(days: tuple[date, ...]) -> tuple[date, ...]:
    return tuple(sorted(days))


DrugName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64),
    Says("a drug's name in small letters and hyphens, such as fludarabine"),
    Field(description="A drug that the protocol lists (CDISC EX.EXTRT)", examples=["fludarabine"]),
]


class DrugGiven(BaseModel):
    """A drug, and what was given of it on each of some days. A dose has its unit (UCUM)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug: DrugName
    dose: Annotated[Measurement, Field(gt=0, description="Of one day, all administrations together", examples=["30"])]
    unit: Annotated[UcumUnit, Field(examples=["mg/m2"])]
    route: Route
    days: Annotated[
        tuple[Day, ...],
        Field(
            min_length=1, max_length=31, description="On which it was given", examples=[["2026-03-11", "2026-03-12"]]
        ),
        AfterValidator(_in_order),
    ]


DrugsGiven = Annotated[tuple[DrugGiven, ...], Field(min_length=1, max_length=20)]


class LymphodepletionRecorded(Event, type="enrollment.lymphodepletion-recorded", version=1):
    """A participant was given lymphodepletion before an infusion.

    `began_on` is the first day on which any of the drugs was given; `first_dose_at` is None where nobody knows the
    hour. `consent_gaps` is what the consent lacked on that day; what was given is on record all the same.
    """

    participant_id: ParticipantId
    site_id: SiteId
    lymphodepletion_id: UUID
    prepares_infusion: int
    began_on: date
    first_dose_at: Instant | None
    drugs: DrugsGiven
    consent_gaps: tuple[ConsentGap, ...]
    protocol: ProtocolRef


class LymphodepletionCorrected(Event, type="enrollment.lymphodepletion-corrected", version=1):
    """The record of a lymphodepletion was wrong, or more was given; this is all of it, as it should have been."""

    participant_id: ParticipantId
    lymphodepletion_id: UUID
    prepares_infusion: int
    began_on: date
    first_dose_at: Instant | None
    drugs: DrugsGiven
    consent_gaps: tuple[ConsentGap, ...]
    reason: Reason
    protocol: ProtocolRef


class LymphodepletionRetracted(Event, type="enrollment.lymphodepletion-retracted", version=1):
    """A lymphodepletion on record was entered in error, as when it is another participant's."""

    participant_id: ParticipantId
    lymphodepletion_id: UUID
    reason: Reason
    protocol: ProtocolRef


LymphodepletionEvent = LymphodepletionRecorded | LymphodepletionCorrected | LymphodepletionRetracted
