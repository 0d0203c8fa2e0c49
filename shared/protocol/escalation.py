"""Dose escalation, where a protocol version turns it on: who may be infused at which level, and when.

The design, the window and the stagger are settings of `dosing`; the target number is `planned_participants`.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.protocol.marked import Part, Setting, Text
from shared.protocol.safety import Count


class DoseEscalation(Part):
    """How the escalation is run. A protocol without this part escalates by nobody's rule: nothing is refused."""

    start_level: Setting[Text]
    cohort_size: Setting[Count]
    max_per_level: Setting[Count]  # whoever is replaced is not counted
    target: Setting[Annotated[Decimal, Field(gt=0, lt=1)] | None]  # the rate of DLT aimed at; BOIN's alone
    allow_deescalation: Setting[bool]
    override_roles: Setting[tuple[Text, Text]]  # two people in these two roles open a closed gate together

    @model_validator(mode="after")
    def _takes_two_roles(self) -> Self:
        if len(set(self.override_roles.value)) != len(self.override_roles.value):
            raise ValueError("an override needs two different roles")
        return self
