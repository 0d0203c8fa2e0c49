"""Long-term follow-up: once a year, for years after the visits of the study itself."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.protocol.marked import Part, Setting
from shared.protocol.visits import Window

DAYS_OF_A_YEAR = 365

Years = Annotated[int, Field(gt=0)]


class Contact(StrEnum):
    """How a participant is followed in a year."""

    EXAMINATION = "examination"  # at the site
    QUESTIONNAIRE = "questionnaire"  # a query in person, by telephone or in writing


class LongTermFollowUp(Part):
    """Each year from `first_year` to `last_year` after the infusion, with an examination up to `examined_until_year`.

    Years are calendar years, unlike the months of the study's visits: the anniversary of day 0, on the last day of
    February where there is no 29th. `active` false: nobody is followed so.
    """

    active: Setting[bool]
    first_year: Setting[Years]
    examined_until_year: Setting[Years]
    last_year: Setting[Years]
    window: Setting[Window]

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not self.first_year.value <= self.examined_until_year.value <= self.last_year.value:
            raise ValueError("first_year, examined_until_year and last_year follow each other")
        if self.window.value.minus + self.window.value.plus >= DAYS_OF_A_YEAR:
            raise ValueError("the windows of two years overlap")
        return self

    @property
    def years(self) -> range:
        return range(self.first_year.value, self.last_year.value + 1)

    def contact_in(self, year: int) -> Contact:
        return Contact.EXAMINATION if year <= self.examined_until_year.value else Contact.QUESTIONNAIRE
