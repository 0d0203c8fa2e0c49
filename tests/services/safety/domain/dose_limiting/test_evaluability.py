"""Who counts for the dose."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.safety.domain.dose_limiting.evaluability import Course, DltStatus, NotEvaluable, evaluability
from tests.services.safety.builders import PROTOCOL
from tests.services.safety.domain.dose_limiting.builders import INFUSED, the_window

ENDS = INFUSED + timedelta(minutes=30, days=28)
LAST_DAY = "2026-03-29"


def stands(now: datetime = ENDS, *, has_dlt: bool = False, infused: bool = True, **known: Any) -> Any:
    course = Course(**{"dose_level": "DL2", "cells_per_kg": Decimal(1000000), "left_on": None, **known})
    window = the_window() if infused else None
    found = evaluability(course, PROTOCOL.dosing, window, has_dlt=has_dlt, now=now)
    return (found.status, *found.why)


def test_a_trial_that_counts_no_doses_watches_nobody() -> None:
    course = Course(None, None, None)
    assert evaluability(course, None, None, has_dlt=False, now=ENDS).status is DltStatus.NOT_WATCHED


def test_somebody_who_was_not_infused_is_not_watched() -> None:
    assert stands(infused=False) == (DltStatus.NOT_INFUSED,)


@pytest.mark.parametrize(
    ("after_the_end", "status"), [(-1, DltStatus.IN_WINDOW), (0, DltStatus.IN_WINDOW), (1, DltStatus.EVALUABLE)]
)
def test_the_window_ends_28_times_24_hours_after_the_infusion(after_the_end: int, status: DltStatus) -> None:
    assert stands(ENDS + timedelta(seconds=after_the_end)) == (status,)


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"cells_per_kg": Decimal(800000)}, ()),
        ({"cells_per_kg": Decimal(799999)}, (NotEvaluable.DOSE_TOO_SMALL,)),
        ({"cells_per_kg": None}, (NotEvaluable.DOSE_UNKNOWN,)),
        ({"dose_level": None}, (NotEvaluable.DOSE_LEVEL_UNKNOWN,)),
        ({"dose_level": "DL9"}, (NotEvaluable.DOSE_LEVEL_UNKNOWN,)),
        ({"left_on": LAST_DAY}, ()),
        ({"left_on": "2026-03-28"}, (NotEvaluable.LEFT_EARLY,)),
        ({"left_on": "2026-03"}, ()),  # perhaps on the 31st
        ({"left_on": "2026-03-05", "cells_per_kg": Decimal(1)}, (NotEvaluable.DOSE_TOO_SMALL, NotEvaluable.LEFT_EARLY)),
    ],
)
def test_a_small_dose_or_an_early_end_does_not_count(known: dict[str, Any], why: tuple[NotEvaluable, ...]) -> None:
    expected = (DltStatus.NOT_EVALUABLE, *why) if why else (DltStatus.EVALUABLE,)
    assert stands(ENDS + timedelta(seconds=1), **known) == expected


def test_a_dlt_counts_whatever_else_is_missing() -> None:
    assert stands(INFUSED, has_dlt=True, dose_level=None, left_on="2026-03-02") == (DltStatus.DLT,)
