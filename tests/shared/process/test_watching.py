"""A watch: one look that fails is loud, and keeps no other waiting."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, Gauge

from shared.kernel.errors import Conflict, Unavailable
from shared.process.watching import Watch


class Counting(Watch[int]):
    """Looks at numbers; those in `failing` cannot be looked at."""

    name = "counting"
    waiting = Gauge("counting_due", "Numbers", registry=CollectorRegistry())

    def __init__(self, failing: dict[int, Exception]) -> None:
        self.left, self._failing = [1, 2, 3, 4], failing

    async def _due(self) -> Sequence[int]:
        return tuple(self.left)

    async def _look(self, due: int) -> None:
        if due in self._failing:
            raise self._failing[due]
        self.left.remove(due)


async def test_a_look_that_is_refused_is_raised_when_the_others_had_theirs() -> None:
    watch = Counting({1: Conflict("the first"), 3: Conflict("the second")})
    with pytest.raises(Conflict, match="the first"):
        await watch.round(asyncio.Event())
    assert watch.left == [1, 3]


async def test_a_database_that_is_away_ends_the_round_at_once() -> None:
    watch = Counting({2: Unavailable("away")})
    with pytest.raises(Unavailable):
        await watch.round(asyncio.Event())
    assert watch.left == [2, 3, 4]
