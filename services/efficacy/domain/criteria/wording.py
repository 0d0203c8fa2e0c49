"""Why a sum led to a response, and what other sum would have led to another, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from services.efficacy.domain.criteria.limits import Limit
from services.efficacy.domain.criteria.readings import Diameters, readable
from services.efficacy.domain.criteria.sums import Past, Sum


class Limits(Diameters, Protocol):
    """What of a set of criteria the words need."""

    def is_progression(self, now: Sum, past: Past) -> bool: ...


@dataclass(frozen=True, slots=True)
class Wording:
    """The limits of one set of criteria, put into sentences."""

    criteria: Limits

    def of(self, now: Sum, past: Past) -> str:
        """The sum that was found, and where progression and response begin."""
        found = "No target lesion was assessed."
        if now.seen:
            found = f"The sum{'' if now.complete else ' of the lesions seen'} is {self._size(now.size)}."
        return " ".join([found, self._rise(now, past), *self._falls(past)])

    def of_other_sums(self, now: Sum, past: Past) -> tuple[str, ...]:
        """Which sum, or which reference, would have led to another response."""
        return () if self.criteria.each_lesion else tuple(self._other_sums(now, past))

    def _falls(self, past: Past) -> Iterator[str]:
        for what, limit in (("Response", self.criteria.response), ("Minor response", self.criteria.minor_response)):
            if limit is not None:
                start = past.reference(limit)
                bound = f"below {'' if limit.strict else 'or at '}{self._size(limit.fall_from(start.size))}"
                yield f"{what} is {bound}: -{readable(limit.percent)} % on the {self._reference(limit, start)}."

    def _rise(self, now: Sum, past: Past) -> str:
        limit = self.criteria.progression
        least = "" if limit.least_mm is None else f" and +{readable(limit.least_mm)} mm"
        amount = f"+{readable(limit.percent)} %{least}"
        if self.criteria.each_lesion:
            grown = sum(limit.is_risen_past(past.smallest(key, size), size) for key, size in now.sizes.items())
            bound = f"{'above' if limit.strict else 'at or above'} {amount}"
            return f"Progression is one lesion {bound} on its own smallest size: {grown} of {now.seen} seen."
        start = past.reference(limit)
        at = "or at " if limit.counts_at_bound(start.size) else ""
        bound = f"above {at}{self._size(limit.rise_from(start.size))}"
        return f"Progression is {bound}: {amount} on the {self._reference(limit, start)}."

    def _other_sums(self, now: Sum, past: Past) -> Iterator[str]:
        rise, fall = self.criteria.progression, self.criteria.response
        start, top = past.reference(rise).size, past.reference(fall).size
        at, bound = rise.counts_at_bound(start), self._size(rise.rise_from(start))
        if not self.criteria.is_progression(now, past):
            yield f"PD at a sum {'at or ' if at else ''}above {bound}."
        elif now.complete:
            yield f"No PD at a sum {'' if at else 'at or '}below {bound}."
            if not rise.is_risen_past(past.baseline.size, now.size):
                yield "No PD with the baseline as the reference."
        if now.complete and not fall.is_fallen_past(top, now.size):
            yield f"PR at a sum {'' if fall.strict else 'at or '}below {self._size(fall.fall_from(top))}."

    def _reference(self, limit: Limit, start: Sum) -> str:
        return f"{limit.reference} of {self._size(start.size)} ({start.on})"

    def _size(self, size: Decimal) -> str:
        return f"{readable(size)} {self.criteria.measure.unit}"
