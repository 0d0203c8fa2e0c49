"""Standings written shortly: `at(2, "0/3 1/3+2")` is level 2, with 0 DLT of 3, and 1 of 3 with 2 pending."""

import re
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shared.escalation.designs import DESIGNS
from shared.escalation.designs.standing import Decided, LevelCount, Parameters, Standing, standing

_COUNT = re.compile(r"(\d+)/(\d+)(?:\+(\d+))?")


def counts(told: str) -> list[LevelCount]:
    return [
        LevelCount(level, int(evaluable), int(dlt), int(pending or 0))
        for level, (dlt, evaluable, pending) in enumerate(_COUNT.findall(told), start=1)
    ]


def at(current: int, told: str, levels: int = 3, **parameters: Any) -> Standing:
    asked = {"target": "0.30", **parameters}
    decimals: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value for name, value in asked.items()
    }
    return standing(Parameters(levels, **decimals), current, counts(told))


def decided(design: str, current: int, told: str, levels: int = 3, **parameters: Any) -> Decided:
    return DESIGNS[design](at(current, told, levels, **parameters))


def said(
    design: str, current: int, told: str, levels: int = 3, **parameters: Any
) -> tuple[str, int | None, int | None]:
    """Decision, next level and MTD."""
    found = decided(design, current, told, levels, **parameters)
    return found.decision.value, found.next_level, found.mtd


@st.composite
def level_counts(draw: st.DrawFn, level: int, most: int = 6) -> LevelCount:
    evaluable = draw(st.integers(0, most))
    return LevelCount(level, evaluable, draw(st.integers(0, evaluable)), draw(st.integers(0, most - evaluable)))


@st.composite
def standings(draw: st.DrawFn, most: int = 6) -> Standing:
    """Any standing, also such as no trial comes to."""
    levels = draw(st.integers(1, 4))
    tried = draw(st.integers(1, levels))
    parameters = Parameters(
        levels,
        target=draw(st.sampled_from([Decimal("0.20"), Decimal("0.25"), Decimal("0.30"), Decimal("0.33")])),
        allow_deescalation=draw(st.booleans()),
    )
    return standing(
        parameters, draw(st.integers(1, tried)), [draw(level_counts(level, most)) for level in range(1, tried + 1)]
    )
