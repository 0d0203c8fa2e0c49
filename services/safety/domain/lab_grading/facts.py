"""What one value is graded with: the value itself, its limits, the baseline, clinical facts, and the trial's policy."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from shared.kernel.errors import Unacceptable

INFANT_BELOW_YEARS = 1
ADULT_FROM_YEARS = 18


class UnreadableValue(Unacceptable):
    """A value, a limit or a baseline that no measurement can have."""


class Qualifier(StrEnum):
    """A value beyond what the method can count: the number is a bound, not a measurement."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


class AgeGroup(StrEnum):
    """Where CTCAE v5.0 has bands of their own for ages: under 1, 1 to 17, and 18 years on."""

    INFANT = "infant"
    CHILD = "child"
    ADULT = "adult"


class Pick(StrEnum):
    """Which of several possible grades stands while a clinical fact is missing."""

    WORST = "worst"
    LEAST = "least"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value as reported. `unit` is the text of the report, None where it had none.

    Raises:
        UnreadableValue: below zero, which nothing graded here can be.
    """

    value: Decimal
    unit: str | None
    qualifier: Qualifier | None = None

    def __post_init__(self) -> None:
        if not self.value.is_finite() or self.value < 0:
            raise UnreadableValue("a laboratory value is a number not below 0")
        if self.value == 0 and self.qualifier is Qualifier.BELOW:
            raise UnreadableValue("nothing lies below 0: send 0, or the limit of detection after <")


@dataclass(frozen=True, slots=True)
class Limits:
    """The reference range that came with the value, in its unit. LLN, ULN: lower and upper limit of normal.

    Raises:
        UnreadableValue: a limit below zero, an upper one of zero, or a lower one above the upper.
    """

    lln: Decimal | None = None
    uln: Decimal | None = None

    def __post_init__(self) -> None:
        if any(limit is not None and (not limit.is_finite() or limit < 0) for limit in (self.lln, self.uln)):
            raise UnreadableValue("a limit of normal is a number not below 0")
        if self.uln == 0:
            raise UnreadableValue(
                "an upper limit of normal of 0 is none: send null where the laboratory gives no limit"
            )
        if self.lln is not None and self.uln is not None and self.lln > self.uln:
            raise UnreadableValue("the lower limit of normal lies above the upper one")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The value before treatment, in the unit of the value that is graded.

    `abnormal` says whether it lay beyond its own limits of that day (above the upper one; fibrinogen: below the
    lower one). Where that is None it is judged by the limits of the value that is graded. `chosen` says by which
    rule, in words; None: whoever asks for a grade has stated the baseline.

    Raises:
        UnreadableValue: below zero.
    """

    value: Decimal | None = None
    abnormal: bool | None = None
    chosen: str | None = None

    def __post_init__(self) -> None:
        if self.value is not None and (not self.value.is_finite() or self.value < 0):
            raise UnreadableValue("a baseline is a number not below 0")


@dataclass(frozen=True, slots=True)
class Facts:
    """Clinical facts that v5.0 asks for beside the number; None is not known.

    `febrile` and `haemolysis` make another thing of a count or a haemoglobin, so they are never assumed.
    """

    symptomatic: bool | None = None
    on_anticoagulation: bool | None = None
    age_years: Decimal | None = None
    over_24_h: bool | None = None
    febrile: bool | None = None
    haemolysis: bool | None = None

    def __post_init__(self) -> None:
        if self.age_years is not None and (not self.age_years.is_finite() or not 0 <= self.age_years <= 130):
            raise UnreadableValue("an age is a number of years from 0 to 130")

    @property
    def age_group(self) -> AgeGroup | None:
        if self.age_years is None:
            return None
        if self.age_years < INFANT_BELOW_YEARS:
            return AgeGroup.INFANT
        return AgeGroup.CHILD if self.age_years < ADULT_FROM_YEARS else AgeGroup.ADULT


@dataclass(frozen=True, slots=True)
class Policy:
    """The trial's choices where v5.0 leaves one.

    `limits_come_first`: a value within its own reference range is 0 although an absolute band that continues the
    range would hold it (neutrophils of an infant). `baseline_arm_above_uln`: creatinine is judged by its rise over
    the baseline only above the upper limit of normal.
    """

    pick: Pick = Pick.WORST
    limits_come_first: bool = True
    baseline_arm_above_uln: bool = False


NO_LIMITS = Limits()
NO_BASELINE = Baseline()
NO_FACTS = Facts()
DEFAULT = Policy()
