"""Who counts for the dose."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.protocol import load_protocol
from shared.protocol.dose_limiting_status import (
    DltStatus,
    DltWindow,
    DosedCourse,
    NotEvaluable,
    evaluability,
    window_of,
)
from shared.protocol.loading import PACKAGED

PROTOCOL = load_protocol()
BANGKOK = ZoneInfo("Asia/Bangkok")
INFUSED = datetime(2026, 3, 1, 9, 0, tzinfo=BANGKOK)

ENDS = INFUSED + timedelta(minutes=30, days=28)
LAST_DAY = date(2026, 3, 29)


def the_window() -> DltWindow:
    window = window_of(PROTOCOL, INFUSED, INFUSED + timedelta(minutes=30), BANGKOK)
    assert window is not None
    return window


def stands(now: datetime = ENDS, *, has_dlt: bool = False, infused: bool = True, **known: Any) -> Any:
    course = DosedCourse(**{"dose_level": "DL2", "cells_per_kg": Decimal(1000000), "left_on": None, **known})
    window = the_window() if infused else None
    found = evaluability(course, PROTOCOL.dosing, window, has_dlt=has_dlt, now=now)
    return (found.status, *found.why)


def test_the_window_and_its_study_days_are_of_the_sites_own_clock() -> None:
    window = the_window()
    assert (window.ends, window.last_day) == (ENDS, LAST_DAY)
    assert window.end_of_day(28) == datetime(2026, 3, 30, tzinfo=BANGKOK)
    late = window_of(PROTOCOL, INFUSED, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), BANGKOK)
    assert late is not None
    assert late.last_day == date(2026, 3, 30)  # 06:30 on the next day in Bangkok


def test_a_trial_that_counts_no_doses_has_no_window() -> None:
    pilot = load_protocol(PACKAGED.with_name("cdisc_pilot.yaml"))
    assert window_of(pilot, INFUSED, INFUSED, BANGKOK) is None


def test_a_trial_that_counts_no_doses_watches_nobody() -> None:
    course = DosedCourse(None, None, None)
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
        ({"left_on": date(2026, 3, 28)}, (NotEvaluable.LEFT_EARLY,)),
        ({"left_on": date(2026, 3, 31)}, ()),
        (
            {"left_on": date(2026, 3, 5), "cells_per_kg": Decimal(1)},
            (NotEvaluable.DOSE_TOO_SMALL, NotEvaluable.LEFT_EARLY),
        ),
    ],
)
def test_a_small_dose_or_an_early_end_does_not_count(known: dict[str, Any], why: tuple[NotEvaluable, ...]) -> None:
    expected = (DltStatus.NOT_EVALUABLE, *why) if why else (DltStatus.EVALUABLE,)
    assert stands(ENDS + timedelta(seconds=1), **known) == expected


def test_a_dlt_counts_whatever_else_is_missing() -> None:
    assert stands(INFUSED, has_dlt=True, dose_level=None, left_on=date(2026, 3, 2)) == (DltStatus.DLT,)
