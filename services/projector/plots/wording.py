"""The words of figures: who is shown, counts, days, percentages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from services.projector.plots.specification import in_order
from shared.protocol import Protocol

MEASURES = {"sum-of-diameters": "sum of diameters", "product-of-diameters": "sum of products of diameters"}
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Context:
    """What a figure rests on, beside its data."""

    protocol: Protocol
    evaluator: str
    today: date

    @property
    def criteria(self) -> str:
        """The set of response criteria whose limits are drawn."""
        return self.protocol.response.criteria.value

    @property
    def reading(self) -> str:
        """How changes were measured: `sum of diameters (SEED_V1), read by the investigator`."""
        rule = self.protocol.response
        others = sorted(set(rule.criteria_by_diagnosis.value.values()))
        sets = f"{self.criteria}; by diagnosis {', '.join(others)}" if others else self.criteria
        return f"{MEASURES[rule.measure.value.value]} ({sets}), read by the {self.evaluator.replace('-', ' ')}"

    @property
    def as_of(self) -> str:
        return f"{self.today.day} {self.today:%B %Y}"


def number(percent: Decimal) -> str:
    """A percentage with its sign, without idle zeros: `-62.5`, `+12`, `0`."""
    written = format(percent.normalize(), "f")
    return f"+{written}" if percent > 0 else written


def typeset(percent: Decimal) -> str:
    """A percentage as a figure prints it: a whole number, halves away from zero, with a true minus sign."""
    whole = percent.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return ("+" if whole > 0 else "") + format(whole, "f").replace("-0", "0").replace("-", "\N{MINUS SIGN}")


def people(count: int) -> str:
    return "1 participant" if count == 1 else f"{count} participants"


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def left_out(last: float, days_of_values: Iterable[float]) -> list[str]:
    """What lies after the last day drawn, counted: one line, or none."""
    later = [day for day in days_of_values if day > last]
    if not later:
        return []
    values = "1 later value" if len(later) == 1 else f"{len(later)} later values"
    verb = "is" if len(later) == 1 else "are"
    return [f"Up to day {last:g}: {values}, up to day {max(later):g}, {verb} not drawn; until_day draws more."]


def counted(kinds: Iterable[str]) -> str:
    """`2 CR, 1 PR, 4 SD`, from the best response to the worst."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]} {kind}" for kind in in_order(set(counts)))


def named(subjects: Sequence[str]) -> str:
    """The first few by subject number."""
    shown = ", ".join(subjects[:MOST_NAMED])
    more = len(subjects) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
