"""Figures as tables print them: percentages, confidence limits, and medians of values beyond a limit.

Percentages have one decimal, halves rounded away from zero. Nothing is ever computed from a rounded figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import median as middle
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from shared.statistics.proportions import IntervalMethod, interval

TENTH = Decimal("0.1")
CONFIDENCE_PERCENT = Decimal(95)

Side = Literal["<", ">"]

Exact = Annotated[
    Decimal,
    PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json"),
    Field(description="An exact decimal, as a string", examples=["12.5"]),
]
Percent = Annotated[Exact, Field(description="In percent, one decimal, halves away from zero", examples=["33.3"])]


class Figure(BaseModel):
    """A part of an answer; never changed."""

    model_config = ConfigDict(frozen=True)


def percent(part: int, whole: int) -> Decimal | None:
    """`part` of `whole` in percent, one decimal; None where there is nobody to be a part of."""
    return None if whole == 0 else _tenth(Decimal(100) * part / whole)


def _tenth(number: Decimal) -> Decimal:
    return number.quantize(TENTH, rounding=ROUND_HALF_UP)


class ConfidenceInterval(Figure):
    """Both limits in percent, one decimal."""

    confidence_percent: Exact
    method: IntervalMethod
    lower: Percent
    upper: Percent


def confidence_interval(successes: int, trials: int, method: IntervalMethod) -> ConfidenceInterval | None:
    """The two-sided 95 % interval of a proportion; None without a trial."""
    if trials == 0:
        return None
    found = interval(successes, trials, method, float(CONFIDENCE_PERCENT) / 100)
    return ConfidenceInterval(
        confidence_percent=CONFIDENCE_PERCENT,
        method=method,
        lower=_tenth(Decimal(repr(found.lower)) * 100),
        upper=_tenth(Decimal(repr(found.upper)) * 100),
    )


@dataclass(frozen=True, slots=True)
class Value:
    """A measured number, or the limit it lies beyond: `<` a lower, `>` an upper one. A limit may be unknown (None)."""

    number: Decimal | None
    beyond: Side | None = None

    @property
    def rank(self) -> tuple[int, bool, Decimal]:
        """Order of size: whatever is below its limit ranks below every number, whatever is above it above every one.

        Among values below a limit the lower limit comes first, an unknown one last.
        """
        side = {"<": 0, None: 1, ">": 2}[self.beyond]
        return side, self.number is None, self.number or Decimal(0)


class Level(Figure):
    """A number, or (with a qualifier) a limit that it lies beyond. `text` is how a table prints it."""

    number: Exact | None
    qualifier: Side | None = None
    text: str = Field(examples=["12.5", "<0.8", "<LLOQ"])


def level(value: Value) -> Level:
    number = None if value.number is None else format(value.number, "f")
    unknown = {"<": "LLOQ", ">": "ULOQ", None: ""}[value.beyond]
    return Level(number=value.number, qualifier=value.beyond, text=f"{value.beyond or ''}{number or unknown}")


UNDETERMINED = Level(number=None, text="undetermined")


def median(values: Iterable[Value]) -> Level | None:
    """The median; None of nothing.

    A value below the limit of quantification (BLQ) is not a number and never 0: it ranks below every quantified
    value. A median that falls among such values is "<LLOQ", with the highest limit that bounds it. Between one of
    them and a number it is below the middle of limit and number. Values above a limit mirror this.
    """
    ordered = sorted(values, key=lambda value: value.rank)
    if not ordered:
        return None
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    if low.beyond is not None and high.beyond is not None and low.beyond != high.beyond:
        return UNDETERMINED
    if high.beyond == "<":
        return level(high)
    if low.beyond == ">":
        return level(low)
    return level(Value(_middle(low, high), low.beyond or high.beyond))


def _middle(low: Value, high: Value) -> Decimal | None:
    """The middle of two numbers; beside an unknown limit, the number alone is the bound."""
    known = [value.number for value in (low, high) if value.number is not None]
    return middle(known) if known else None


class Range(Figure):
    """The lowest and the highest of the values."""

    lowest: Level
    highest: Level


def span(values: Iterable[Value]) -> Range | None:
    ordered = sorted(values, key=lambda value: value.rank)
    return Range(lowest=level(ordered[0]), highest=level(ordered[-1])) if ordered else None


def highest(values: Sequence[Value]) -> int:
    """The place of the highest value, of the first if several are equal."""
    return max(range(len(values)), key=lambda place: (values[place].rank, -place))
