"""Dose escalation: who may be infused at which level, and when.

The design, the window and the stagger are settings of `dosing`; the target number is `planned_participants`. Slots and
decisions are kept as soon as a protocol has this part; infusions are held to them once a version says `enforced`.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.kernel.actor import Role
from shared.protocol.marked import Part, Setting, Text
from shared.protocol.safety import Count

# The rates of DLT that BOIN can aim at: CRAN BOIN takes none beyond.
LOWEST_TARGET, HIGHEST_TARGET = Decimal("0.05"), Decimal("0.6")


class DoseEscalation(Part):
    """How the escalation is run. A protocol without this part escalates by nobody's rule: nothing is refused."""

    enforced: Setting[bool]  # false: slots and decisions are kept, and no infusion is held to them
    start_level: Setting[Text]
    cohort_size: Setting[Count]
    max_per_level: Setting[Count]  # whoever is replaced is not counted
    target: Setting[
        Annotated[Decimal, Field(ge=LOWEST_TARGET, le=HIGHEST_TARGET)] | None
    ]  # the rate of DLT aimed at; BOIN asks for it
    allow_deescalation: Setting[bool]
    override_roles: Setting[tuple[Role, Role]]  # two people in these two roles open a closed gate together

    @model_validator(mode="after")
    def _takes_two_roles(self) -> Self:
        if len(set(self.override_roles.value)) != len(self.override_roles.value):
            raise ValueError("an override needs two different roles")
        return self
