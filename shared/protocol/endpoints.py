"""How responses become a best overall response, and what ends or censors the time to an event."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.protocol.marked import Part, Setting

AtMost = Annotated[int, Field(ge=0)]
InARow = Annotated[int, Field(ge=1)]


class SurvivalCensoring(StrEnum):
    """Until when somebody who is not known to have died counts as alive."""

    LAST_KNOWN_ALIVE = "last-known-alive"
    DATA_CUT_OFF = "data-cut-off"  # where follow-up goes on; else the last day of follow-up


class NewTherapy(StrEnum):
    """What a new anticancer therapy does to progression-free survival and the duration of response."""

    CENSORS = "censors"  # at the last assessment that could be evaluated before it
    IS_EVENT = "is-event"  # on the day on which it began
    IS_IGNORED = "is-ignored"


class Endpoints(Part):
    """What the endpoints of response and survival leave open beside the criteria (`response`)."""

    confirmation_maximum_ne: Setting[AtMost]  # assessments that could not be evaluated before one that confirms
    confirmation_accepts_sd: Setting[bool]  # one between two partial responses
    missing_as_ne: Setting[bool]  # who was never assessed counts as not evaluable, not as missing
    first_progression_ends: Setting[bool]
    missed_assessments: Setting[InARow | None]  # before an event: it is censored at the last one. Null: never
    without_baseline_censored: Setting[bool]  # on day 0
    new_anticancer_therapy: Setting[NewTherapy]  # before progression or death
    overall_survival_censored_at: Setting[SurvivalCensoring]
