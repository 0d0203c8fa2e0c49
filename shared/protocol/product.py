"""The product: what a lot must be before it is given, how cold it travels, and when it may be given again."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.protocol.marked import Mark, Part, Setting, Text
from shared.protocol.units import Unit

Percent = Annotated[Decimal, Field(ge=0, le=100)]


class ProductLimit(StrEnum):
    """How a measured value is held against its limit."""

    AT_LEAST = ">="
    AT_MOST = "<="
    BELOW = "<"


class ExpectedFinding(StrEnum):
    """What a test finds that measures nothing."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


class ReleaseTest(Part):
    """One test of a lot before its release: a measured value within a limit, or a finding.

    `limit` null: nobody knows the number, so no value can be told to be within it. Only `required` tests hold a lot
    back.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    comparison: ProductLimit | None = None
    limit: Annotated[Decimal, Field(ge=0)] | None = None
    unit: Unit | None = None
    expected: ExpectedFinding | None = None
    required: bool
    mark: Mark
    source: Text
    note: Text | None = None

    @model_validator(mode="after")
    def _asks_for_a_value_or_a_finding(self) -> Self:
        measured = self.comparison is not None and self.unit is not None
        found = self.comparison is None and self.limit is None and self.unit is None
        if not (measured if self.expected is None else found):
            raise ValueError("a test has either a comparison, a limit (or null) and a unit, or an expected finding")
        return self


class TransportLimits(Part):
    """The temperatures (degrees Celsius) within which a product travels so; null: no limit on that side."""

    transport: Text
    lowest_c: Decimal | None
    highest_c: Decimal | None

    @model_validator(mode="after")
    def _lowest_is_not_above_highest(self) -> Self:
        if self.lowest_c is not None and self.highest_c is not None and self.lowest_c > self.highest_c:
            raise ValueError("lowest_c lies above highest_c")
        return self


class Product(Part):
    """The product as it is manufactured for one participant."""

    release_tests: Annotated[tuple[ReleaseTest, ...], Field(min_length=1)]
    transport: Setting[tuple[TransportLimits, ...]]
    exception_approvals: Setting[Annotated[int, Field(ge=2)]]  # people in different roles who release despite a limit
    dose_tolerance_percent: Setting[Percent]  # on both sides of the planned dose, the limit itself included
    dose_weight_cap_kg: Setting[Annotated[Decimal, Field(gt=0)] | None]  # no more kilograms count than these
    second_infusion_allowed: Setting[bool | None]  # null: the protocol does not say
    second_infusion_minimum_days: Setting[Annotated[int, Field(gt=0)] | None]  # since the infusion before
